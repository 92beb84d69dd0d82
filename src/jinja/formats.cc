// The two ways Python writes values by a format: `'%s' % x` and `'{}'.format(x)`.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "jinja/python.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

/// What stands after the colon: [[fill]align][sign][#][0][width][,][.precision][type].
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', group = 0, type = 0;
  bool alternate = false, zero = false;
  std::optional<std::int64_t> width, precision;
};

std::string fixed(double value, std::int64_t precision, std::chars_format how) {
  std::string out(static_cast<std::size_t>(precision) + 400, '\0');
  const auto end =
      std::to_chars(out.data(), out.data() + out.size(), value, how, static_cast<int>(precision))
          .ptr;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

/// %g: significant digits, without trailing zeros unless alternate.
std::string general(double value, std::int64_t precision, bool alternate) {
  precision = std::max<std::int64_t>(precision, 1);
  std::string exponent_form = fixed(value, precision - 1, std::chars_format::scientific);
  const std::size_t e = exponent_form.find('e');
  int exponent = 0;
  std::string_view tail = std::string_view(exponent_form).substr(e + 1);
  if (tail.starts_with('+')) tail.remove_prefix(1);
  std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
  std::string out, end;
  if (exponent >= -4 && exponent < precision) {
    out = fixed(value, precision - 1 - exponent, std::chars_format::fixed);
  } else {
    out = exponent_form.substr(0, e);
    end = exponent_form.substr(e);
  }
  if (!alternate && out.find('.') != std::string::npos) {
    while (out.ends_with('0')) out.pop_back();
    if (out.ends_with('.')) out.pop_back();
  }
  return out + end;
}

Result<std::string> real_digits(double value, char type, std::int64_t precision, bool alternate) {
  if (precision > 4096) return value_error("precision too big");
  const bool big = type == 'F' || type == 'E' || type == 'G';
  std::string out;
  if (!std::isfinite(value)) {
    out = std::isnan(value) ? "nan" : "inf";
  } else if (type == 'e' || type == 'E') {
    out = fixed(value, precision, std::chars_format::scientific);
  } else if (type == 'g' || type == 'G') {
    out = general(value, precision, alternate);
  } else {
    out = fixed(value, precision, std::chars_format::fixed);
  }
  return big ? upper(out) : out;
}

std::string in_base(std::uint64_t value, unsigned base, bool big) {
  const std::string_view digits = big ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += digits[value % base];
    value /= base;
  } while (value != 0);
  std::ranges::reverse(out);
  return out;
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

std::string grouped(const std::string& digits, char group, std::size_t every) {
  const std::size_t end =
      std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  std::string out;
  for (std::size_t i = 0; i < end; ++i) {
    if (i > 0 && (end - i) % every == 0) out += group;
    out += digits[i];
  }
  return out + digits.substr(end);
}

Result<std::string> padded(std::string sign, std::string body, const Spec& spec, char align) {
  const std::size_t size = character_count(sign) + character_count(body);
  const auto width = static_cast<std::size_t>(spec.width.value_or(0));
  if (size >= width) return sign + body;
  TRY(spend_bytes(width * spec.fill.size()));
  const auto fill = [&](std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  const std::size_t missing = width - size;
  if (align == '=') return sign + fill(missing) + body;
  if (align == '<') return sign + body + fill(missing);
  if (align == '^') return fill(missing / 2) + sign + body + fill(missing - missing / 2);
  return fill(missing) + sign + body;
}

std::string sign_of(bool negative, char sign) {
  if (negative) return "-";
  return sign == '+' ? "+" : sign == ' ' ? " " : "";
}

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  constexpr std::string_view kAligns = "<>=^";
  if (!text.empty()) {
    const std::string_view first = first_character(text);
    if (text.size() > first.size() && kAligns.find(text[first.size()]) != std::string_view::npos) {
      spec.fill = std::string(first);
      spec.align = text[first.size()];
      text.remove_prefix(first.size() + 1);
    } else if (kAligns.find(text[0]) != std::string_view::npos) {
      spec.align = text[0];
      text.remove_prefix(1);
    }
  }
  const auto take = [&](std::string_view set) -> char {
    if (text.empty() || set.find(text[0]) == std::string_view::npos) return 0;
    const char taken = text[0];
    text.remove_prefix(1);
    return taken;
  };
  const auto number = [&]() -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [last, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc::invalid_argument || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(last - text.data()));
    return failed == std::errc{} ? std::min<std::int64_t>(value, 1LL << 40) : 1LL << 40;
  };
  if (const char sign = take("+- ")) spec.sign = sign;
  spec.alternate = take("#") != 0;
  if (take("0") != 0) {
    spec.zero = true;
    if (spec.align == 0) spec.fill = "0", spec.align = '=';
  }
  spec.width = number();
  spec.group = take(",_");
  if (take(".")) {
    spec.precision = number();
    if (!spec.precision) return value_error("Format specifier missing precision");
  }
  if (!text.empty()) {
    spec.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty()) return value_error("Invalid format specifier");
  return spec;
}

