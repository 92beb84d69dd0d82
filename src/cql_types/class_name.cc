#include "cql_types/class_name.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/hex.h"

namespace tailrace::cql_types {
namespace {

constexpr std::string_view kPackage = "org.apache.cassandra.db.marshal.";

constexpr std::array<std::string_view, 20> kClasses{
    "AsciiType",       "LongType",     "BytesType",  "BooleanType",  "CounterColumnType",
    "SimpleDateType",  "DecimalType",  "DoubleType", "DurationType", "FloatType",
    "InetAddressType", "Int32Type",    "ShortType",  "UTF8Type",     "TimeType",
    "TimestampType",   "TimeUUIDType", "ByteType",   "UUIDType",     "IntegerType"};

std::string class_of(const Type& type, bool ignore_freezing);

std::string classes_of(const std::vector<TypePtr>& types, bool ignore_freezing) {
  std::string text = "(";
  for (const auto& type : types) {
    if (text.size() > 1) text += ',';
    text += class_of(*type, ignore_freezing);
  }
  return text + ")";
}

std::string user_class_of(const Type& type, bool ignore_freezing) {
  std::string text = "(" + type.keyspace + "," + encode_hex(type.name);
  for (std::size_t i = 0; i < type.parameters.size(); ++i)
    text += "," + encode_hex(type.field_names[i]) + ":" +
            class_of(*type.parameters[i], ignore_freezing);
  return text + ")";
}

std::string class_of(const Type& type, bool ignore_freezing) {
  std::string package(kPackage);
  if (is_native(type.kind)) return package.append(kClasses[static_cast<std::size_t>(type.kind)]);
  if (type.kind == Kind::kCustom) return type.class_name;
  if (type.kind == Kind::kTuple) return package + "TupleType" + classes_of(type.parameters, true);
  if (type.kind == Kind::kVector)
    return fmt::format("{}VectorType({} , {})", package, class_of(type.element(), ignore_freezing),
                       type.dimension);
  const bool inner = ignore_freezing || type.frozen;
  std::string text = package;
  if (type.kind == Kind::kUserType)
    text += "UserType" + user_class_of(type, inner);
  else
    text += (type.kind == Kind::kList  ? "ListType"
             : type.kind == Kind::kSet ? "SetType"
                                       : "MapType") +
            classes_of(type.parameters, inner);
  return type.frozen && !ignore_freezing ? package + "FrozenType(" + text + ")" : text;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool at_end() {
    skip();
    return at_ == text_.size();
  }

  Result<NamedType> named(int depth) {
    if (depth > kMaxTypeDepth) return wrong("classes are more than 32 deep");
    skip();
    const auto start = at_;
    std::string_view name = identifier();
    if (name.empty()) return wrong("a class name expected");
    if (name.starts_with(kPackage)) name.remove_prefix(kPackage.size());
    for (std::size_t i = 0; i < kClasses.size(); ++i)
      if (kClasses[i] == name) return NamedType{native_type(static_cast<Kind>(i)), false};
    if (name == "ReversedType") {
      TRY(expect('('));
      ASSIGN(auto inner, named(depth + 1));
      TRY(expect(')'));
      return NamedType{inner.type, !inner.reversed};
    }
    if (name == "FrozenType") {
      ASSIGN(auto inner, types(depth, 1));
      return NamedType{frozen(inner[0]), false};
    }
    if (name == "ListType" || name == "SetType") {
      ASSIGN(auto inner, types(depth, 1));
      const auto element = frozen(inner[0]);
      return NamedType{name == "ListType" ? list_of(element, false) : set_of(element, false)};
    }
    if (name == "MapType") {
      ASSIGN(auto inner, types(depth, 2));
      return NamedType{map_of(frozen(inner[0]), frozen(inner[1]), false)};
    }
    if (name == "TupleType") {
      ASSIGN(auto inner, types(depth, 0));
      for (auto& type : inner) type = frozen(type);
      return NamedType{tuple_of(std::move(inner))};
    }
    if (name == "VectorType") return vector_type(depth);
    if (name == "UserType") return user_class(depth);
    return custom(start);
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return error(Code::kInvalidArgument, fmt::format("{} at column {} of class name {}", what,
                                                     at_ + 1, text_.substr(0, 200)));
  }

  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool next_is(char c) {
    skip();
    return at_ < text_.size() && text_[at_] == c;
  }

  Status expect(char c) {
    if (!next_is(c)) return wrong(fmt::format("'{}' expected", c));
    ++at_;
    return {};
  }

  std::string_view identifier() {
    skip();
    const auto start = at_;
    const auto fits = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c == '-' || c == '+' || c == '.' || c == '_' || c == '&' || c == '$';
    };
    while (at_ < text_.size() && fits(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  // `count` types in parentheses, or any number where it is 0.
  Result<std::vector<TypePtr>> types(int depth, std::size_t count) {
    std::vector<TypePtr> all;
    TRY(expect('('));
    do {
      ASSIGN(auto one, named(depth + 1));
      all.push_back(std::move(one.type));
    } while (next_is(',') && ++at_);
    TRY(expect(')'));
    if (count != 0 && all.size() != count)
      return wrong(fmt::format("{} parameters where {} belong", all.size(), count));
    return all;
  }

  Result<NamedType> vector_type(int depth) {
    TRY(expect('('));
    ASSIGN(auto element, named(depth + 1));
    TRY(expect(','));
    const auto digits = identifier();
    int dimension = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), dimension);
    if (failure != std::errc() || end != digits.data() + digits.size() || dimension <= 0 ||
        dimension > kMaxVectorDimension)
      return wrong("a vector's number of dimensions expected");
    TRY(expect(')'));
    return NamedType{vector_of(frozen(element.type), dimension)};
  }

  Result<std::string> hex_text() {
    const auto hex = identifier();
    std::string bytes;
    if (hex.size() % 2 != 0) return wrong("a name in hexadecimal digits expected");
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      unsigned value = 0;
      const auto [end, failure] = std::from_chars(&hex[i], &hex[i] + 2, value, 16);
      if (failure != std::errc() || end != &hex[i] + 2)
        return wrong("a name in hexadecimal digits expected");
      bytes += static_cast<char>(value);
    }
    return bytes;
  }

