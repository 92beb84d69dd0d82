// Parses the texts of a column one after another: padded only where the column's buffer ends,
// leniently only when the strict parser refuses. An element lives until the next parse.
#pragma once

#include <simdjson.h>

#include <cstring>
#include <optional>
#include <string>

#include "engine/functions/json_columns.h"

namespace tailrace::engine {

class JsonDocument {
 public:
  /// Bytes up to `readable` may be read (not used) past a text; null when unknown.
  explicit JsonDocument(const char* readable = nullptr) : readable_(readable) {}

  std::optional<simdjson::dom::element> parse(std::string_view text) {
    simdjson::dom::element root;
    if (text.empty()) return std::nullopt;
    const bool padded =
        readable_ && text.data() + text.size() + simdjson::SIMDJSON_PADDING <= readable_;
    if (!parser_.parse(padded ? text.data() : copy(text), text.size(), false).get(root))
      return root;
    if (!strict_json(text, strict_)) return std::nullopt;
    if (parser_.parse(copy(strict_), strict_.size(), false).get(root)) return std::nullopt;
    return root;
  }

 private:
  const char* copy(std::string_view text) {
    if (scratch_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
      scratch_.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(scratch_.data(), text.data(), text.size());
    return scratch_.data();
  }

  const char* readable_;
  simdjson::dom::parser parser_;
  std::string scratch_;
  std::string strict_;
};

}  // namespace tailrace::engine
