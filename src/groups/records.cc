// Which group a record belongs to.
#include "groups/records.h"

namespace tailrace::groups {

const std::string& group_of(const Record& record) {
  return std::visit([](const auto& entry) -> const std::string& { return entry.key.group; },
                    record);
}

}  // namespace tailrace::groups
