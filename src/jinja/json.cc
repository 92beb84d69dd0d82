#include "jinja/json.h"

#include <charconv>
#include <cmath>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr int kDeepest = 500;

std::string quoted(std::string_view text, bool ascii) {
  std::string out = "\"";
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto escape = [&](char32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
  };
  for (const auto character : characters(text)) {
    const char32_t point = code_point(character);
    constexpr std::string_view kShort = "\"\\\n\r\t\b\f", kLetters = "\"\\nrtbf";
    if (const auto known = kShort.find(character);
        character.size() == 1 && known != std::string_view::npos) {
      out += '\\';
      out += kLetters[known];
    } else if (point < 0x20 || (ascii && point > 0x7e && point < 0x10000 && point != 0x7f)) {
      escape(point);
    } else if (ascii && point >= 0x10000) {
      escape(0xD800 + ((point - 0x10000) >> 10));
      escape(0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      out += character;
    }
  }
  return out + '"';
}

class Writer {
 public:
  explicit Writer(const JsonStyle& style) : style_(style) {}

  Status write(const Value& value, int depth) {
    if (depth > kDeepest)
      return raised("RecursionError",
                    "maximum recursion depth exceeded while encoding a JSON object");
    TRY(defined(value));
    TRY(spend(1));
    if (value.is_none()) return put("null");
    if (const bool* truth = value.boolean()) return put(*truth ? "true" : "false");
    if (const auto* whole = value.integer()) return put(std::to_string(*whole));
    if (const double* real = value.real()) return put(number(*real));
    if (const auto* text = value.string()) return put(quoted(*text, style_.ensure_ascii));
    if (const auto* items = value.list()) return list(*items, depth);
    if (const auto* items = value.tuple()) return list(items->items, depth);
    if (const auto* items = value.dict()) return dict(*items, depth);
    if (style_.fallback && depth < kDeepest) {
      ASSIGN(const Value made, call(*style_.fallback, {value}, {}));
      return write(made, depth + 50);
    }
    return type_error("Object of type " + value.type_name() + " is not JSON serializable");
  }

  std::string out;

 private:
  Status put(const std::string& text) {
    out += text;
    if (budget() && out.size() > budget()->max_output) return spend_bytes(out.size());
    return spend(static_cast<std::int64_t>(text.size() / 16));
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_repr(value);
  }

  Status line(int depth) {
    if (!style_.indent) return {};
    std::string text = "\n";
    for (int i = 0; i < depth; ++i) text += *style_.indent;
    return put(text);
  }

  Status list(const List& items, int depth) {
    if (items.empty()) return put("[]");
    TRY(put("["));
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) TRY(put(style_.item_separator));
      TRY(line(depth + 1));
      TRY(write(items[i], depth + 1));
    }
    TRY(line(depth));
    return put("]");
  }

  static Result<std::string> key_text(const Value& key) {
    if (const auto* text = key.string()) return *text;
    if (key.is_none()) return std::string("null");
    if (const bool* truth = key.boolean()) return std::string(*truth ? "true" : "false");
    if (const double* real = key.real()) return number(*real);
    if (const auto* whole = key.integer()) return std::to_string(*whole);
    return type_error("keys must be str, int, float, bool or None, not " + key.type_name());
  }

  Status dict(const Dict& dict, int depth) {
    if (dict.size() == 0) return put("{}");
    List keys;
    for (const auto& [key, value] : dict.items()) keys.push_back(key);
    if (style_.sort_keys) {
      ASSIGN(keys, sorted(
                       keys, [](const Value& key) -> Result<Value> { return key; }, false));
    }
    TRY(put("{"));
    bool first = true;
    for (const Value& key : keys) {
      if (!first) TRY(put(style_.item_separator));
      first = false;
      TRY(line(depth + 1));
      ASSIGN(const std::string name, key_text(key));
      TRY(put(quoted(name, style_.ensure_ascii) + style_.key_separator));
      TRY(write(*dict.find(key), depth + 1));
    }
    TRY(line(depth));
    return put("}");
  }

  const JsonStyle& style_;
};