std::unexpected<Error> unknown_code(char type, const Value& value) {
  return value_error("Unknown format code '" + std::string(1, type) + "' for object of type '" +
                     value.type_name() + "'");
}

Result<std::string> format_real(double value, Spec spec) {
  const char align = spec.align ? spec.align : '>';
  if (spec.type == 'n') spec.type = 'g';
  const bool percent = spec.type == '%';
  const double shown = percent ? value * 100 : value;
  std::string body;
  if (spec.type == 0 && !spec.precision) {
    body = float_repr(std::abs(shown));
  } else if (spec.type == 0) {
    body = general(std::abs(shown), *spec.precision, false);
    if (body.find_first_of(".en") == std::string::npos) {
      body += ".0";
    }
  } else {
    ASSIGN(body, real_digits(std::abs(shown), percent ? 'f' : spec.type, spec.precision.value_or(6),
                             spec.alternate));
  }
  if (percent) body += "%";
  if (spec.group) body = grouped(body, spec.group, 3);
  return padded(sign_of(std::signbit(value) && !std::isnan(value), spec.sign), body, spec, align);
}

Result<std::string> format_integer(std::int64_t value, const Value& given, const Spec& spec) {
  const char type = spec.type ? spec.type : 'd';
  if (std::string_view("eEfFgG%").find(type) != std::string_view::npos)
    return format_real(static_cast<double>(value), spec);
  if (spec.precision) return value_error("Precision not allowed in integer format specifier");
  std::string body, prefix;
  if (type == 'd' || type == 'n') {
    body = in_base(magnitude(value), 10, false);
  } else if (type == 'x' || type == 'X' || type == 'o' || type == 'b') {
    const unsigned base = type == 'o' ? 8 : type == 'b' ? 2 : 16;
    body = in_base(magnitude(value), base, type == 'X');
    if (spec.alternate) prefix = "0" + std::string(1, type);
  } else if (type == 'c') {
    if (value < 0 || value > 0x10FFFF)
      return raised("OverflowError", "%c arg not in range(0x110000)");
    append_code_point(body, static_cast<char32_t>(value));
    return padded("", body, spec, spec.align ? spec.align : '<');
  } else {
    return unknown_code(type, given);
  }
  if (spec.group) body = grouped(body, spec.group, type == 'd' ? 3 : 4);
  if (spec.zero && spec.group && spec.width)
    while (character_count(body) + (value < 0 ? 1 : 0) < static_cast<std::size_t>(*spec.width)) {
      TRY(spend(1));
      std::string digits = body;
      std::erase(digits, spec.group);
      body = grouped("0" + digits, spec.group, 3);
    }
  return padded(sign_of(value < 0, spec.sign) + prefix, body, spec, spec.align ? spec.align : '>');
}

Result<std::string> format_text(const std::string& text, const Value& given, const Spec& spec) {
  if (spec.type != 0 && spec.type != 's') return unknown_code(spec.type, given);
  if (spec.align == '=' && !spec.zero)
    return value_error("'=' alignment not allowed in string format specifier");
  std::string body = text;
  if (spec.precision)
    body = std::string(substring(body, 0, static_cast<std::size_t>(*spec.precision)));
  return padded("", body, spec, spec.align && spec.align != '=' ? spec.align : '<');
}

}  // namespace

