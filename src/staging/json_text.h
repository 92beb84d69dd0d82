// A JSON text walked as it is written, once simdjson has found it whole: members, paths, strings.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::staging {

/// One whole JSON object in UTF-8; kInvalidArgument says what it is instead. All that follows is
/// for texts that passed.
Status check_object(std::string_view text);

/// Each member: the name unescaped, the value as it is written.
using VisitMember = std::function<void(std::string_view name, std::string_view raw)>;
void walk_members(std::string_view object, const VisitMember& visit);

/// The value at a JSON pointer; none where there is none.
std::optional<std::string_view> at_pointer(std::string_view json, std::string_view pointer);

/// Appends what a JSON string says.
void append_unescaped(std::string& out, std::string_view raw);

/// Appends the text without white space between its parts.
void append_compact(std::string& out, std::string_view raw);

/// Appends `text` as a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

}  // namespace tailrace::staging
