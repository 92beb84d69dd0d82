#include "engine/functions/json_check.h"

#include <simdjson.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace tailrace::engine {

struct JsonChecker::Impl {
  simdjson::dom::parser parser;
  std::string padded;
};

JsonChecker::JsonChecker() : impl_(std::make_unique<Impl>()) {}
JsonChecker::~JsonChecker() = default;

namespace {

/// The slow way, for the rare text that is at fault: says where. Numbers beyond 64 bits are no
/// fault.
std::optional<JsonFault> locate(std::string_view text, std::string_view otherwise) {
  try {
    const auto parsed = nlohmann::json::parse(text);
    if (!parsed.is_discarded()) return std::nullopt;
  } catch (const nlohmann::json::parse_error& e) {
    std::string_view what = e.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error …": the last
    // part is for people.
    if (const std::size_t at = what.find("syntax error"); at != std::string_view::npos)
      what.remove_prefix(at);
    return JsonFault{e.byte > 0 ? e.byte - 1 : 0, std::string(what.substr(0, 200))};
  } catch (const nlohmann::json::out_of_range&) {
    return std::nullopt;
  }
  return JsonFault{0, std::string(otherwise)};
}

}  // namespace

std::optional<JsonFault> JsonChecker::check(std::string_view text) {
  std::string& padded = impl_->padded;
  if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING)
    padded.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(padded.data(), text.data(), text.size());
  const simdjson::error_code code = impl_->parser.parse(padded.data(), text.size(), false).error();
  if (code == simdjson::SUCCESS) return std::nullopt;
  return locate(text, simdjson::error_message(code));
}

}  // namespace tailrace::engine
