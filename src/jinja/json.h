// JSON as Python's module json writes and reads it.
#pragma once

#include <string>
#include <string_view>

#include "jinja/python.h"

namespace tailrace::jinja {

struct JsonStyle {
  bool sort_keys = false;
  bool ensure_ascii = true;
  std::optional<std::string> indent;
  std::string item_separator = ", ", key_separator = ": ";
  std::optional<Value> fallback;  ///< json.dumps' default=
};
Result<std::string> dump_json(const Value& value, const JsonStyle& style);
/// json.loads; a JSONDecodeError names line and column.
Result<Value> load_json(std::string_view text);
/// Arguments of json.dumps.
Result<std::string> json_dumps(const List& arguments, const Object::Named& named);

}  // namespace tailrace::jinja
