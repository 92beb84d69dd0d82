#include "connect/syslog_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

using calendar::Local;
using calendar::Zone;

constexpr std::array<std::string_view, 24> kFacilities{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "solaris-cron",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};
constexpr std::array<std::string_view, 8> kSeverities{"emerg",   "alert",  "crit", "err",
                                                      "warning", "notice", "info", "debug"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kMaxTag = 256;

Error wrong(std::string what) {
  return {Code::kInvalidArgument, "not syslog: " + std::move(what)};
}

/// Where it is in the text; each step takes from the front.
class Text {
 public:
  explicit Text(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Up to a space or the end, which stays.
  std::string_view word() { return take_until(rest_.find(' ')); }
  std::string_view take_until(std::size_t at) {
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

struct Fields {
  std::string_view timestamp, host, app, procid, msgid;  ///< empty: null
  std::string made_timestamp;                            ///< of RFC 3164, before `timestamp`
  std::string structured = "{}";
  std::string_view message;
};

/// PRI of RFC 5424 §6.2.1: 0 to 191.
Result<int> priority(Text& text) {
  const auto close = text.rest().find('>');
  if (!text.rest().starts_with('<') || close == std::string_view::npos || close < 2 || close > 4)
    return std::unexpected(wrong("it does not begin with <PRIORITY>"));
  const std::string_view digits = text.rest().substr(1, close - 1);
  int value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size() || value > 191 || value < 0)
    return std::unexpected(wrong(fmt::format("<{}> is no priority from 0 to 191", digits)));
  text.take_until(close + 1);
  return value;
}

bool printable(std::string_view word, std::size_t most) {
  if (word.empty() || word.size() > most) return false;
  for (const char c : word)
    if (c < 33 || c > 126) return false;
  return true;
}

bool digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return false;
  for (std::size_t i = at; i < at + count; ++i)
    if (text[i] < '0' || text[i] > '9') return false;
  return true;
}

/// RFC 5424 §6.2.3, a profile of RFC 3339; the calendar decides on the numbers.
bool is_timestamp(std::string_view word) {
  if (word.size() < 20 || word.size() > 40) return false;
  if (!digits_at(word, 0, 4) || !digits_at(word, 11, 2) || word[10] != 'T') return false;
  const auto zone = word.find_first_of("Z+-", 19);
  if (zone == std::string_view::npos || !(word[19] == '.' || zone == 19)) return false;
  const bool utc = word.substr(zone) == "Z";
  if (!utc && !(word.size() == zone + 6 && word[zone + 3] == ':')) return false;
  return calendar::parse_moment(word).has_value();
}

/// RFC 5424 §6.3.3: a value in quotes, where \ stands before ", ] and itself.
Result<std::string> parameter_value(Text& text) {
  std::string value;
  while (!text.empty()) {
    const char c = text.rest().front();
    text.take(c);
    if (c == '"') return value;
    if (c == ']') break;
    if (c == '\\' && !text.empty()) {
      const char next = text.rest().front();
      if (next == '"' || next == '\\' || next == ']') {
        value += next;
        text.take(next);
        continue;
      }
    }
    value += c;
  }
  return std::unexpected(wrong("a value of its structured data does not end"));
}

Result<std::string_view> sd_name(Text& text, std::string_view ends) {
  const std::string_view name = text.take_until(text.rest().find_first_of(ends));
  if (!printable(name, kMaxTag) || name.find_first_of("=]\"") != std::string_view::npos)
    return std::unexpected(wrong("a name in its structured data is not one"));
  return name;
}

using Parameters = std::vector<std::pair<std::string_view, std::vector<std::string>>>;

Result<Parameters> parameters(Text& text) {
  Parameters found;
  while (text.take(' ')) {
    ASSIGN(const std::string_view name, sd_name(text, "= ]"));
    if (!text.take('=') || !text.take('"'))
      return std::unexpected(wrong("a parameter of its structured data has no value"));
    ASSIGN(std::string value, parameter_value(text));
    auto same = found.begin();
    while (same != found.end() && same->first != name) ++same;
    if (same == found.end()) same = found.insert(same, {name, {}});
    same->second.push_back(std::move(value));
  }
  if (!text.take(']')) return std::unexpected(wrong("its structured data does not end"));
  return found;
}

void append_parameters(const Parameters& parameters, std::string& json) {
  json += '{';
  for (const auto& [name, values] : parameters) {
    if (!json.ends_with('{')) json += ',';
    append_json_string(json, name);
    json += ':';
    if (values.size() > 1) json += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) json += ',';
      append_json_string(json, values[i]);
    }
    if (values.size() > 1) json += ']';
  }
  json += '}';
}

Result<std::string> structured_data(Text& text) {
  if (text.take('-')) return std::string("{}");
  std::string json = "{";
  while (text.take('[')) {
    ASSIGN(const std::string_view id, sd_name(text, " ]"));
    ASSIGN(const Parameters found, parameters(text));
    if (json.size() > 1) json += ',';
    append_json_string(json, id);
    json += ':';
    append_parameters(found, json);
  }
  if (json.size() == 1)
    return std::unexpected(wrong("its structured data is neither - nor [ID …]"));
  return json + "}";
}

