// The reader of JSON texts: RFC 8259, numbers kept as written.
#include <fmt/format.h>

#include "cql_types/json.h"

namespace tailrace::cql_types {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> whole() {
    ASSIGN(auto json, value(0));
    return json;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return error(Code::kInvalidArgument,
                 fmt::format("Error decoding JSON string: {} at byte {}", what, at_ + 1));
  }

  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  bool take(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Json> value(int depth) {
    if (depth > kMaxJsonDepth) return wrong("more than 64 levels");
    skip();
    Json json;
    if (at_ == text_.size()) return wrong("the text ends where a value belongs");
    if (take('{')) return object(depth);
    if (take('[')) return list(depth);
    if (take('"')) {
      json.kind = Json::Kind::kString;
      ASSIGN(json.text, string());
      return json;
    }
    if (take_word("null")) return ended(std::move(json));
    json.kind = Json::Kind::kBoolean;
    if (take_word("false")) return ended(std::move(json));
    json.boolean = take_word("true");
    if (json.boolean) return ended(std::move(json));
    json.kind = Json::Kind::kNumber;
    ASSIGN(json.text, number());
    // Within lists and objects the comma or the end is looked for anyway.
    if (depth == 0 && at_ < text_.size() && !is_space(text_[at_]))
      return wrong("a space or the end expected");
    return json;
  }

  // A word must not run into another.
  Result<Json> ended(Json json) {
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    if (is_digit(next) || ((next | 32) >= 'a' && (next | 32) <= 'z') || next == '_' || next == '$')
      return wrong("an unknown word");
    return json;
  }

  Result<Json> list(int depth) {
    Json json;
    json.kind = Json::Kind::kList;
    if (take(']')) return json;
    do {
      ASSIGN(auto item, value(depth + 1));
      json.items.push_back(std::move(item));
    } while (take(','));
    if (!take(']')) return wrong("',' or ']' expected");
    return json;
  }

  Result<Json> object(int depth) {
    Json json;
    json.kind = Json::Kind::kObject;
    if (take('}')) return json;
    std::map<std::string, std::size_t, std::less<>> places;
    do {
      if (!take('"')) return wrong("a name in double quotes expected");
      ASSIGN(auto name, string());
      if (!take(':')) return wrong("':' expected");
      ASSIGN(auto member, value(depth + 1));
      const auto [place, is_new] = places.try_emplace(name, json.members.size());
      if (is_new)
        json.members.emplace_back(std::move(name), std::move(member));
      else
        json.members[place->second].second = std::move(member);
    } while (take(','));
    if (!take('}')) return wrong("',' or '}' expected");
    return json;
  }

  bool hex4(std::uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      const char lower = static_cast<char>(c | 32);
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) return false;
      code = code << 4 | static_cast<std::uint32_t>(is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  Status escape(std::string& out) {
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) return wrong("a string does not end");
    const char c = text_[at_++];
    if (const auto i = kFrom.find(c); i != kFrom.npos) {
      out += kTo[i];
      return {};
    }
    std::uint32_t code = 0, low = 0;
    if (c != 'u' || !hex4(code)) return wrong("an unknown escape");
    if (code >= 0xD800 && code < 0xDC00 && take_word("\\u")) {
      if (!hex4(low) || low < 0xDC00 || low > 0xDFFF) return wrong("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code < 0xE000) code = '?';  // as Java encodes half a pair
    append_utf8(out, code);
    return {};
  }

  Result<std::string> string() {
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) return wrong("a control character in a string");
      if (c == '\\')
        TRY(escape(out));
      else
        out += c;
    }
    return wrong("a string does not end");
  }

  bool digits() {
    const auto start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > start;
  }

  Result<std::string> number() {
    const auto start = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const auto first = at_;
    if (!digits()) return wrong("a value expected");
    if (text_[first] == '0' && at_ - first > 1) return wrong("a number with a leading zero");
    if (take_word(".") && !digits()) return wrong("digits expected");
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return wrong("digits expected");
    }
    if (at_ - start > 1'000) return wrong("a number of more than 1,000 characters");
    return std::string(text_.substr(start, at_ - start));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool Json::is_integer() const {
  return kind == Kind::kNumber && text.find_first_of(".eE") == std::string::npos;
}

// What follows the value is not read, as in Cassandra.
Result<Json> parse_json(std::string_view text) {
  if (text.size() > kMaxJsonText)
    return error(
        Code::kInvalidArgument,
        fmt::format("Error decoding JSON string: {} bytes, at most {}", text.size(), kMaxJsonText));
  return Parser(text).whole();
}

}  // namespace tailrace::cql_types