Result<std::string> format_value(const Value& value, std::string_view specification) {
  TRY(defined(value));
  if (specification.empty()) return to_text(value);
  if (const auto time = time_value(value)) {
    if (time->pendulum && specification.find('%') == std::string_view::npos)
      return pendulum_format(*time, specification);
    return time->strftime(specification);
  }
  if (!value.number() && !value.string())
    return type_error("unsupported format string passed to " + value.type_name() + ".__format__");
  ASSIGN(const Spec spec, parse_spec(specification));
  if (const auto whole = value.index()) return format_integer(*whole, value, spec);
  if (const double* real = value.real()) {
    if (spec.type != 0 && std::string_view("eEfFgGn%").find(spec.type) == std::string_view::npos)
      return unknown_code(spec.type, value);
    return format_real(*real, spec);
  }
  return format_text(*value.string(), value, spec);
}

// --- '%s' % … ------------------------------------------------------------------------------------

namespace {

class Percent {
 public:
  Percent(std::string_view format, const Value& value) : format_(format), value_(value) {}

  Result<std::string> run() {
    for (at_ = 0; at_ < format_.size(); ++at_) {
      if (format_[at_] != '%') {
        out_ += format_[at_];
        continue;
      }
      if (++at_ == format_.size()) return value_error("incomplete format");
      TRY(one());
    }
    const bool tuple = value_.tuple() != nullptr;
    const std::size_t given = tuple ? value_.tuple()->items.size() : 1;
    if (!named_ && used_ < given && !value_.dict() && !value_.list() && !value_.is_undefined() &&
        !value_.as<Range>())
      return type_error("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  Result<Value> next() {
    if (key_) {
      named_ = true;
      if (!value_.dict()) return type_error("format requires a mapping");
      if (const Value* found = value_.dict()->find(*key_)) return *found;
      return raised("KeyError", Value(*key_).repr(), Code::kNotFound);
    }
    if (const auto* tuple = value_.tuple()) {
      if (used_ < tuple->items.size()) return tuple->items[used_++];
    } else if (used_++ == 0) {
      return value_;
    }
    return type_error("not enough arguments for format string");
  }

  Result<std::optional<std::int64_t>> count() {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      ASSIGN(const Value value, next());
      if (!value.index()) return type_error("* wants int");
      return *value.index();
    }
    std::int64_t out = 0;
    const auto begin = at_;
    while (at_ < format_.size() && isdigit(static_cast<unsigned char>(format_[at_])))
      out = std::min<std::int64_t>(out * 10 + (format_[at_++] - '0'), 1LL << 40);
    if (begin == at_) return std::nullopt;
    return out;
  }

  Status one() {
    key_.reset();
    Spec spec;
    if (format_[at_] == '(') {
      const std::size_t end = format_.find(')', at_);
      if (end == std::string_view::npos) return value_error("incomplete format key");
      key_ = std::string(format_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
    }
    bool left = false, zero = false;
    for (; at_ < format_.size(); ++at_) {
      const char c = format_[at_];
      if (c == '-')
        left = true;
      else if (c == '0')
        zero = true;
      else if (c == '+')
        spec.sign = '+';
      else if (c == ' ')
        spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (c == '#')
        spec.alternate = true;
      else
        break;
    }
    ASSIGN(spec.width, count());
    if (spec.width && *spec.width < 0) left = true, spec.width = -*spec.width;
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      ASSIGN(spec.precision, count());
      if (!spec.precision) spec.precision = 0;
    }
    while (at_ < format_.size() &&
           std::string_view("hlL").find(format_[at_]) != std::string_view::npos)
      ++at_;
    if (at_ >= format_.size()) return value_error("incomplete format");
    spec.align = left ? '<' : '>';
    return convert(format_[at_], spec, zero && !left);
  }

