#include "jinja/yaml_text.h"

#include <algorithm>
#include <array>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr int kDeepest = 100;

/// A plain text that YAML 1.1 would read as something else than a string.
bool means_other(const std::string& text) {
  constexpr std::array<std::string_view, 26> kWords = {
      "yes",   "Yes",   "YES",   "no", "No", "NO", "true", "True", "TRUE",
      "false", "False", "FALSE", "on", "On", "ON", "off",  "Off",  "OFF",
      "null",  "Null",  "NULL",  "~",  "<<", "=",  "",     "-"};
  if (std::find(kWords.begin(), kWords.end(), text) != kWords.end()) return true;
  const char first = text[0];
  const bool numeric =
      isdigit(static_cast<unsigned char>(first)) || first == '-' || first == '+' || first == '.';
  if (!numeric) return false;
  if (text.find_first_not_of("0123456789+-._eExXabcdefABCDEFoinfNaTtZz:") != std::string::npos) {
    return false;
  }
  if (to_float(Value(text)) || to_int(Value(text), 0)) return true;
  std::string plain = text;
  std::erase(plain, '_');
  if (to_float(Value(plain)) || to_int(Value(plain), 0)) return true;
  if (parse_by_format(text, "%Y-%m-%d")) return true;
  const std::string low = lower(text);
  return low == ".inf" || low == "-.inf" || low == "+.inf" || low == ".nan" ||
         (text.size() > 1 && text.find_first_not_of("0123456789:") == std::string::npos) ||
         (text.size() > 18 && text[4] == '-' && text[7] == '-' && text[13] == ':');
}

bool needs_quotes(const std::string& text) {
  if (means_other(text)) return true;
  if (is_space(text.front()) || is_space(text.back())) return true;
  constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
  if (kIndicators.find(text[0]) != std::string_view::npos) return true;
  const char first = text[0];
  if ((first == '-' || first == '?' || first == ':') && (text.size() == 1 || is_space(text[1])))
    return true;
  if (text.starts_with("---") || text.starts_with("...")) return true;
  return text.find(": ") != std::string::npos || text.find(" #") != std::string::npos ||
         text.ends_with(':');
}

bool needs_escapes(const std::string& text) {
  for (const auto c : characters(text))
    if (!is(CharacterKind::kPrintable, c) && c != " " && c != "\n") return true;
  return false;
}

std::string scalar(const std::string& text, bool ascii) {
  const bool wide =
      ascii && std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  if (!text.empty() && (wide || needs_escapes(text))) {
    std::string out = "\"";
    for (const auto c : characters(text)) {
      const char32_t point = code_point(c);
      constexpr std::string_view kShort = "\"\\\n\r\t\b\f", kLetters = "\"\\nrtbf";
      if (const auto known = kShort.find(c); c.size() == 1 && known != std::string_view::npos) {
        out += '\\';
        out += kLetters[known];
      } else if (point >= 0x20 && point < 0x7f) {
        out += c;
      } else {
        char buffer[16];
        std::snprintf(buffer, sizeof buffer,
                      point < 0x100     ? "\\x%02X"
                      : point < 0x10000 ? "\\u%04X"
                                        : "\\U%08X",
                      static_cast<unsigned>(point));
        out += buffer;
      }
    }
    return out + "\"";
  }
  if (text.find('\n') == std::string::npos && !text.empty() && !needs_quotes(text)) return text;
  std::string out = replaced(text, "'", "''", -1);
  return "'" + replaced(out, "\n", "\n\n", -1) + "'";
}

class Writer {
 public:
  Writer(bool sort_keys, bool ascii, std::size_t indent)
      : sort_keys_(sort_keys), ascii_(ascii), indent_(indent) {}
  std::string out;

