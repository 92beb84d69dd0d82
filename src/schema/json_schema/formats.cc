// The formats that a Validator asserts when it is asked to.
#include <array>
#include <cctype>
#include <cstdint>

#include "schema/json_schema/pattern.h"
#include "schema/json_schema/uri.h"
#include "schema/json_schema/validator.h"

namespace tailrace::schema::json_schema {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes a text apart from its front.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool number(std::size_t digits, int least, int most) {
    if (rest_.size() < digits) return false;
    int made = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest_[i])) return false;
      made = made * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    last_ = made;
    return made >= least && made <= most;
  }
  bool one(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool either(char c, char other) { return one(c) || one(other); }
  bool fraction() {
    if (!one('.')) return true;
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_digit(rest_[0])) rest_.remove_prefix(1);
    return rest_.size() < before;
  }
  bool at_end() const { return rest_.empty(); }
  int last() const { return last_; }

 private:
  std::string_view rest_;
  int last_ = 0;
};

bool date(Scan& scan) {
  static constexpr std::array<int, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!scan.number(4, 0, 9999)) return false;
  const int year = scan.last();
  if (!scan.one('-') || !scan.number(2, 1, 12)) return false;
  const int month = scan.last();
  if (!scan.one('-') || !scan.number(2, 1, kDays[static_cast<std::size_t>(month)])) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month != 2 || scan.last() < 29 || leap;
}

// RFC 3339: with an offset, and the leap second only at the end of a day of UTC.
bool time(Scan& scan) {
  if (!scan.number(2, 0, 23)) return false;
  int minutes = scan.last() * 60;
  if (!scan.one(':') || !scan.number(2, 0, 59)) return false;
  minutes += scan.last();
  if (!scan.one(':') || !scan.number(2, 0, 60)) return false;
  const bool leap = scan.last() == 60;
  if (!scan.fraction()) return false;
  if (!scan.either('Z', 'z')) {
    const bool east = scan.one('+');
    if ((!east && !scan.one('-')) || !scan.number(2, 0, 23)) return false;
    int offset = scan.last() * 60;
    if (!scan.one(':') || !scan.number(2, 0, 59)) return false;
    offset += scan.last();
    minutes += east ? -offset : offset;
  }
  return !leap || (minutes + 2 * 1440) % 1440 == 1439;
}

bool ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 3 || (digits > 1 && text[0] == '0')) return false;
    int made = 0;
    for (std::size_t i = 0; i < digits; ++i) made = made * 10 + (text[i] - '0');
    if (made > 255) return false;
    text.remove_prefix(digits);
    if (part < 3) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

bool ipv6(std::string_view text) {
  int groups = 0;
  bool gap = text.starts_with("::");
  if (gap) text.remove_prefix(2);
  while (!text.empty()) {
    if (text.find('.') != std::string_view::npos && text.find(':') == std::string_view::npos)
      return ipv4(text) && (gap ? groups + 2 < 8 : groups + 2 == 8);
    std::size_t digits = 0;
    while (digits < text.size() && std::isxdigit(static_cast<unsigned char>(text[digits])))
      ++digits;
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) break;
    if (text.starts_with("::")) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(2);
    } else {
      if (!text.starts_with(':') || text.size() == 1) return false;
      text.remove_prefix(1);
    }
  }
  return gap ? groups < 8 : groups == 8;
}

bool uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

bool hostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '.';
    if (c == '.') {
      if (label == 0 || label > 63 || text[i - 1] == '-') return false;
      label = 0;
    } else if (!std::isalnum(static_cast<unsigned char>(c)) && (c != '-' || label == 0)) {
      return false;
    } else {
      ++label;
    }
  }
  return true;
}

bool email(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  const bool quoted = local.size() > 2 && local.starts_with('"') && local.ends_with('"');
  if (!quoted && (local.starts_with('.') || local.ends_with('.') ||
                  local.find("..") != std::string_view::npos ||
                  local.find_first_of(" \t\"(),:;<>@[]\\") != std::string_view::npos))
    return false;
  if (domain.starts_with('[') && domain.ends_with(']')) {
    const auto address = domain.substr(1, domain.size() - 2);
    return address.starts_with("IPv6:") ? ipv6(address.substr(5)) : ipv4(address);
  }
  return hostname(domain);
}

bool pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 >= text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
      return false;
  return true;
}

}  // namespace

bool has_format(std::string_view format, std::string_view text) {
  Scan scan(text);
  if (format == "date-time")
    return date(scan) && scan.either('T', 't') && time(scan) && scan.at_end();
  if (format == "date") return date(scan) && scan.at_end();
  if (format == "time") return time(scan) && scan.at_end();
  if (format == "email") return email(text);
  if (format == "ipv4") return ipv4(text);
  if (format == "ipv6") return ipv6(text);
  if (format == "uuid") return uuid(text);
  if (format == "hostname") return hostname(text);
  if (format == "uri") return is_uri(text) && is_absolute_uri(text);
  if (format == "uri-reference") return is_uri(text);
  if (format == "json-pointer") return pointer(text);
  if (format == "regex") return check_pattern(text).has_value();
  return true;
}

}  // namespace tailrace::schema::json_schema
