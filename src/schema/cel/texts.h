// CEL's functions on text, by characters: places and lengths are counted in code points.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "schema/cel/value.h"

namespace tailrace::schema::cel {

std::size_t character_count(std::string_view text);
bool is_utf8(std::string_view bytes);

/// contains, startsWith, endsWith, lowerAscii, upperAscii, trim, charAt, indexOf, lastIndexOf,
/// replace, split, substring; nullopt when the arguments are of other types.
std::optional<Result<Value>> text_function(std::string_view name, const std::string& text,
                                           std::span<const Value> args);
/// list.join([separator])
Result<Value> joined(std::span<const Value> args);

}  // namespace tailrace::schema::cel