  /// A value at the end of a line that is begun: after `key:` or `-`.
  Status write(const Value& value, std::size_t indent, bool in_dict, int depth) {
    if (depth > kDeepest) return raised("RecursionError", "maximum recursion depth exceeded");
    TRY(defined(value));
    TRY(spend(1));
    if (const auto* list = value.list()) return sequence(*list, indent, in_dict, depth);
    if (const auto* tuple = value.tuple()) return sequence(tuple->items, indent, in_dict, depth);
    if (const auto* dict = value.dict()) return mapping(*dict, indent, in_dict, depth);
    ASSIGN(std::string text, plain(value));
    // A line break is an empty line, and what follows is indented.
    if (text.find('\n') != std::string::npos)
      text = replaced(text, "\n\n", "\n\n" + std::string(std::max(indent, indent_), ' '), -1);
    out += (depth > 0 ? " " : "") + text + "\n";
    return spend_bytes(text.size());
  }

 private:
  Result<std::string> plain(const Value& value) const {
    if (value.is_none()) return std::string("null");
    if (const bool* truth = value.boolean()) return std::string(*truth ? "true" : "false");
    if (value.integer()) return value.text();
    if (const double* real = value.real()) {
      std::string text = float_repr(*real);
      if (text == "inf" || text == "-inf" || text == "nan")
        return replaced(replaced(text, "inf", ".inf", 1), "nan", ".nan", 1);
      const std::size_t e = text.find('e');
      if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
      return text;
    }
    if (const auto* text = value.string()) return scalar(*text, ascii_);
    const auto time = time_value(value);
    if (time && !time->pendulum && time->kind != DateTime::Kind::kTime) return time->text();
    return raised("RepresenterError", "('cannot represent an object', " + value.repr() + ")");
  }

  Status sequence(const List& list, std::size_t indent, bool in_dict, int depth) {
    if (list.empty()) {
      out += depth > 0 ? " []\n" : "[]\n";
      return {};
    }
    // In a dict a list stands at its key's column; in a list it begins on the dash's line.
    bool first = depth > 0 && !in_dict;
    if (in_dict) out += "\n";
    for (const Value& item : list) {
      out += (first ? " " : std::string(indent, ' ')) + "-";
      first = false;
      TRY(write(item, indent + indent_, false, depth + 1));
    }
    return {};
  }

  Status mapping(const Dict& dict, std::size_t indent, bool in_dict, int depth) {
    if (dict.size() == 0) {
      out += depth > 0 ? " {}\n" : "{}\n";
      return {};
    }
    List keys;
    for (const auto& [key, value] : dict.items()) keys.push_back(key);
    if (sort_keys_) {
      auto in_order = sorted(
          keys, [](const Value& key) -> Result<Value> { return key; }, false);
      if (in_order) keys = std::move(*in_order);
    }
    bool first = depth > 0 && !in_dict;
    if (in_dict) out += "\n";
    for (const Value& key : keys) {
      ASSIGN(const std::string name, plain(key));
      out += (first ? " " : std::string(indent, ' ')) + name + ":";
      first = false;
      const Value& held = *dict.find(key);
      const bool list = held.list() || held.tuple();
      TRY(write(held, list ? indent : indent + indent_, true, depth + 1));
    }
    return {};
  }

  bool sort_keys_, ascii_;
  std::size_t indent_;
};

}  // namespace

Result<Value> yaml_dump(const List& arguments, const Object::Named& named) {
  ASSIGN(const auto given, bind("dump", arguments, named,
                                {"data",
                                 {"default_flow_style", false},
                                 {"sort_keys", true},
                                 {"allow_unicode", false},
                                 {"indent", 2}}));
  if (given[1].truth())
    return raised("TypeError", "yaml.dump writes block style here", Code::kUnimplemented);
  const std::int64_t indent = std::clamp<std::int64_t>(given[4].index().value_or(2), 2, 9);
  Writer writer(given[2].truth(), !given[3].truth(), static_cast<std::size_t>(indent));
  TRY(writer.write(given[0], 0, false, 0));
  return Value(std::move(writer.out));
}

}  // namespace tailrace::jinja
