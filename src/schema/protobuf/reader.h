// Reads the text of a .proto file into its elements.
#pragma once

#include <string_view>

#include "base/result.h"
#include "schema/protobuf/element.h"

namespace tailrace::schema::protobuf {

/// How many messages may lie in one another: protoc's limit.
inline constexpr int kMaxMessageDepth = 32;
/// How many braces and brackets may lie in one another in an option's value.
inline constexpr int kMaxValueDepth = 100;
/// How many messages and enums a file may define.
inline constexpr std::size_t kMaxTypes = 10'000;

/// How many fields, values of enums and methods.
inline constexpr std::size_t kMaxMembers = 50'000;

/// kInvalidArgument, with line and column, for what is no proto2 or proto3. It checks the shape
/// alone: whether names are known and numbers are free is linker.h's to tell.
Result<File> read_file(std::string_view text);

}  // namespace tailrace::schema::protobuf