  Status convert(char type, Spec spec, bool zero) {
    if (type == '%') {
      out_ += '%';
      return {};
    }
    ASSIGN(const Value value, next());
    if (std::string_view("srdiuoxXeEfFgGca").find(type) == std::string_view::npos)
      return value_error("unsupported format character '" + std::string(1, type) + "' (0x" +
                         in_base(static_cast<unsigned char>(type), 16, false) + ") at index " +
                         std::to_string(at_));
    TRY(defined(value));
    if (type == 's' || type == 'r' || type == 'a') {
      ASSIGN(std::string text, to_text(value));
      if (type != 's') text = value.repr();
      if (spec.precision)
        text = std::string(substring(text, 0, static_cast<std::size_t>(*spec.precision)));
      return put(padded("", text, spec, spec.align));
    }
    if (type == 'c' && value.string() && character_count(*value.string()) == 1)
      return put(padded("", *value.string(), spec, spec.align));
    if (zero) spec.fill = "0", spec.align = '=';
    return number(type, value, spec);
  }

  Status number(char type, const Value& value, const Spec& spec) {
    const auto real = value.number();
    if (std::string_view("eEfFgG").find(type) != std::string_view::npos) {
      if (!real) return type_error("must be real number, not " + value.type_name());
      ASSIGN(const std::string body,
             real_digits(std::abs(*real), type, spec.precision.value_or(6), spec.alternate));
      return put(padded(sign_of(std::signbit(*real) && !std::isnan(*real), spec.sign), body, spec,
                        spec.align));
    }
    const bool decimal = type == 'd' || type == 'i' || type == 'u';
    if (!real || (!decimal && !value.index()))
      return type_error("%" + std::string(1, type) + " format: " +
                        (decimal       ? "a real number"
                         : type == 'c' ? "an int"
                                       : "an integer") +
                        " is required, not " + value.type_name());
    ASSIGN(const Value whole, to_int(value));
    const std::int64_t held = *whole.integer();
    if (type == 'c') {
      if (held < 0 || held > 0x10FFFF)
        return raised("OverflowError", "%c arg not in range(0x110000)");
      std::string text;
      append_code_point(text, static_cast<char32_t>(held));
      return put(padded("", text, spec, spec.align));
    }
    const unsigned base = decimal ? 10 : type == 'o' ? 8 : 16;
    std::string body = in_base(magnitude(held), base, type == 'X');
    if (spec.precision && body.size() < static_cast<std::size_t>(*spec.precision)) {
      TRY(spend_bytes(static_cast<std::size_t>(*spec.precision)));
      body.insert(0, static_cast<std::size_t>(*spec.precision) - body.size(), '0');
    }
    const std::string prefix = spec.alternate && !decimal ? "0" + std::string(1, type) : "";
    return put(padded(sign_of(held < 0, spec.sign) + prefix, body, spec, spec.align));
  }

  Status put(Result<std::string> text) {
    TRY(text);
    TRY(spend_bytes(text->size()));
    out_ += *text;
    return spend_bytes(out_.size() / 64);
  }

  std::string_view format_;
  const Value& value_;
  std::size_t at_ = 0, used_ = 0;
  bool named_ = false;
  std::optional<std::string> key_;
  std::string out_;
};

// --- '{}'.format(…) ------------------------------------------------------------------------------

class Brace {
 public:
  Brace(const List& arguments, const Object::Named& named) : arguments_(arguments), named_(named) {}

  Result<std::string> run(std::string_view format, int depth) {
    if (depth > 2) return value_error("Max string recursion exceeded");
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
      const char c = format[i];
      if (c != '{' && c != '}') {
        out += c;
        continue;
      }
      if (i + 1 < format.size() && format[i + 1] == c) {
        out += c;
        ++i;
        continue;
      }
      if (c == '}') return value_error("Single '}' encountered in format string");
      int open = 1;
      std::size_t end = i + 1;
      for (; end < format.size() && open > 0; ++end)
        open += format[end] == '{' ? 1 : format[end] == '}' ? -1 : 0;
      if (open > 0)
        return value_error(i + 1 == format.size() ? "Single '{' encountered in format string"
                                                  : "expected '}' before end of string");
      ASSIGN(const std::string part, field(format.substr(i + 1, end - i - 2), depth));
      TRY(spend_bytes(part.size()));
      out += part;
      i = end - 1;
    }
    return out;
  }

