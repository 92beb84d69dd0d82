// A JSON text read token by token, with no tree in between: where its tokens begin is found by
// simdjson's first stage (which also checks UTF-8 and control characters), what they are is read
// here.
//
// Whoever reads gives up at anything that is not plain (an error, a number of more than 18 digits,
// a name twice): the text is then parsed as a whole by JsonDocument, which decides. So what is
// read here is read as it would have been there, and never more than that.
#pragma once

#include <simdjson.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tailrace::engine {

/// Kinds of values as bits. A whole number is an integer; 1.0 is a real here.
enum JsonKind : std::uint8_t {
  kJsonNull = 1,
  kJsonBool = 2,
  kJsonReal = 4,
  kJsonInteger = 8,
  kJsonText = 16,
  kJsonList = 32,
  kJsonObject = 64,
};
inline constexpr std::uint8_t kJsonAny = 127;

/// What a schema asks of a value, where that can be told while it is read. Pointers are to demands
/// that live as long; null asks nothing.
struct JsonDemand {
  struct Member {
    const JsonDemand* value = nullptr;
    std::uint64_t required = 0;  ///< its bit, when it may not be missing
  };

  std::uint8_t kinds = kJsonAny;
  std::int64_t min_chars = 0, max_chars = INT64_MAX;
  std::int64_t minimum = INT64_MIN, maximum = INT64_MAX;  ///< within 2^53, or these
  std::function<bool(std::string_view)> fits = {};        ///< of texts, when there is more to ask
  bool others_than_text = true;                           ///< false: `fits` says no of all others
  const JsonDemand* items = nullptr;
  std::map<std::string, Member, std::less<>> members = {};
  const JsonDemand* others = nullptr;  ///< of members without a name in `members`
  std::uint64_t required = 0;          ///< all bits of `members`

  bool takes(JsonKind kind) const { return (kinds & kind) != 0 && others_than_text; }
  Member member(std::string_view name) const {
    const auto found = members.find(name);
    return found == members.end() ? Member{others, 0} : found->second;
  }
};

/// A value that is no list and no object.
struct JsonScalar {
  JsonKind kind = kJsonNull;
  bool truth = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;  ///< unescaped; of numbers and words, as they stand
};

class JsonTokens {
 public:
  /// Begins a text, which must stay; false when it is to be parsed as a whole.
  bool begin(std::string_view text);

  /// The first byte of the token that is next; 0 at the end.
  char peek() const { return at_ < end_ ? text_[*at_] : '\0'; }
  bool done() const { return at_ == end_; }
  void next() { ++at_; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  /// The string that is next, unescaped; it stands until the next one is taken.
  bool take_text(std::string_view& text);
  /// A name and its colon.
  bool take_name(std::string_view& name) { return peek() == '"' && take_text(name) && take(':'); }
  bool take_scalar(JsonScalar& value);
  /// Takes a value that nobody reads; false when it is not plain, or not as demanded.
  bool skip(const JsonDemand* demand, int depth = 0);

  static bool meets(const JsonDemand* demand, const JsonScalar& value) {
    return !demand || meets_all(*demand, value);
  }

 private:
  static bool meets_all(const JsonDemand& demand, const JsonScalar& value);
  bool unescape(std::string_view& text);
  bool take_number(JsonScalar& value);
  bool take_word(JsonScalar& value, std::string_view word);
  bool ends_at(const char* place) const;

  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
  std::size_t capacity_ = 0;
  const char* text_ = nullptr;
  std::size_t size_ = 0;
  bool escapes_ = false;
  const std::uint32_t* at_ = nullptr;
  const std::uint32_t* end_ = nullptr;
  std::string escaped_, unescaped_;
};

inline bool JsonTokens::take_text(std::string_view& text) {
  const std::size_t begin = *at_ + 1;
  ++at_;
  std::size_t last = *at_ - 1;  // Behind the last token stands the text's size.
  while (last >= begin && text_[last] != '"') --last;
  if (last < begin) return false;
  text = {text_ + begin, last - begin};
  return !escapes_ || unescape(text);
}

}  // namespace tailrace::engine
