// Values written as JSON, and names as JSON has them.
#include <fmt/format.h>

#include <cmath>

#include "base/bytes.h"
#include "cql_types/json.h"
#include "cql_types/text.h"
#include "cql_types/time_text.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::kBigint:
    case Kind::kBoolean:
    case Kind::kCounter:
    case Kind::kDecimal:
    case Kind::kDouble:
    case Kind::kFloat:
    case Kind::kInt:
    case Kind::kSmallint:
    case Kind::kTinyint:
    case Kind::kVarint:
      return true;
    default:
      return false;
  }
}

bool is_finite(Kind kind, std::string_view bytes) {
  if (kind == Kind::kFloat)
    return std::isfinite(std::bit_cast<float>(load_be<std::uint32_t>(bytes.data())));
  return kind != Kind::kDouble ||
         std::isfinite(std::bit_cast<double>(load_be<std::uint64_t>(bytes.data())));
}

Status append(std::string& out, const Type& type, Part value);

Status append_native(std::string& out, const Type& type, std::string_view bytes) {
  if (is_number(type.kind) && !bytes.empty()) {
    if (!is_finite(type.kind, bytes)) {
      out += "null";
      return {};
    }
    ASSIGN(const auto text, to_text(type, bytes));
    out += text;
    return {};
  }
  if (type.kind == Kind::kTimestamp && !bytes.empty()) {
    append_json_string(out, timestamp_text(load_be<std::int64_t>(bytes.data()), ' '));
    return {};
  }
  ASSIGN(const auto text, to_text(type, bytes));
  append_json_string(out, text);
  return {};
}

Status append_collection(std::string& out, const Type& type, std::string_view bytes) {
  const bool is_map = type.kind == Kind::kMap;
  CollectionReader reader(bytes, is_map ? 2 : 1);
  Part part;
  out += is_map ? '{' : '[';
  for (bool first = true; reader.next(part); first = false) {
    if (!first) out += ", ";
    const auto start = out.size();
    TRY(append(out, type.element(), part));
    if (!is_map) continue;
    if (out[start] != '"') {
      const std::string key = out.substr(start);
      out.resize(start);
      append_json_string(out, key);
    }
    out += ": ";
    if (reader.next(part)) TRY(append(out, type.value(), part));
  }
  out += is_map ? '}' : ']';
  return {};
}

Status append_tuple(std::string& out, const Type& type, std::string_view bytes) {
  const bool named = type.kind == Kind::kUserType;
  TupleReader reader(bytes);
  out += named ? '{' : '[';
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    if (i > 0) out += ", ";
    if (named) {
      const auto& name = type.field_names[i];
      const bool lower = name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
      append_json_string(out, lower ? name : '"' + name + '"');
      out += ": ";
    }
    Part part;
    if (!reader.next(part)) part.reset();
    TRY(append(out, *type.parameters[i], part));
  }
  out += named ? '}' : ']';
  return {};
}

Status append_vector(std::string& out, const Type& type, std::string_view bytes) {
  VectorReader reader(type, bytes);
  std::string_view element;
  out += '[';
  for (bool first = true; reader.next(element); first = false) {
    if (!first) out += ", ";
    TRY(append(out, type.element(), element));
  }
  out += ']';
  return {};
}

Status append(std::string& out, const Type& type, Part value) {
  if (!value) {
    out += "null";
    return {};
  }
  switch (type.kind) {
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return append_collection(out, type, *value);
    case Kind::kTuple:
    case Kind::kUserType:
      return append_tuple(out, type, *value);
    case Kind::kVector:
      return append_vector(out, type, *value);
    default:
      return append_native(out, type, *value);
  }
}

}  // namespace

Result<std::string> to_json(const Type& type, Part value) {
  if (value) TRY(validate(type, *value));
  std::string out;
  TRY(append(out, type, value));
  return out;
}

std::string json_name(std::string_view name) {
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
    return std::string(name.substr(1, name.size() - 2));
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kFrom = "\"\\\b\f\n\r\t", kTo = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    if (const auto i = kFrom.find(c); i != kFrom.npos) {
      out += '\\';
      out += kTo[i];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace tailrace::cql_types