// --- reading -------------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Value> run() {
    blanks();
    ASSIGN(Value made, value(0));
    blanks();
    if (at_ != text_.size()) return fail("Extra data", at_);
    return made;
  }

 private:
  std::unexpected<Error> fail(const std::string& what, std::size_t at) const {
    std::size_t line = 1, column = 1;
    for (const auto character : characters(text_.substr(0, at))) {
      ++column;
      if (character == "\n") ++line, column = 1;
    }
    return raised("JSONDecodeError",
                  what + ": line " + std::to_string(line) + " column " + std::to_string(column) +
                      " (char " + std::to_string(character_count(text_.substr(0, at))) + ")");
  }

  void blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool skip(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Value> value(int depth) {
    if (depth > kDeepest)
      return raised("RecursionError",
                    "maximum recursion depth exceeded while decoding a JSON object");
    TRY(spend(1));
    if (at_ == text_.size()) return fail("Expecting value", at_);
    switch (text_[at_]) {
      case '"':
        return string();
      case '[':
        return list(depth);
      case '{':
        return dict(depth);
      default:
        break;
    }
    if (skip("null")) return Value();
    if (skip("true")) return Value(true);
    if (skip("false")) return Value(false);
    if (skip("NaN")) return Value(std::nan(""));
    if (skip("Infinity")) return Value(HUGE_VAL);
    if (skip("-Infinity")) return Value(-HUGE_VAL);
    return number();
  }

  Result<Value> number() {
    const std::size_t begin = at_;
    std::size_t i = at_;
    const auto digit = [&](std::size_t k) {
      return k < text_.size() && text_[k] >= '0' && text_[k] <= '9';
    };
    if (i < text_.size() && text_[i] == '-') ++i;
    if (!digit(i)) return fail("Expecting value", begin);
    if (text_[i] == '0')
      ++i;
    else
      while (digit(i)) ++i;
    bool real = false;
    if (i < text_.size() && text_[i] == '.' && digit(i + 1)) {
      real = true;
      for (++i; digit(i);) ++i;
    }
    if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
      std::size_t k = i + 1;
      if (k < text_.size() && (text_[k] == '+' || text_[k] == '-')) ++k;
      if (digit(k)) {
        real = true;
        for (i = k; digit(i);) ++i;
      }
    }
    at_ = i;
    const std::string part(text_.substr(begin, i - begin));
    if (real) return Value(parse_double(part));
    std::int64_t whole = 0;
    if (std::from_chars(part.data(), part.data() + part.size(), whole).ec != std::errc{})
      return raised("OverflowError", part + " is more than 64 bits hold", Code::kOutOfRange);
    return Value(whole);
  }

  std::optional<char32_t> unit() {
    std::uint32_t point = 0;
    const std::string_view part = text_.substr(std::min(at_, text_.size()), 4);
    const auto [last, failed] = std::from_chars(part.data(), part.data() + part.size(), point, 16);
    if (part.size() != 4 || failed != std::errc{} || last != part.data() + 4) return std::nullopt;
    at_ += 4;
    return point;
  }

  Result<Value> string() {
    const std::size_t begin = at_++;
    std::string out;
    for (; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') return Value(std::move(out));
      if (static_cast<unsigned char>(c) < 0x20)
        return fail("Invalid control character at", at_ - 1);
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) break;
      const char kind = text_[at_++];
      constexpr std::string_view kLetters = "\"\\/nrtbf", kMeanings = "\"\\/\n\r\t\b\f";
      if (const auto known = kLetters.find(kind); known != std::string_view::npos) {
        out += kMeanings[known];
        continue;
      }
      if (kind != 'u') return fail("Invalid \\escape", at_ - 2);
      auto point = unit();
      if (!point) return fail("Invalid \\uXXXX escape", at_ - 1);
      if (*point >= 0xD800 && *point < 0xDC00 && skip("\\u")) {
        const auto low = unit();
        if (!low || *low < 0xDC00 || *low >= 0xE000) return fail("Invalid \\uXXXX escape", at_);
        point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
      }
      append_code_point(out, *point);
    }
    return fail("Unterminated string starting at", begin);
  }

  Result<Value> list(int depth) {
    ++at_;
    List out;
    blanks();
    if (skip("]")) return Value(std::move(out));
    while (true) {
      blanks();
      ASSIGN(Value item, value(depth + 1));
      out.push_back(std::move(item));
      blanks();
      if (skip("]")) return Value(std::move(out));
      if (!skip(",")) return fail("Expecting ',' delimiter", at_);
    }
  }

  Result<Value> dict(int depth) {
    ++at_;
    Dict out;
    blanks();
    if (skip("}")) return Value(std::move(out));
    while (true) {
      blanks();
      if (at_ == text_.size() || text_[at_] != '"')
        return fail("Expecting property name enclosed in double quotes", at_);
      ASSIGN(Value key, string());
      blanks();
      if (!skip(":")) return fail("Expecting ':' delimiter", at_);
      blanks();
      ASSIGN(Value held, value(depth + 1));
      out.set(std::move(key), std::move(held));
      blanks();
      if (skip("}")) return Value(std::move(out));
      if (!skip(",")) return fail("Expecting ',' delimiter", at_);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// --- Airflow's serde -----------------------------------------------------------------------------

/// `{"__classname__": …, "__version__": …, "__data__": …}`.
Value tagged(const char* type, std::int64_t version, Value data) {
  Dict out;
  out.set("__classname__", type);
  out.set("__version__", version);
  out.set("__data__", std::move(data));
  return Value(std::move(out));
}

Value time_zone_tag(const calendar::Zone& zone, bool pendulum) {
  const std::string name(zone.name());
  const bool fixed = name.starts_with('+') || name.starts_with('-');
  if (!pendulum && !fixed) return Value(Tuple{{name, "zoneinfo.ZoneInfo", 1, true}});
  const std::string type =
      fixed ? "pendulum.tz.timezone.FixedTimezone" : "pendulum.tz.timezone.Timezone";
  const Value value = fixed ? Value(zone.offset_seconds(0)) : Value(name);
  return Value(Tuple{{value, type, 1, true}});
}

Result<Value> serialised(const Value& value, int depth) {
  if (depth > 100)
    return raised("RecursionError", "maximum recursion depth reached for serialization");
  if (const auto* items = value.list()) {
    List out;
    for (const Value& item : *items) {
      ASSIGN(Value made, serialised(item, depth + 1));
      out.push_back(std::move(made));
    }
    return Value(std::move(out));
  }
  if (const auto* items = value.tuple()) {
    ASSIGN(Value made, serialised(Value(items->items), depth + 1));
    return tagged("builtins.tuple", 1, std::move(made));
  }
  if (const auto* items = value.dict()) {
    Dict out;
    for (const auto& [key, item] : items->items()) {
      ASSIGN(Value made, serialised(item, depth + 1));
      out.set(Value(key.text()), std::move(made));
    }
    return Value(std::move(out));
  }
  if (const auto delta = delta_value(value))
    return tagged("datetime.timedelta", 2, Value(static_cast<double>(*delta) / 1e6));
  const auto time = time_value(value);
  if (!time) return value;
  if (time->kind == DateTime::Kind::kDate)
    return tagged("datetime.date", 2, Value(time->isoformat()));
  Dict data;
  data.set("timestamp", static_cast<double>(time->instant()) / 1e6);
  Value zone;
  if (time->zone) {
    ASSIGN(zone, serialised(time_zone_tag(*time->zone, time->pendulum), depth + 1));
  }
  data.set("tz", zone);
  return tagged(time->pendulum ? "pendulum.datetime.DateTime" : "datetime.datetime", 2,
                Value(std::move(data)));
}

Result<Value> untagged(const Value& value);

Result<Value> time_of(const std::string& type, const Value& data) {
  const Dict* parts = data.dict();
  const Value* stamp = parts ? parts->find("timestamp") : nullptr;
  const Value* tag = parts ? parts->find("tz") : nullptr;
  if (!stamp || !stamp->number()) return value_error("a moment without its timestamp");
  calendar::Zone zone = calendar::Zone::utc();
  if (tag && !tag->is_none()) {
    const Value* inner = tag->dict() ? tag->dict()->find("__data__") : nullptr;
    const List* list = inner ? inner->list() : tag->list();
    const Value name = list && !list->empty() ? list->front() : *tag;
    if (const auto offset = name.number()) {
      zone = calendar::Zone::fixed(static_cast<int>(*offset));
    } else {
      ASSIGN(zone, zone_argument(name));
    }
  }
  const auto micros = static_cast<std::int64_t>(std::nearbyint(*stamp->number() * 1e6));
  DateTime made = DateTime::at(micros, zone, type.starts_with("pendulum"));
  if (tag && tag->is_none()) made.zone.reset();
  return made.value();
}

Result<Value> untagged_dict(const Dict& dict) {
  const Value* type = dict.find("__classname__");
  const Value* data = dict.find("__data__");
  if (type && data && type->string()) {
    const std::string& name = *type->string();
    if (name == "builtins.tuple" && data->list()) {
      ASSIGN(const Value items, untagged(*data));
      return Value(Tuple{*items.list()});
    }
    if (name == "datetime.timedelta" && data->number())
      return Value(TimeDelta{static_cast<std::int64_t>(std::nearbyint(*data->number() * 1e6))});
    if (name == "datetime.datetime" || name == "pendulum.datetime.DateTime")
      return time_of(name, *data);
    if ((name == "datetime.date" || name == "pendulum.date.Date") && data->string()) {
      ASSIGN(DateTime date, parse_by_format(*data->string(), "%Y-%m-%d"));
      date.kind = DateTime::Kind::kDate;
      return date.value();
    }
  }
  Dict out;
  for (const auto& [key, value] : dict.items()) {
    ASSIGN(Value made, untagged(value));
    out.set(key, std::move(made));
  }
  return Value(std::move(out));
}

Result<Value> untagged(const Value& value) {
  if (const auto* items = value.dict()) return untagged_dict(*items);
  const List* items = value.list();
  if (!items) return value;
  List out;
  for (const Value& item : *items) {
    ASSIGN(Value made, untagged(item));
    out.push_back(std::move(made));
  }
  return Value(std::move(out));
}

}  // namespace

Result<std::string> dump_json(const Value& value, const JsonStyle& style) {
  Writer writer(style);
  TRY(writer.write(value, 0));
  return std::move(writer.out);
}

Result<Value> load_json(std::string_view text) {
  return Reader(text).run();
}

Result<std::string> json_dumps(const List& arguments, const Object::Named& named) {
  if (arguments.size() > 1)
    return type_error("dumps() takes 1 positional argument but " +
                      std::to_string(arguments.size()) + " were given");
  ASSIGN(const auto given, bind("dumps", arguments, named,
                                {"obj",
                                 {"indent", Value()},
                                 {"sort_keys", false},
                                 {"ensure_ascii", true},
                                 {"separators", Value()},
                                 {"default", Value()},
                                 {"skipkeys", false}}));
  JsonStyle style;
  style.sort_keys = given[2].truth();
  style.ensure_ascii = given[3].truth();
  if (const auto* text = given[1].string()) style.indent = *text;
  if (const auto count = given[1].index()) {
    TRY(spend_product(*count, 1000));
    style.indent = std::string(static_cast<std::size_t>(std::max<std::int64_t>(*count, 0)), ' ');
  }
  if (style.indent) style.item_separator = ",";
  if (!given[4].is_none()) {
    ASSIGN(const List parts, iterate(given[4]));
    if (parts.size() != 2 || !parts[0].string() || !parts[1].string())
      return value_error("separators are two texts");
    style.item_separator = *parts[0].string();
    style.key_separator = *parts[1].string();
  }
  if (!given[5].is_none()) style.fallback = given[5];
  return dump_json(given[0], style);
}

Result<std::string> to_json(const Value& value) {
  ASSIGN(const Value plain, serialised(value, 0));
  return dump_json(plain, {});
}

Result<Value> from_json(std::string_view json) {
  ASSIGN(const Value plain, load_json(json));
  return untagged(plain);
}

}  // namespace tailrace::jinja
