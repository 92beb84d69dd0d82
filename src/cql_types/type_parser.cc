#include "cql_types/type_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_types/class_name.h"

namespace tailrace::cql_types {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool can_be_frozen(const RawType& raw) {
  return !is_native(raw.kind) && raw.kind != Kind::kCustom;
}
bool is_frozen(const RawType& raw) {
  return raw.frozen || raw.kind == Kind::kTuple || raw.kind == Kind::kVector;
}

std::optional<Kind> native_kind(std::string_view name) {
  if (name == "varchar") return Kind::kText;
  for (int i = 0; is_native(static_cast<Kind>(i)); ++i)
    if (native_name(static_cast<Kind>(i)) == name) return static_cast<Kind>(i);
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }

  Result<RawType> type(int depth) {
    if (depth > kMaxTypeDepth) return wrong("types are more than 32 deep");
    skip();
    if (at_ < text_.size() && text_[at_] == '\'') return custom();
    bool quoted = false;
    ASSIGN(auto word, identifier(quoted));
    if (!quoted) {
      if (word == "frozen") return frozen_type(depth);
      if (word == "list" && next_is('<')) return with_parameters(Kind::kList, 1, depth);
      if (word == "set" && next_is('<')) return with_parameters(Kind::kSet, 1, depth);
      if (word == "map" && next_is('<')) return with_parameters(Kind::kMap, 2, depth);
      if (word == "tuple" && next_is('<')) return with_parameters(Kind::kTuple, 0, depth);
      if (word == "vector" && next_is('<')) return vector_type(depth);
      if (const auto kind = native_kind(word); kind && !next_is('.')) {
        RawType raw;
        raw.kind = *kind;
        raw.varchar = word == "varchar";
        return raw;
      }
    }
    return user_type_named(std::move(word), quoted);
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return error(Code::kInvalidArgument,
                 fmt::format("{} at column {} of type {}", what, at_ + 1, text_.substr(0, 200)));
  }

  void skip() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
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