/// Behind "<PRI>1 ".
Result<Fields> rfc5424(Text text) {
  Fields fields;
  struct Part {
    std::string_view* to;
    std::string_view name;
    std::size_t most;
  };
  for (const Part& part :
       {Part{&fields.timestamp, "timestamp", 40}, Part{&fields.host, "host name", 255},
        Part{&fields.app, "app name", kMaxTag}, Part{&fields.procid, "process id", kMaxTag},
        Part{&fields.msgid, "message id", kMaxTag}}) {
    const std::string_view word = text.word();
    if (!printable(word, part.most))
      return std::unexpected(wrong(fmt::format("its {} is missing", part.name)));
    if (part.to == &fields.timestamp && word != "-" && !is_timestamp(word))
      return std::unexpected(wrong(fmt::format("{} is no timestamp of RFC 5424", word)));
    if (word != "-") *part.to = word;
    if (!text.take(' '))
      return std::unexpected(wrong(fmt::format("it ends behind its {}", part.name)));
  }
  ASSIGN(fields.structured, structured_data(text));
  if (!text.empty() && !text.take(' '))
    return std::unexpected(wrong("no space stands behind its structured data"));
  fields.message = text.rest();
  if (fields.message.starts_with(kBom)) fields.message.remove_prefix(kBom.size());
  return fields;
}

/// "Oct 11 22:14:15" of RFC 3164 §4.1.2, in the year that brings it nearest to now.
std::optional<std::string> bsd_time(std::string_view text, std::int64_t now_ms, const Zone& zone) {
  if (text.size() < 15 || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':')
    return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(0, 3));
  const bool day_ok = digits_at(text, 5, 1) && (text[4] == ' ' || digits_at(text, 4, 1));
  if (month == kMonths.end() || !day_ok || !digits_at(text, 7, 2) || !digits_at(text, 10, 2) ||
      !digits_at(text, 13, 2))
    return std::nullopt;
  const auto two = [&](std::size_t at) {
    return (text[at] == ' ' ? 0 : text[at] - '0') * 10 + (text[at + 1] - '0');
  };
  const std::int64_t now_us = now_ms * 1000;
  const int this_year = zone.to_local(now_us).year;
  std::optional<calendar::Moment> nearest;
  for (int year = this_year - 1; year <= this_year + 1; ++year) {
    const auto local = fmt::format("{:04}-{:02}-{:02}T{}", year, month - kMonths.begin() + 1,
                                   two(4), text.substr(7, 8));
    const auto moment = calendar::parse_moment(local, zone);
    if (!moment) continue;
    if (!nearest || std::llabs(moment->instant - now_us) < std::llabs(nearest->instant - now_us))
      nearest = calendar::Moment{.instant = moment->instant, .zone = zone};
  }
  if (!nearest) return std::nullopt;
  return calendar::isoformat(*nearest);
}

/// "su[12]: " or "su: " at the front; a sender's own host or none is before it.
bool take_tag(Text& text, Fields& fields) {
  const std::string_view rest = text.rest();
  const auto end = rest.find_first_of(" :[");
  if (end == std::string_view::npos || end == 0 || end > kMaxTag || rest[end] == ' ') return false;
  auto after = end;
  std::string_view process;
  if (rest[end] == '[') {
    const auto close = rest.find(']', end);
    if (close == std::string_view::npos || close - end > kMaxTag) return false;
    process = rest.substr(end + 1, close - end - 1);
    after = close + 1;
    if (after < rest.size() && rest[after] != ':' && rest[after] != ' ') return false;
  }
  fields.app = rest.substr(0, end);
  fields.procid = process;
  text.take_until(after);
  text.take(':');
  text.take(' ');
  return true;
}

/// RFC 3164 §4.3.3: what has no timestamp is all message.
Fields rfc3164(Text text, std::int64_t now_ms, const Zone& zone) {
  Fields fields;
  const std::string_view first = text.rest().substr(0, text.rest().find(' '));
  if (const auto time = bsd_time(text.rest(), now_ms, zone)) {
    fields.made_timestamp = *time;
    text.take_until(15);
  } else if (is_timestamp(first)) {
    fields.timestamp = first;
    text.take_until(first.size());
  } else {
    take_tag(text, fields);
    fields.message = text.rest();
    return fields;
  }
  text.take(' ');
  if (!take_tag(text, fields)) {
    Text behind = text;
    const std::string_view host = behind.word();
    if (printable(host, 255) && behind.take(' ')) {
      fields.host = host;
      text = behind;
      take_tag(text, fields);
    }
  }
  fields.message = text.rest();
  return fields;
}

void append(std::string& json, std::string_view name, std::string_view value) {
  json += fmt::format(",\"{}\":", name);
  if (value.empty())
    json += "null";
  else
    append_json_string(json, value);
}

}  // namespace

Result<std::string> parse_syslog(std::string_view message, std::int64_t now_ms, const Zone& zone) {
  while (message.ends_with('\n') || message.ends_with('\0')) message.remove_suffix(1);
  Text text(message);
  ASSIGN(const int number, priority(text));
  Fields fields;
  if (text.rest().starts_with("1 ")) {
    text.take_until(2);
    ASSIGN(fields, rfc5424(text));
  } else {
    fields = rfc3164(text, now_ms, zone);
  }
  const int facility = number / 8, severity = number % 8;
  std::string json = fmt::format(
      "{{\"facility\":{},\"facility_name\":\"{}\",\"severity\":{},\"severity_name\":\"{}\"",
      facility, kFacilities[static_cast<std::size_t>(facility)], severity,
      kSeverities[static_cast<std::size_t>(severity)]);
  append(
      json, "timestamp",
      fields.made_timestamp.empty() ? fields.timestamp : std::string_view(fields.made_timestamp));
  append(json, "host", fields.host);
  append(json, "app", fields.app);
  append(json, "procid", fields.procid);
  append(json, "msgid", fields.msgid);
  json += ",\"structured_data\":" + fields.structured + ",\"message\":";
  append_json_string(json, fields.message);
  return json;
}

}  // namespace tailrace::connect
