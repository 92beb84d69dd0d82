#include "schema/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace tailrace::schema {
namespace {

namespace dom = simdjson::dom;

// Objects of more members than this are searched for a repeated name by a hash table.
constexpr std::size_t kFewMembers = 16;

Json copy(const dom::element& from);

JsonObject copy_object(const dom::object& from) {
  JsonObject made;
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& [name, value] : from) {
    std::size_t at = made.size();
    if (made.size() < kFewMembers) {
      const auto known = std::ranges::find(made, name, &JsonMember::name);
      at = static_cast<std::size_t>(known - made.begin());
    } else {
      if (places.empty())
        for (std::size_t i = 0; i < made.size(); ++i) places.emplace(made[i].name, i);
      at = places.try_emplace(std::string(name), made.size()).first->second;
    }
    if (at == made.size()) made.push_back({std::string(name), {}});
    made[at].value = copy(value);
  }
  return made;
}

Json copy(const dom::element& from) {
  switch (from.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::BOOL:
      return bool(from);
    case dom::element_type::INT64:
      return std::int64_t(from);
    case dom::element_type::UINT64:
      return std::uint64_t(from);
    case dom::element_type::DOUBLE:
      return double(from);
    case dom::element_type::STRING:
      return std::string(std::string_view(from));
    case dom::element_type::ARRAY: {
      JsonArray made;
      for (const auto& item : dom::array(from)) made.push_back(copy(item));
      return made;
    }
    case dom::element_type::OBJECT:
      return copy_object(dom::object(from));
  }
  return {};
}

// Java's Double.toString: plain between 1e-3 and 1e7, else one digit, a point, and an exponent.
void append_double(std::string& out, double value) {
  if (std::isnan(value)) return void(out += "\"NaN\"");
  if (std::isinf(value)) return void(out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  char raw[64];
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
  const auto form = plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(raw, std::to_chars(raw, raw + sizeof raw, value, form).ptr);
  if (plain) {
    if (text.find('.') == std::string::npos) text += ".0";
    return void(out += text);
  }
  const auto e = text.find('e');
  std::string digits = text.substr(0, e);
  if (digits.find('.') == std::string::npos) digits += ".0";
  out += digits + "E" + std::to_string(std::atoi(text.c_str() + e + 1));
}

}  // namespace

Json::Json(JsonArray value) : value_(std::move(value)) {}
Json::Json(JsonObject value) : value_(std::move(value)) {}

bool Json::is_number() const {
  return integer() || big() || decimal() || std::holds_alternative<double>(value_);
}

double Json::number() const {
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  if (big()) return static_cast<double>(*big());
  if (decimal()) return std::strtod(decimal()->text.c_str(), nullptr);
  const auto* real = std::get_if<double>(&value_);
  return real ? *real : 0;
}

const Json* Json::find(std::string_view name) const {
  const auto* members = object();
  if (!members) return nullptr;
  const auto found = std::ranges::find(*members, name, &JsonMember::name);
  return found == members->end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) {
  return const_cast<Json*>(std::as_const(*this).find(name));
}

const std::string* Json::find_text(std::string_view name) const {
  const Json* value = find(name);
  return value ? value->text() : nullptr;
}

bool Json::operator==(const Json& other) const {
  return value_ == other.value_;
}

Result<Json> parse_json(std::string_view text) {
  if (text.size() > kMaxSchemaBytes)
    return error(Code::kInvalidArgument, "the schema has " + std::to_string(text.size()) +
                                             " bytes, more than " +
                                             std::to_string(kMaxSchemaBytes));
  dom::parser parser;
  dom::element root;
  auto failed = parser.allocate(std::max<std::size_t>(text.size(), 32), kMaxJsonDepth);
  if (!failed) failed = parser.parse(simdjson::padded_string(text)).get(root);
  if (failed == simdjson::DEPTH_ERROR)
    return error(Code::kInvalidArgument,
                 "the schema is nested more than " + std::to_string(kMaxJsonDepth) + " deep");
  if (failed)
    return error(Code::kInvalidArgument,
                 std::string("the schema is not JSON: ") + simdjson::error_message(failed));
  return copy(root);
}

void append_json_text(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kShort = "\bb\tt\nn\ff\rr\"\"\\\\";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += '\\';
    std::size_t at = 0;
    while (at < kShort.size() && kShort[at] != c) at += 2;
    if (at < kShort.size()) {
      out += kShort[at + 1];
    } else {
      out += "u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

namespace {

void append_object(std::string& out, const JsonObject& members, bool sorted) {
  std::vector<const JsonMember*> order;
  order.reserve(members.size());
  for (const auto& member : members) order.push_back(&member);
  if (sorted)
    std::ranges::sort(
        order, {}, [](const auto* member) -> const auto& { return member->name; });
  out += '{';
  for (const auto* member : order) {
    if (member != order.front()) out += ',';
    append_json_text(out, member->name);
    out += ':';
    append_json(out, member->value, sorted);
  }
  out += '}';
}

}  // namespace

void append_json(std::string& out, const Json& value, bool sorted) {
  if (const auto* text = value.text()) return append_json_text(out, *text);
  if (const auto* yes = value.boolean()) return void(out += *yes ? "true" : "false");
  if (const auto* whole = value.integer()) return void(out += std::to_string(*whole));
  if (const auto* members = value.object()) return append_object(out, *members, sorted);
  if (const auto* items = value.array()) {
    out += '[';
    for (const auto& item : *items) {
      if (&item != items->data()) out += ',';
      append_json(out, item, sorted);
    }
    return void(out += ']');
  }
  if (const auto* big = value.big()) return void(out += std::to_string(*big));
  if (const auto* decimal = value.decimal()) return void(out += decimal->text);
  if (value.is_number()) return append_double(out, value.number());
  out += "null";
}

}  // namespace tailrace::schema
