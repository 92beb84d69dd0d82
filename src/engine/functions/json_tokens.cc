#include "engine/functions/json_tokens.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/functions/json_columns.h"

namespace tailrace::engine {
namespace {

constexpr std::size_t kMaxText = 1 << 20;
constexpr int kMaxDepth = 64;
constexpr int kMaxDigits = 18;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

bool JsonTokens::begin(std::string_view text) {
  if (text.empty() || text.size() > kMaxText) return false;
  if (text.size() > capacity_) {
    capacity_ = std::max<std::size_t>(2 * text.size(), 4096);
    const auto failed = simdjson::get_active_implementation()->create_dom_parser_implementation(
        capacity_, simdjson::DEFAULT_MAX_DEPTH, stage_);
    if (failed) {
      capacity_ = 0;
      return false;
    }
  }
  if (stage_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                     simdjson::stage1_mode::regular))
    return false;
  text_ = text.data();
  size_ = text.size();
  escapes_ = std::memchr(text_, '\\', size_) != nullptr;
  at_ = stage_->structural_indexes.get();
  end_ = at_ + stage_->n_structural_indexes;
  return true;
}

bool JsonTokens::unescape(std::string_view& text) {
  if (text.empty() || std::memchr(text.data(), '\\', text.size()) == nullptr) return true;
  escaped_.assign(text);
  escaped_ += '"';
  escaped_.resize(text.size() + 1 + simdjson::SIMDJSON_PADDING);
  if (unescaped_.size() < escaped_.size()) unescaped_.resize(2 * escaped_.size());
  auto* const begin = reinterpret_cast<std::uint8_t*>(unescaped_.data());
  const auto* end =
      stage_->parse_string(reinterpret_cast<const std::uint8_t*>(escaped_.data()), begin);
  if (!end) return false;
  text = {unescaped_.data(), static_cast<std::size_t>(end - begin)};
  return !text.starts_with(kBigNumber);
}

bool JsonTokens::ends_at(const char* place) const {
  if (place == text_ + size_) return true;
  const char c = *place;
  return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool JsonTokens::take_word(JsonScalar& value, std::string_view word) {
  const std::size_t begin = *at_;
  value.text = std::string_view(text_, size_).substr(begin, word.size());
  ++at_;
  return value.text == word && ends_at(text_ + begin + word.size());
}

bool JsonTokens::take_number(JsonScalar& value) {
  const char* const begin = text_ + *at_;
  const char* const stop = text_ + size_;
  ++at_;
  const char* place = begin;
  const bool negative = *place == '-';
  if (negative) ++place;
  const char* const first = place;
  std::uint64_t number = 0;
  for (; place != stop && is_digit(*place); ++place)
    if (place - first < kMaxDigits) number = 10 * number + static_cast<unsigned>(*place - '0');
  const auto count = place - first;
  if (count == 0 || (count > 1 && *first == '0')) return false;
  if (ends_at(place)) {
    if (count > kMaxDigits || (negative && number == 0)) return false;
    value.kind = kJsonInteger;
    value.integer = static_cast<std::int64_t>(number);
    if (negative) value.integer = -value.integer;
    value.text = {begin, place};
    return true;
  }
  const auto digits = [&] {
    const char* const from = place;
    while (place != stop && is_digit(*place)) ++place;
    return place != from;
  };
  if (*place == '.') {
    ++place;
    if (!digits()) return false;
  }
  if (place != stop && (*place == 'e' || *place == 'E')) {
    ++place;
    if (place != stop && (*place == '+' || *place == '-')) ++place;
    if (!digits()) return false;
  }
  if (!ends_at(place)) return false;
  value.kind = kJsonReal;
  value.text = {begin, place};
  const auto read = std::from_chars(begin, place, value.real);
  return read.ec == std::errc() && read.ptr == place;
}

bool JsonTokens::take_scalar(JsonScalar& value) {
  switch (peek()) {
    case '"':
      value.kind = kJsonText;
      return take_text(value.text);
    case 't':
      value.kind = kJsonBool;
      value.truth = true;
      return take_word(value, "true");
    case 'f':
      value.kind = kJsonBool;
      value.truth = false;
      return take_word(value, "false");
    case 'n':
      value.kind = kJsonNull;
      return take_word(value, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return take_number(value);
    default:
      return false;
  }
}

bool JsonTokens::skip(const JsonDemand* demand, int depth) {
  if (depth == kMaxDepth) return false;
  if (take('[')) {
    if (demand && !demand->takes(kJsonList)) return false;
    if (take(']')) return true;
    do {
      if (!skip(demand ? demand->items : nullptr, depth + 1)) return false;
    } while (take(','));
    return take(']');
  }
  if (!take('{')) {
    JsonScalar value;
    return take_scalar(value) && meets(demand, value);
  }
  if (demand && !demand->takes(kJsonObject)) return false;
  std::uint64_t found = 0;
  if (!take('}')) {
    do {
      std::string_view name;
      if (!take_name(name)) return false;
      const auto member = demand ? demand->member(name) : JsonDemand::Member();
      found |= member.required;
      if (!skip(member.value, depth + 1)) return false;
    } while (take(','));
    if (!take('}')) return false;
  }
  return !demand || found == demand->required;
}

bool JsonTokens::meets_all(const JsonDemand& demand, const JsonScalar& value) {
  if (!(demand.kinds & value.kind)) return false;
  if (value.kind != kJsonText && !demand.others_than_text) return false;
  switch (value.kind) {
    case kJsonText: {
      // A character has one to four bytes.
      const auto bytes = static_cast<std::int64_t>(value.text.size());
      if (bytes > demand.max_chars || bytes / 4 < demand.min_chars) {
        const std::int64_t length = characters(value.text);
        if (length < demand.min_chars || length > demand.max_chars) return false;
      }
      return !demand.fits || demand.fits(value.text);
    }
    case kJsonInteger:
      return value.integer >= demand.minimum && value.integer <= demand.maximum;
    case kJsonReal:
      return (demand.minimum == INT64_MIN || value.real >= static_cast<double>(demand.minimum)) &&
             (demand.maximum == INT64_MAX || value.real <= static_cast<double>(demand.maximum));
    default:
      return true;
  }
}

}  // namespace tailrace::engine