  Result<NamedType> user_class(int depth) {
    TRY(expect('('));
    std::string keyspace(identifier());
    TRY(expect(','));
    ASSIGN(auto name, hex_text());
    std::vector<std::string> names;
    std::vector<TypePtr> fields;
    while (next_is(',')) {
      ++at_;
      ASSIGN(auto field, hex_text());
      TRY(expect(':'));
      ASSIGN(auto one, named(depth + 1));
      names.push_back(std::move(field));
      fields.push_back(std::move(one.type));
    }
    TRY(expect(')'));
    return NamedType{user_type(std::move(keyspace), std::move(name), std::move(names),
                               std::move(fields), false)};
  }

  Result<NamedType> custom(std::size_t start) {
    if (next_is('(')) {
      int open = 0;
      do {
        if (text_[at_] == '(') ++open;
        if (text_[at_] == ')') --open;
      } while (++at_ < text_.size() && open > 0);
      if (open > 0) return wrong("')' expected");
    }
    std::string whole(text_.substr(start, at_ - start));
    while (!whole.empty() && whole.back() == ' ') whole.pop_back();
    if (whole.find('.') == std::string::npos) whole.insert(0, kPackage);
    return NamedType{custom_type(std::move(whole))};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_class_name(const Type& type) {
  return class_of(type, false);
}

std::string to_reversed_class_name(const Type& type) {
  return std::string(kPackage) + "ReversedType(" + class_of(type, false) + ")";
}

Result<NamedType> parse_class_name(std::string_view text) {
  if (text.size() > kMaxClassName)
    return error(Code::kInvalidArgument,
                 fmt::format("a class name of {} bytes, at most {}", text.size(), kMaxClassName));
  Parser parser(text);
  ASSIGN(auto named, parser.named(0));
  if (!parser.at_end())
    return error(Code::kInvalidArgument,
                 fmt::format("more follows the class name {}", text.substr(0, 200)));
  return named;
}

}  // namespace tailrace::cql_types
