// What counts as a JSON document where a topic's format is json: the exact rule, byte by byte.
//
// One RFC 8259 document in UTF-8, white space (space, tab, CR, LF) around it, no byte order mark. A
// name may come twice in an object. Refused beside what the RFC refuses: an escape of half a
// surrogate pair, and what is beyond the limits below. They are those of the parser that real Spark
// has (Jackson's StreamReadConstraints), so that a record is JSON here when it is JSON there.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/functions/json_check.h"

namespace tailrace::engine {

inline constexpr std::size_t kJsonMaxDepth = 999;          ///< arrays and objects in each other
inline constexpr std::size_t kJsonMaxNumberDigits = 1000;  ///< the exponent's too
inline constexpr std::size_t kJsonMaxName = 50'000;        ///< UTF-16 units, unescaped
inline constexpr std::size_t kJsonMaxString = 20'000'000;  ///< UTF-16 units, unescaped

/// nullopt when the text is one JSON document, else the first byte where it stops being one.
std::optional<JsonFault> scan_json(std::string_view text);

}  // namespace tailrace::engine
