#include "airflow/call.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tailrace::airflow {
namespace {

constexpr std::int64_t kUsualPage = 50, kLongestPage = 100;

/// `2026-01-01`, `2026-01-01T00:00:00Z`, `2026-01-01 00:00:00+01:00`; of Unix seconds, too.
std::optional<calendar::Micros> time_of(std::string_view text) {
  // A `+` of an offset that a client did not escape came as a space.
  std::string plain(text);
  if (plain.size() > 19 && plain[plain.size() - 6] == ' ') plain[plain.size() - 6] = '+';
  if (const auto moment = calendar::parse_moment(plain)) return moment->instant;
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(plain.data(), plain.data() + plain.size(), seconds);
  constexpr std::int64_t kMost = 253'402'300'799;  // the year 9999
  if (failed != std::errc() || end != plain.data() + plain.size() || std::abs(seconds) > kMost)
    return std::nullopt;
  return seconds * 1'000'000;
}

bool has_offset(std::string_view text) {
  const auto at = text.find_first_of("T ");
  if (at == std::string_view::npos) return false;
  return text.ends_with('Z') || text.ends_with('z') ||
         text.find_first_of("+-", at) != std::string_view::npos;
}

std::optional<bool> flag_of(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* yes : {"true", "1", "yes", "on", "t", "y"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"false", "0", "no", "off", "f", "n"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// SQL's LIKE: `%` any text, `_` one character; both in lower case.
bool like(std::string_view text, std::string_view pattern) {
  std::size_t t = 0, p = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] != '%' && (pattern[p] == '_' || pattern[p] == text[t])) {
      ++t;
      ++p;
    } else if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace

std::unexpected<Refusal> refuse(int status, std::string detail) {
  return std::unexpected(Refusal{.status = status, .detail = std::move(detail)});
}

std::unexpected<Refusal> refuse(const Error& failure) {
  switch (failure.code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return refuse(400, failure.what);
    case Code::kNotFound:
      return refuse(404, failure.what);
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kAborted:
      return refuse(409, failure.what);
    case Code::kPermissionDenied:
      return refuse(403, failure.what);
    case Code::kUnimplemented:
      return refuse(501, failure.what);
    case Code::kUnavailable:
    case Code::kResourceExhausted:
    case Code::kCancelled:
    case Code::kDeadlineExceeded:
      return refuse(503, failure.what);
    case Code::kInternal:
    case Code::kDataLoss:
      return refuse(500, failure.what);
  }
  return refuse(500, failure.what);
}

void Faults::add(std::string type, std::string where, const std::string& name, std::string message,
                 Json input, std::optional<Json> context) {
  Json place = Json::array({std::move(where)});
  if (!name.empty()) place.push_back(name);
  Json fault = {{"type", std::move(type)},
                {"loc", std::move(place)},
                {"msg", std::move(message)},
                {"input", std::move(input)}};
  if (context) fault["ctx"] = std::move(*context);
  list_.push_back(std::move(fault));
}

Answer<void> Faults::check() const {
  if (none()) return {};
  return std::unexpected(Refusal{.status = 422, .detail = list_});
}

Answer<Body> Body::of(const net::Request& request) {
  Faults faults;
  if (request.body.empty()) {
    faults.add("missing", "body", "", "Field required", nullptr);
    return std::unexpected(faults.check().error());
  }
  Json json = Json::parse(request.body, nullptr, false);
  if (json.is_discarded()) {
    faults.add("json_invalid", "body", "", "JSON decode error", Json::object(),
               Json{{"error", "Invalid JSON"}});
    return std::unexpected(faults.check().error());
  }
  if (!json.is_object()) {
    faults.add("model_attributes_type", "body", "",
               "Input should be a valid dictionary or object to extract fields from", json);
    return std::unexpected(faults.check().error());
  }
  return Body(std::move(json));
}

const Json* Body::asked(const std::string& name) {
  asked_.push_back(name);
  const auto at = object_.find(name);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<std::string> Body::text(const std::string& name, std::size_t most) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  if (!json->is_string()) {
    faults_.add("string_type", "body", name, "Input should be a valid string", *json);
    return std::nullopt;
  }
  auto text = json->get<std::string>();
  const auto length = static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  if (length > most) {
    faults_.add("string_too_long", "body", name,
                "String should have at most " + std::to_string(most) + " characters", *json,
                Json{{"max_length", most}});
    return std::nullopt;
  }
  return text;
}

std::optional<bool> Body::flag(const std::string& name) {
  const Json* json = asked(name);
  if (json == nullptr) {
    if (is_null(name))
      faults_.add("bool_type", "body", name, "Input should be a valid boolean", nullptr);
    return std::nullopt;
  }
  if (json->is_boolean()) return json->get<bool>();
  std::optional<bool> flag;
  if (json->is_string()) flag = flag_of(json->get<std::string>());
  if (json->is_number_integer()) flag = flag_of(json->dump());
  if (!flag)
    faults_.add(json->is_structured() ? "bool_type" : "bool_parsing", "body", name,
                json->is_structured()
                    ? "Input should be a valid boolean"
                    : "Input should be a valid boolean, unable to interpret input",
                *json);
  return flag;
}

std::optional<std::int64_t> Body::number(const std::string& name, std::int64_t least) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  std::optional<std::int64_t> number;
  if (json->is_number_integer()) number = json->get<std::int64_t>();
  if (json->is_string()) number = number_of<std::int64_t>(json->get<std::string>());
  if (!number) {
    faults_.add("int_parsing", "body", name,
                "Input should be a valid integer, unable to parse string as an integer", *json);
    return std::nullopt;
  }
  if (*number < least) {
    faults_.add("greater_than_equal", "body", name,
                "Input should be greater than or equal to " + std::to_string(least), *json,
                Json{{"ge", least}});
    return std::nullopt;
  }
  return number;
}

std::optional<double> Body::real(const std::string& name) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  if (json->is_number()) return json->get<double>();
  faults_.add("float_type", "body", name, "Input should be a valid number", *json);
  return std::nullopt;
}

