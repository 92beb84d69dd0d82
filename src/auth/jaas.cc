#include "auth/jaas.h"

#include <cctype>

namespace tailrace::auth {
namespace {

/// Words, quoted texts and the signs '=' and ';'.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// Empty at the end; a quoted text that does not end is taken to the end.
  std::string next() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) {
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return {};
    if (rest_[0] == '"' || rest_[0] == '\'') return quoted();
    std::size_t size = 0;
    while (size < rest_.size() && !ends(rest_[size])) ++size;
    if (size == 0) size = 1;
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return word;
  }

 private:
  static bool ends(char c) {
    return c == '=' || c == ';' || c == '"' || std::isspace(static_cast<unsigned char>(c)) != 0;
  }

  std::string quoted() {
    const char quote = rest_[0];
    std::string text;
    std::size_t i = 1;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    rest_.remove_prefix(std::min(rest_.size(), i + 1));
    return text;
  }

  std::string_view rest_;
};

}  // namespace

Result<LoginModule> parse_jaas(std::string_view text) {
  Scanner scanner(text);
  LoginModule out;
  out.module = scanner.next();
  const auto flag = scanner.next();
  if (out.module.empty() ||
      (flag != "required" && flag != "requisite" && flag != "sufficient" && flag != "optional")) {
    return error(Code::kInvalidArgument, "MODULE required NAME=\"VALUE\" …; is expected");
  }
  for (;;) {
    const auto name = scanner.next();
    if (name == ";") return out;
    if (name.empty()) return error(Code::kInvalidArgument, "it does not end with ;");
    if (scanner.next() != "=") {
      return error(Code::kInvalidArgument, "= is expected after the option " + name);
    }
    out.options[name] = scanner.next();
  }
}

}  // namespace tailrace::auth
