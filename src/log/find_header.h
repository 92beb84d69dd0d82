// A record's header by its name.
#pragma once

#include "log/record.h"

namespace tailrace::log {

/// The last one of that name, as Kafka's clients take it; nullopt when there is none, or it is
/// null.
inline std::optional<std::string_view> find_header(HeaderViews headers, std::string_view name) {
  std::optional<std::string_view> found;
  for (Header header; headers.next(header);)
    if (header.key == name) found = header.value;
  return found;
}

}  // namespace tailrace::log
