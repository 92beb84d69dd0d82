// Python's literals, as ast.literal_eval reads them: what a native rendering makes of its text.
#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

constexpr int kDeepest = 100;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Value> run() {
    // An indented expression is a SyntaxError to Python's parser.
    if (text_.empty() || text_[0] == ' ' || text_[0] == '\t') return fail();
    ASSIGN(Value first, value(0));
    blanks(false);
    if (at_ < text_.size() && text_[at_] == ',') {
      List items = {std::move(first)};
      while (skip(",")) {
        blanks(false);
        if (at_ == text_.size()) break;
        ASSIGN(Value next, value(0));
        items.push_back(std::move(next));
        blanks(false);
      }
      first = Value(Tuple{std::move(items)});
    }
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ != text_.size()) return fail();
    return first;
  }

 private:
  static std::unexpected<Error> fail() { return raised("SyntaxError", "not a literal"); }

  /// Blanks; inside brackets line breaks, too.
  void blanks(bool lines) {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || (lines && is_space(text_[at_]))))
      ++at_;
  }

  bool skip(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  static bool is_word(char c) {
    return isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
  }

  bool word(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    if (at_ + what.size() < text_.size() && is_word(text_[at_ + what.size()])) return false;
    at_ += what.size();
    return true;
  }

  Result<Value> value(int depth) {
    if (depth > kDeepest || at_ == text_.size()) return fail();
    const char c = text_[at_];
    if (c == '[') {
      ASSIGN(List items, list(']', depth));
      return Value(std::move(items));
    }
    if (c == '(') return parenthesised(depth);
    if (c == '{') return dict(depth);
    if (c == '"' || c == '\'' ||
        ((c == 'r' || c == 'u' || c == 'R' || c == 'U') && at_ + 1 < text_.size() &&
         (text_[at_ + 1] == '"' || text_[at_ + 1] == '\'')))
      return strings();
    if (word("None")) return Value();
    if (word("True")) return Value(true);
    if (word("False")) return Value(false);
    if (c == '-' || c == '+') {
      ++at_;
      blanks(false);
      if (at_ == text_.size() ||
          !(isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.'))
        return fail();
      ASSIGN(const Value made, number());
      return c == '-' ? negate(made) : Result<Value>(made);
    }
    return number();
  }

  Result<Value> number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (is_word(text_[at_]) || text_[at_] == '.' ||
            ((text_[at_] == '+' || text_[at_] == '-') && at_ > begin &&
             (text_[at_ - 1] | 0x20) == 'e' && text_.substr(begin, 2) != "0x")))
      ++at_;
    const std::string part(text_.substr(begin, at_ - begin));
    if (part.empty() ||
        !(isdigit(static_cast<unsigned char>(part[0])) || (part[0] == '.' && part.size() > 1)))
      return fail();
    const bool based = part.size() > 1 && part[0] == '0' &&
                       isalpha(static_cast<unsigned char>(part[1])) && (part[1] | 0x20) != 'e';
    if (!based && part.find_first_of(".eE") != std::string::npos) return to_float(Value(part));
    return to_int(Value(part), 0);
  }

  Result<Value> strings() {
    std::string out;
    bool some = false;
    while (true) {
      bool raw = false;
      if (at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\'') &&
          isalpha(static_cast<unsigned char>(text_[at_]))) {
        raw = (text_[at_] | 0x20) == 'r';
        if (!raw && (text_[at_] | 0x20) != 'u') return fail();
        ++at_;
      }
      if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) break;
      some = true;
      const std::string quote = text_.substr(at_).starts_with(std::string(3, text_[at_]))
                                    ? std::string(3, text_[at_])
                                    : std::string(1, text_[at_]);
      at_ += quote.size();
      std::size_t end = at_;
      while (end < text_.size() && !text_.substr(end).starts_with(quote)) {
        if (quote.size() == 1 && text_[end] == '\n') return fail();
        end += text_[end] == '\\' ? 2 : 1;
      }
      if (end >= text_.size()) return fail();
      const std::string_view part = text_.substr(at_, end - at_);
      if (raw) {
        out += part;
      } else {
        ASSIGN(const std::string made, unescaped(part, 0));
        out += made;
      }
      at_ = end + quote.size();
      blanks(false);
    }
    if (!some) return fail();
    return Value(std::move(out));
  }

  Result<List> list(char close, int depth) {
    ++at_;
    List out;
    while (true) {
      blanks(true);
      if (skip(std::string_view(&close, 1))) return out;
      ASSIGN(Value item, value(depth + 1));
      out.push_back(std::move(item));
      blanks(true);
      comma_ = skip(",");
      blanks(true);
      if (!comma_ && (at_ == text_.size() || text_[at_] != close)) return fail();
    }
  }

  Result<Value> parenthesised(int depth) {
    ASSIGN(List items, list(')', depth));
    if (items.size() == 1 && !comma_) return std::move(items[0]);
    return Value(Tuple{std::move(items)});
  }

  Result<Value> dict(int depth) {
    ++at_;
    Dict out;
    while (true) {
      blanks(true);
      if (skip("}")) return Value(std::move(out));
      ASSIGN(Value key, value(depth + 1));
      blanks(true);
      // A set is a literal to Python, and no value here.
      if (!skip(":") || !key.hashable()) return fail();
      blanks(true);
      ASSIGN(Value held, value(depth + 1));
      out.set(std::move(key), std::move(held));
      blanks(true);
      if (!skip(",") && (at_ == text_.size() || text_[at_] != '}')) return fail();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool comma_ = false;
};

}  // namespace

Result<Value> parse_literal(std::string_view text) {
  return Reader(text).run();
}

}  // namespace tailrace::jinja
