// Values of native types as CQL's text and back; of all types as CQL literals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// The kinds of constants in a statement.
enum class Literal { kString, kInteger, kFloat, kUuid, kBoolean, kHex, kDuration };

/// The word for it in error sentences: "STRING".
std::string_view literal_name(Literal literal);
/// Whether Cassandra takes such a constant for a native type; for no other.
bool literal_fits(Literal literal, Kind kind);

/// What a constant's text (without quotes, with 0x) is as a native type's bytes; literal_fits says
/// yes. kInvalidArgument in Cassandra's words. `now_ms` is what 'now' means for a timestamp.
Result<std::string> literal_bytes(Literal literal, std::string_view text, const Type& type,
                                  std::int64_t now_ms);

/// The text of a native value as its bytes: numbers, times, hexadecimal digits of a blob. Empty
/// text is an empty value where there is one. kInvalidArgument in Cassandra's words. Names of hosts
/// are not looked up, as Cassandra would. Of a custom type hexadecimal digits.
Result<std::string> from_text(const Type& type, std::string_view text, std::int64_t now_ms);

/// The CQL literal of a valid value, or null: 'it''s', 0x00, {'a': 1}, (1, null), [1.0, 2.0].
/// kInvalidArgument for bytes that are no value.
Result<std::string> to_literal(const Type& type, Part value);

/// A literal without the quotes, as CAST(… AS text) gives it; of a valid native value.
Result<std::string> to_text(const Type& type, std::string_view bytes);

}  // namespace tailrace::cql_types
