#include "engine/functions/json_check.h"

#include <simdjson.h>

#include <cstring>

#include "engine/functions/json_scan.h"

namespace tailrace::engine {
namespace {

/// Deeper texts go to the scanner, which knows the limit.
constexpr std::size_t kFastDepth = kJsonMaxDepth - 9;

bool in_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

/// Whether a number of more than kJsonMaxNumberDigits may be in the text: one so long covers one of
/// the bytes looked at.
bool may_hold_long_number(std::string_view text) {
  for (std::size_t at = kJsonMaxNumberDigits; at < text.size(); at += kJsonMaxNumberDigits) {
    std::size_t begin = at, end = at;
    while (begin > 0 && in_number(text[begin - 1])) --begin;
    while (end < text.size() && in_number(text[end])) ++end;
    if (end > begin + kJsonMaxNumberDigits) return true;
  }
  return false;
}

}  // namespace

struct JsonChecker::Impl {
  simdjson::dom::parser parser;
  std::string padded;
};

JsonChecker::JsonChecker() : impl_(std::make_unique<Impl>()) {}
JsonChecker::~JsonChecker() = default;

// The fast parser refuses less and more than the rule: it takes what is beyond the limits and
// refuses large numbers. Both are rare, and left to the scanner.
std::optional<JsonFault> JsonChecker::check(std::string_view text) {
  std::string& padded = impl_->padded;
  if (text.size() > kJsonMaxName) return scan_json(text);
  if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    padded.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
    if (impl_->parser.allocate(2 * text.size() + 1, kFastDepth) != simdjson::SUCCESS)
      return scan_json(text);
  }
  std::memcpy(padded.data(), text.data(), text.size());
  if (impl_->parser.parse(padded.data(), text.size(), false).error() != simdjson::SUCCESS ||
      may_hold_long_number(text))
    return scan_json(text);
  return std::nullopt;
}

}  // namespace tailrace::engine
