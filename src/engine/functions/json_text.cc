// JSON text out of parsed values, and strict JSON out of lenient.
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "engine/functions/json_columns.h"
#include "engine/functions/json_quote.h"
#include "engine/functions/json_scan.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json(std::string& out, simdjson::dom::element value) {
  using simdjson::dom::element_type;
  char separator = 0;
  switch (value.type()) {
    case element_type::ARRAY:
      out += '[';
      for (const auto one : simdjson::dom::array(value)) {
        if (separator) out += separator;
        separator = ',';
        append_json(out, one);
      }
      out += ']';
      break;
    case element_type::OBJECT:
      out += '{';
      for (const auto& [key, one] : simdjson::dom::object(value)) {
        if (separator) out += separator;
        separator = ',';
        append_quoted(out, key);
        out += ':';
        append_json(out, one);
      }
      out += '}';
      break;
    case element_type::STRING: {
      const std::string_view text(value);
      text.starts_with(kBigNumber) ? void(out += big_number_text(text.substr(kBigNumber.size())))
                                   : append_quoted(out, text);
      break;
    }
    case element_type::INT64:
      out += std::to_string(std::int64_t(value));
      break;
    case element_type::UINT64:
      out += std::to_string(std::uint64_t(value));
      break;
    case element_type::DOUBLE:
      append_double(out, double(value));
      break;
    case element_type::BOOL:
      out += bool(value) ? "true" : "false";
      break;
    case element_type::NULL_VALUE:
      out += "null";
      break;
  }
}

namespace {

class Lenient {
 public:
  Lenient(std::string_view text, std::string& out) : text_(text), out_(out) {}

  bool run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        if (!quoted(c)) return false;
      } else if (c == '{' || c == '[' || c == '}' || c == ']') {
        depth_ += c == '{' || c == '[' ? 1 : -1;
        started_ = true;
        out_ += c;
        ++at_;
      } else if (c == ',' || c == ':' || std::isspace(static_cast<unsigned char>(c))) {
        out_ += c;
        ++at_;
      } else {
        word();
      }
      if (started_ && depth_ <= 0) return depth_ == 0;
    }
    return false;
  }

 private:
  bool quoted(char quote) {
    out_ += '"';
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) {
        out_ += '"';
        ++at_;
        started_ = true;
        return true;
      }
      if (c == '\\' && at_ + 1 < text_.size()) {
        if (text_[at_ + 1] != '\'' || quote != '\'') out_ += c;
        out_ += text_[++at_];
      } else {
        if (c == '"') out_ += '\\';
        out_ += c;
      }
    }
    return false;
  }

  /// A sound number that is too large for a DOUBLE: infinity there, and no fault of the text.
  static bool beyond_double(std::string_view word) {
    if (word.find_first_of("eE.") == std::string_view::npos || scan_json(word)) return false;
    return std::isinf(std::strtod(std::string(word).c_str(), nullptr));
  }

  void word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && !std::strchr(",:{}[]\"' \t\r\n", text_[at_])) ++at_;
    const auto word = text_.substr(start, at_ - start);
    started_ = true;
    const bool special = word == "NaN" || word == "Infinity" || word == "-Infinity" ||
                         word == "+INF" || word == "-INF" || word == "INF" || word == "+Infinity";
    const bool digits =
        word.find_first_not_of("0123456789", word[0] == '-' ? 1 : 0) == std::string_view::npos;
    const auto lead = word[0] == '-' ? 1U : 0U;
    if (special) {
      out_.append("\"").append(word).append("\"");
    } else if ((digits && word.size() > 18 && word[lead] != '0') || beyond_double(word)) {
      out_.append("\"\\u0001#").append(word).append("\"");
    } else {
      out_ += word;
    }
  }

  std::string_view text_;
  std::string& out_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool started_ = false;
};

}  // namespace

bool strict_json(std::string_view text, std::string& out) {
  out.clear();
  return Lenient(text, out).run();
}

}  // namespace tailrace::engine
