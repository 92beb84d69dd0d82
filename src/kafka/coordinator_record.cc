#include "kafka/coordinator_record.h"

namespace tailrace::kafka {

Result<std::int16_t> record_key_type(std::string_view bytes) {
  Reader reader(bytes);
  const std::int16_t type = reader.int16("record type");
  if (reader.failed()) return std::unexpected(reader.failure());
  return type;
}

}  // namespace tailrace::kafka