 private:
  Result<std::string> field(std::string_view text, int depth) {
    std::size_t name_end = 0;
    for (bool bracket = false; name_end < text.size(); ++name_end) {
      const char c = text[name_end];
      if (c == '[') bracket = true;
      if (c == ']') bracket = false;
      if (!bracket && (c == '!' || c == ':')) break;
    }
    std::string_view rest = text.substr(name_end);
    ASSIGN(Value value, find(text.substr(0, name_end)));
    if (rest.starts_with('!')) {
      if (rest.size() < 2)
        return value_error("end of string while looking for conversion specifier");
      TRY(defined(value));
      if (rest[1] == 'r' || rest[1] == 'a') {
        value = Value(value.repr());
      } else if (rest[1] == 's') {
        value = Value(value.text());
      } else {
        return value_error("Unknown conversion specifier '" + std::string(1, rest[1]) + "'");
      }
      rest.remove_prefix(2);
      if (!rest.empty() && !rest.starts_with(':'))
        return value_error("expected ':' after conversion specifier");
    }
    if (rest.starts_with(':')) rest.remove_prefix(1);
    ASSIGN(const std::string spec, run(rest, depth + 1));
    return format_value(value, spec);
  }

  /// As string.Formatter does, which the sandbox builds on: only `{}` itself counts on.
  Result<Value> find(std::string_view path) {
    const bool number =
        !path.empty() && path.find_first_not_of("0123456789") == std::string_view::npos;
    if (path.empty() && next_ < 0)
      return value_error(
          "cannot switch from manual field specification to automatic field numbering");
    if (number && next_ > 0)
      return value_error(
          "cannot switch from manual field specification to automatic field numbering");
    if (path.empty()) return argument(std::to_string(next_++));
    if (number) next_ = -1;
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    ASSIGN(Value value, first(path.substr(0, end)));
    path.remove_prefix(end);
    while (!path.empty()) {
      if (path[0] == '.') {
        const std::size_t stop = std::min(path.find_first_of(".[", 1), path.size());
        if (stop == 1) return value_error("Empty attribute in format string");
        ASSIGN(value, get_attribute(value, path.substr(1, stop - 1)));
        TRY(defined(value));
        path.remove_prefix(stop);
        continue;
      }
      const std::size_t close = path.find(']');
      if (path[0] != '[')
        return value_error("Only '.' or '[' may follow ']' in format field specifier");
      if (close == std::string_view::npos) return value_error("Missing ']' in format string");
      const std::string key(path.substr(1, close - 1));
      if (key.empty()) return value_error("Empty attribute in format string");
      const bool index =
          key.size() < 18 && key.find_first_not_of("0123456789") == std::string::npos;
      ASSIGN(value, get_item(value, index ? Value(std::int64_t{std::stoll(key)}) : Value(key)));
      path.remove_prefix(close + 1);
    }
    return value;
  }

  Result<Value> first(std::string_view name) {
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos)
      return argument(name);
    for (const auto& [key, value] : named_)
      if (key == name) return value;
    return raised("KeyError", text_repr(name), Code::kNotFound);
  }

  Result<Value> argument(std::string_view number) {
    std::size_t index = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), index).ec != std::errc{})
      return value_error("Too many decimal digits in format string");
    if (index >= arguments_.size())
      return raised("IndexError", "Replacement index " + std::string(number) +
                                      " out of range for positional args tuple");
    return arguments_[index];
  }

  const List& arguments_;
  const Object::Named& named_;
  int next_ = 0;
};

}  // namespace

Result<std::string> percent_format(std::string_view format, const Value& value) {
  return Percent(format, value).run();
}

Result<std::string> brace_format(std::string_view format, const List& arguments,
                                 const Object::Named& named) {
  return Brace(arguments, named).run(format, 0);
}

}  // namespace tailrace::jinja
