#include "schema/json_schema/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace tailrace::schema::json_schema {
namespace {

// ECMA-262's white space beyond RE2's, as members of a class.
constexpr std::string_view kSpaces = R"(\s\x{0b}\x{a0}\x{feff}\x{2028}\x{2029}\p{Zs})";
constexpr std::string_view kSpecial = R"(\^$.|?*+()[]{})";

// The text in RE2's syntax.
class Translation {
 public:
  explicit Translation(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\') {
        escape();
      } else if (c == '[' && !in_class_) {
        in_class_ = true;
        made_ += c;
        if (at_ < text_.size() && text_[at_] == '^') made_ += text_[at_++];
      } else if (c == '[') {
        made_ += "\\[";
      } else {
        if (c == ']') in_class_ = false;
        made_ += c;
        if (c == '(' && text_.substr(at_).starts_with("?<") && is_name_after(at_ + 2)) {
          made_ += "?P<";
          at_ += 2;
        }
      }
    }
    return std::move(made_);
  }

 private:
  bool is_name_after(std::size_t at) const {
    return at < text_.size() && text_[at] != '=' && text_[at] != '!';
  }

  void escape() {
    if (at_ >= text_.size()) return void(made_ += '\\');
    const char c = text_[at_++];
    if (c == 'u' && hex(at_, 4)) {
      made_ += "\\x{" + std::string(text_.substr(at_, 4)) + "}";
      at_ += 4;
    } else if (c == 'c' && at_ < text_.size() &&
               std::isalpha(static_cast<unsigned char>(text_[at_]))) {
      char code[16];
      std::snprintf(code, sizeof code, "\\x{%02x}", text_[at_++] & 31);
      made_ += code;
    } else if (c == 's') {
      made_ += in_class_ ? std::string(kSpaces) : "[" + std::string(kSpaces) + "]";
    } else if (c == 'S' && !in_class_) {
      made_ += "[^" + std::string(kSpaces) + "]";
    } else if (c == '0') {
      made_ += "\\x{00}";
    } else {
      made_ += '\\';
      made_ += c;
    }
  }

  bool hex(std::size_t at, std::size_t count) const {
    return text_.size() - at >= count && std::ranges::all_of(text_.substr(at, count), [](char c) {
             return std::isxdigit(static_cast<unsigned char>(c)) != 0;
           });
  }

  std::string_view text_;
  std::string made_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

re2::RE2::Options options() {
  re2::RE2::Options made;
  made.set_log_errors(false);
  made.set_max_mem(kMaxPatternMemory);
  return made;
}

}  // namespace

Pattern::Pattern(std::string_view text) {
  if (text.starts_with('^') && text.find_first_of(kSpecial, 1) == std::string_view::npos) {
    prefix_ = text.substr(1);
    is_prefix_ = true;
    return;
  }
  compiled_ = std::make_unique<re2::RE2>(Translation(text).run(), options());
  if (!compiled_->ok()) compiled_.reset();
}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

std::size_t Pattern::cost() const {
  if (is_prefix_) return 1;
  return compiled_ ? static_cast<std::size_t>(compiled_->ProgramSize()) : kMaxPatternMemory / 32;
}

bool Pattern::found_in(std::string_view text) const {
  if (is_prefix_) return text.starts_with(prefix_);
  return !compiled_ ||
         re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace tailrace::schema::json_schema