  Result<std::string> identifier(bool& quoted) {
    skip();
    std::string word;
    quoted = at_ < text_.size() && text_[at_] == '"';
    if (quoted) {
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '"' && (at_ + 1 == text_.size() || text_[at_ + 1] != '"')) break;
        if (text_[at_] == '"') ++at_;
        word += text_[at_];
      }
      if (at_ == text_.size()) return wrong("a quoted name does not end");
      ++at_;
    } else if (at_ < text_.size() && is_letter(text_[at_])) {
      for (; at_ < text_.size(); ++at_) {
        const char c = text_[at_];
        if (!is_letter(c) && !is_digit(c) && c != '_') break;
        word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      }
    }
    if (word.empty()) return wrong("the name of a type expected");
    return word;
  }

  Result<RawType> custom() {
    RawType raw;
    raw.kind = Kind::kCustom;
    const auto end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return wrong("a class name does not end");
    raw.name = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return raw;
  }

  Result<RawType> frozen_type(int depth) {
    TRY(expect('<'));
    ASSIGN(auto raw, type(depth + 1));
    TRY(expect('>'));
    TRY(freeze(raw));
    return raw;
  }

  // `count` parameters, or one and more where it is 0.
  Result<RawType> with_parameters(Kind kind, std::size_t count, int depth) {
    RawType raw;
    raw.kind = kind;
    TRY(expect('<'));
    do {
      ASSIGN(auto parameter, type(depth + 1));
      raw.parameters.push_back(std::move(parameter));
    } while (next_is(',') && (count == 0 || raw.parameters.size() < count) && ++at_);
    TRY(expect('>'));
    if (count != 0 && raw.parameters.size() != count) return wrong("a map has a key and a value");
    if (kind == Kind::kTuple)
      for (auto& parameter : raw.parameters)
        if (can_be_frozen(parameter)) TRY(freeze(parameter));
    return raw;
  }

  Result<RawType> vector_type(int depth) {
    RawType raw;
    raw.kind = Kind::kVector;
    TRY(expect('<'));
    ASSIGN(auto element, type(depth + 1));
    raw.parameters.push_back(std::move(element));
    TRY(expect(','));
    skip();
    const auto start = at_;
    while (at_ < text_.size() && is_digit(text_[at_]) && at_ - start < 10)
      raw.dimension = raw.dimension * 10 + (text_[at_++] - '0');
    if (at_ == start) return wrong("a vector's number of dimensions expected");
    TRY(expect('>'));
    return raw;
  }

  Result<RawType> user_type_named(std::string word, bool word_quoted) {
    RawType raw;
    raw.kind = Kind::kUserType;
    if (next_is('.')) {
      ++at_;
      raw.keyspace = std::move(word);
      ASSIGN(word, identifier(word_quoted));
    }
    if (!word_quoted && is_reserved_word(word))
      return wrong(fmt::format("{} is a reserved word", word));
    raw.name = std::move(word);
    return raw;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::unexpected<Error> refused(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

Status check_part(const RawType& whole, const RawType& part) {
  if (!whole.frozen && can_be_frozen(part) && !is_frozen(part)) {
    if (is_collection(part.kind))
      return refused("Non-frozen collections are not allowed inside collections: " + whole.text());
    return refused("Non-frozen UDTs are not allowed inside collections: " + whole.text());
  }
  if (part.kind == Kind::kCounter)
    return refused("Counters are not allowed inside collections: " + whole.text());
  return {};
}

Status check_collection(const RawType& raw) {
  const RawType& value = raw.parameters.back();
  TRY(check_part(raw, value));
  if (value.kind == Kind::kDuration && raw.kind == Kind::kSet)
    return refused("Durations are not allowed inside sets: " + raw.text());
  if (raw.kind != Kind::kMap) return {};
  const RawType& key = raw.parameters[0];
  if (key.kind == Kind::kCounter) return check_part(raw, key);
  if (key.kind == Kind::kDuration)
    return refused("Durations are not allowed as map keys: " + raw.text());
  return check_part(raw, key);
}

Result<TypePtr> resolve_user_type(const RawType& raw, std::string_view keyspace,
                                  const UserTypes& user_types) {
  if (raw.keyspace && *raw.keyspace != keyspace)
    return refused(
        fmt::format("Statement on keyspace {0} cannot refer to a user type in keyspace "
                    "{1}; user types can only be used in the keyspace they are defined in",
                    keyspace, *raw.keyspace));
  TypePtr type = user_types ? user_types(keyspace, raw.name) : nullptr;
  if (!type) return refused(fmt::format("Unknown type {}.{}", keyspace, raw.name));
  return raw.frozen ? frozen(type) : type;
}

}  // namespace

std::string RawType::text() const {
  std::string inner;
  for (const auto& parameter : parameters) {
    if (!inner.empty()) inner += ", ";
    inner += parameter.text();
  }
  std::string whole;
  switch (kind) {
    case Kind::kList:
      whole = "list<" + inner + ">";
      break;
    case Kind::kSet:
      whole = "set<" + inner + ">";
      break;
    case Kind::kMap:
      whole = "map<" + inner + ">";
      break;
    case Kind::kTuple:
      return "tuple<" + inner + ">";
    case Kind::kVector:
      return "vector<" + inner + ", " + std::to_string(dimension) + ">";
    case Kind::kUserType:
      whole = keyspace ? *keyspace + "." + name : name;
      break;
    case Kind::kCustom:
      return "'" + name + "'";
    default:
      return varchar ? "varchar" : std::string(native_name(kind));
  }
  return frozen ? "frozen<" + whole + ">" : whole;
}

Status freeze(RawType& type) {
  if (!can_be_frozen(type))
    return refused("frozen<> is only allowed on collections, tuples, and user-defined types (got " +
                   type.text() + ")");
  if (is_collection(type.kind))
    for (auto& parameter : type.parameters)
      if (can_be_frozen(parameter)) TRY(freeze(parameter));
  type.frozen = true;
  return {};
}

Result<RawType> parse_raw_type(std::string_view text, std::size_t& used) {
  if (text.size() > kMaxTypeText)
    return refused(fmt::format("a type of {} bytes, at most {}", text.size(), kMaxTypeText));
  Parser parser(text);
  auto raw = parser.type(0);
  used = parser.at();
  return raw;
}

Result<TypePtr> resolve(const RawType& raw, std::string_view keyspace,
                        const UserTypes& user_types) {
  if (is_native(raw.kind)) return native_type(raw.kind);
  if (raw.kind == Kind::kCustom) {
    ASSIGN(auto named, parse_class_name(raw.name));
    return named.type;
  }
  if (raw.kind == Kind::kUserType) return resolve_user_type(raw, keyspace, user_types);
  if (is_collection(raw.kind)) TRY(check_collection(raw));
  std::vector<TypePtr> parameters;
  for (const auto& parameter : raw.parameters) {
    if (raw.kind == Kind::kTuple && parameter.kind == Kind::kCounter)
      return refused("Counters are not allowed inside tuples");
    ASSIGN(auto resolved, resolve(parameter, keyspace, user_types));
    parameters.push_back(std::move(resolved));
  }
  switch (raw.kind) {
    case Kind::kList:
      return list_of(parameters[0], raw.frozen);
    case Kind::kSet:
      return set_of(parameters[0], raw.frozen);
    case Kind::kMap:
      return map_of(parameters[0], parameters[1], raw.frozen);
    case Kind::kTuple:
      return tuple_of(std::move(parameters));
    default:
      break;
  }
  if (raw.dimension <= 0)
    return refused(
        fmt::format("vectors may only have positive dimensions; given {}", raw.dimension));
  if (raw.dimension > kMaxVectorDimension)
    return refused(
        fmt::format("a vector of {} dimensions, at most {}", raw.dimension, kMaxVectorDimension));
  return vector_of(parameters[0], static_cast<int>(raw.dimension));
}

Result<TypePtr> parse_type(std::string_view text, std::string_view keyspace,
                           const UserTypes& user_types) {
  std::size_t used = 0;
  ASSIGN(auto raw, parse_raw_type(text, used));
  while (used < text.size() && is_blank(text[used])) ++used;
  if (used < text.size())
    return refused(fmt::format("the type ends at column {} of {}", used + 1, text.substr(0, 200)));
  return resolve(raw, keyspace, user_types);
}

}  // namespace tailrace::cql_types