std::optional<calendar::Micros> Body::time(const std::string& name, bool aware) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  std::optional<calendar::Micros> time;
  if (json->is_string()) time = time_of(json->get<std::string>());
  if (!time) {
    faults_.add("datetime_from_date_parsing", "body", name,
                "Input should be a valid datetime or date, invalid character in year", *json,
                Json{{"error", "invalid character in year"}});
    return std::nullopt;
  }
  if (aware && !has_offset(json->get<std::string>())) {
    faults_.add("timezone_aware", "body", name, "Input should have timezone info", *json);
    return std::nullopt;
  }
  return time;
}

std::optional<Json> Body::dict(const std::string& name) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  if (json->is_object()) return *json;
  faults_.add("dict_type", "body", name, "Input should be a valid dictionary", *json);
  return std::nullopt;
}

std::optional<std::vector<std::string>> Body::texts(const std::string& name) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  std::vector<std::string> all;
  const bool good = json->is_array() && std::ranges::all_of(*json, [&](const Json& one) {
                      if (one.is_string()) all.push_back(one.get<std::string>());
                      if (one.is_null()) all.emplace_back("none");
                      return one.is_string() || one.is_null();
                    });
  if (good) return all;
  faults_.add("list_type", "body", name, "Input should be a valid list", *json);
  return std::nullopt;
}

namespace {

std::string one_of_words(const std::vector<std::string>& words) {
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i)
    expected += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + ("'" + words[i] + "'");
  return expected;
}

}  // namespace

std::optional<std::string> Body::one_of(const std::string& name,
                                        const std::vector<std::string>& words) {
  const Json* json = asked(name);
  if (json == nullptr) return std::nullopt;
  if (json->is_string() && std::ranges::find(words, json->get<std::string>()) != words.end())
    return json->get<std::string>();
  const std::string expected = one_of_words(words);
  faults_.add("enum", "body", name, "Input should be " + expected, *json,
              Json{{"expected", expected}});
  return std::nullopt;
}

std::optional<Json> Body::any(const std::string& name) {
  const Json* json = asked(name);
  return json == nullptr ? std::nullopt : std::optional(*json);
}

void Body::required(const std::string& name) {
  if (!has(name)) faults_.add("missing", "body", name, "Field required", object_);
}

void Body::mismatch(const std::string& name, const std::string& pattern) {
  faults_.add("string_pattern_mismatch", "body", name,
              "String should match pattern '" + pattern + "'", object_[name],
              Json{{"pattern", pattern}});
}

void Body::fault(const std::string& message, const std::string& name) {
  faults_.add("value_error", "body", name, "Value error, " + message,
              name.empty() ? object_ : object_[name], Json{{"error", Json::object()}});
}

Answer<void> Body::check(bool extra) {
  for (const auto& [name, value] : object_.items()) {
    if (!extra && std::ranges::find(asked_, name) == asked_.end())
      faults_.add("extra_forbidden", "body", name, "Extra inputs are not permitted", value);
  }
  return faults_.check();
}

std::optional<std::int64_t> Parameters::number(const std::string& name, std::int64_t least) {
  const auto text = request_.param(name);
  if (!text) return std::nullopt;
  const auto number = number_of<std::int64_t>(*text);
  if (!number) {
    faults_.add("int_parsing", "query", name,
                "Input should be a valid integer, unable to parse string as an integer", *text);
  } else if (*number < least) {
    faults_.add("greater_than_equal", "query", name,
                "Input should be greater than or equal to " + std::to_string(least), *text,
                Json{{"ge", least}});
    return std::nullopt;
  }
  return number;
}

std::optional<double> Parameters::real(const std::string& name) {
  const auto text = request_.param(name);
  if (!text) return std::nullopt;
  const auto number = number_of<double>(*text);
  if (!number)
    faults_.add("float_parsing", "query", name,
                "Input should be a valid number, unable to parse string as a number", *text);
  return number;
}

std::optional<bool> Parameters::flag(const std::string& name) {
  const auto text = request_.param(name);
  if (!text) return std::nullopt;
  const auto flag = flag_of(*text);
  if (!flag)
    faults_.add("bool_parsing", "query", name,
                "Input should be a valid boolean, unable to interpret input", *text);
  return flag;
}

std::optional<std::string> Parameters::one_of(const std::string& name,
                                              const std::vector<std::string>& words) {
  auto text = request_.param(name);
  if (!text || std::ranges::find(words, *text) != words.end()) return text;
  const std::string expected = one_of_words(words);
  faults_.add("enum", "query", name, "Input should be " + expected, *text,
              Json{{"expected", expected}});
  return std::nullopt;
}

std::optional<calendar::Micros> Parameters::time(const std::string& name) {
  const auto text = request_.param(name);
  if (!text) return std::nullopt;
  const auto time = time_of(*text);
  if (!time)
    faults_.add("datetime_from_date_parsing", "query", name,
                "Input should be a valid datetime or date, invalid character in year", *text,
                Json{{"error", "invalid character in year"}});
  return time;
}

std::int64_t Parameters::limit() {
  return std::min(number("limit", 0).value_or(kUsualPage), kLongestPage);
}

std::int64_t Parameters::offset() {
  return number("offset", 0).value_or(0);
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  const std::string in = lower(text);
  const auto matches = [&](std::string_view term) { return like(in, "%" + lower(term) + "%"); };
  if (pattern == "~") return true;
  if (!pattern.contains('|')) return matches(pattern);
  bool any = false;
  for (std::size_t from = 0; from <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('|', from), pattern.size());
    std::string_view term = pattern.substr(from, end - from);
    while (term.starts_with(' ')) term.remove_prefix(1);
    while (term.ends_with(' ')) term.remove_suffix(1);
    if (!term.empty() && matches(term)) return true;
    any = any || !term.empty();
    from = end + 1;
  }
  return !any && matches(pattern);
}

}  // namespace tailrace::airflow
