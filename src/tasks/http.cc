// HttpOperator and HttpSensor: one request of a connection's server, as Airflow's HttpHook makes
// it.
#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "jinja/json.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"

namespace tailrace::tasks {
namespace {

using jinja::Dict;
using jinja::Value;
using nlohmann::json;

constexpr int kLongest = 3'600'000;  ///< of an exchange that says no timeout, in milliseconds

const Value* given(const Dict& dict, std::string_view name) {
  const Value* value = dict.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

Result<Dict> dict_argument(const Context& context, std::string_view name) {
  const Value* value = given(context.arguments, name);
  if (value == nullptr || !value->truth()) return Dict();
  if (value->dict() == nullptr)
    return error(Code::kInvalidArgument,
                 fmt::format("{}: must be a mapping, not {}", name, value->type_name()));
  return *value->dict();
}

/// What one request says; a page's parameters go over it.
struct Asked {
  std::string method, endpoint, connection;
  Value data;
  Dict headers, options, more;  ///< extra_options, request_kwargs
};

std::string encoded(const std::string& text) {
  // As urllib's quote_plus: a blank is a plus, letters, digits and _.-~ stay.
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// name=value&…, a list's values one by one, None left out: as requests makes a form of a dict.
std::string form_of(const Dict& dict) {
  std::string out;
  const auto add = [&](const Value& name, const Value& value) {
    if (value.is_none()) return;
    out += (out.empty() ? "" : "&") + encoded(name.text()) + "=" + encoded(value.text());
  };
  for (const auto& [name, value] : dict.items()) {
    const jinja::List* many = value.list() != nullptr    ? value.list()
                              : value.tuple() != nullptr ? &value.tuple()->items
                                                         : nullptr;
    if (many == nullptr) {
      add(name, value);
    } else {
      for (const auto& one : *many) add(name, one);
    }
  }
  return out;
}

/// What a URL may not hold is escaped; what is escaped already stays.
std::string quoted_url(const std::string& url) {
  constexpr std::string_view kPlain = "!#$%&'()*+,/:;=?@[]~-._";
  std::string out;
  for (const char c : url) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string base_url(const metadata::Connection& connection) {
  const std::string host = connection.host.value_or("");
  const std::string schema =
      connection.schema && !connection.schema->empty() ? *connection.schema : "http";
  // Only an IPv6 address has colons and no scheme.
  const bool whole = host.find("://") != std::string::npos;
  const bool v6 = !whole && host.find(':') != std::string::npos && !host.starts_with('[');
  std::string base = whole ? host : schema + "://" + (v6 ? "[" + host + "]" : host);
  if (connection.port && *connection.port != 0) base += ":" + std::to_string(*connection.port);
  return base;
}

/// HttpHook's own words in a connection's extra; the rest of it are headers.
bool is_option(std::string_view name) {
  constexpr std::array<std::string_view, 12> kOptions = {
      "stream",        "cert",      "proxies",        "proxy",
      "timeout",       "verify",    "verify_ssl",     "allow_redirects",
      "max_redirects", "trust_env", "check_response", "srv_lookup"};
  return std::ranges::find(kOptions, name) != kOptions.end();
}

/// The connection's options under the task's, its headers apart.
Status take_extra(const metadata::Connection& connection, Dict& options, Dict& headers) {
  if (!connection.extra || connection.extra->empty()) return {};
  ASSIGN(const Value extra, jinja::from_json(*connection.extra));
  if (extra.dict() == nullptr) return {};
  for (const auto& [name, value] : extra.dict()->items()) {
    if (!is_option(name.text())) {
      headers.set(name, value);
    } else if (given(options, name.text()) == nullptr) {
      options.set(name, value);
    }
  }
  return {};
}

void set_header(net::HttpOptions& options, const std::string& name, const std::string& value) {
  const auto same = [&](const auto& one) {
    return std::ranges::equal(one.first, name, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
  };
  std::erase_if(options.headers, same);
  options.headers.emplace_back(name, value);
}

bool has_header(const net::HttpOptions& options, std::string_view lower) {
  return std::ranges::any_of(options.headers, [&](const auto& one) {
    return std::ranges::equal(one.first, lower, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == b;
    });
  });
}

/// timeout (a number, or connect and read), verify, redirects.
Status take_options(const Dict& given_options, net::HttpOptions& options) {
  options.timeout_ms = kLongest;
  options.max_redirects = 30;
  if (const Value* timeout = given(given_options, "timeout")) {
    const jinja::List* pair = timeout->list() != nullptr    ? timeout->list()
                              : timeout->tuple() != nullptr ? &timeout->tuple()->items
                                                            : nullptr;
    const auto whole =
        pair != nullptr && pair->size() == 2 ? (*pair)[1].number() : timeout->number();
    if (!whole || !(*whole > 0) || *whole > kLongest / 1000.0)
      return error(Code::kInvalidArgument, "timeout: must be seconds, at most 3600");
    options.timeout_ms = std::max(1, static_cast<int>(*whole * 1000));
    options.connect_timeout_ms = options.timeout_ms;
  }
  const Value* verify = given(given_options, "verify");
  if (verify == nullptr) verify = given(given_options, "verify_ssl");
  if (verify != nullptr && verify->string() != nullptr) {
    options.ca_file = *verify->string();
  } else if (verify != nullptr) {
    options.verify_tls = verify->truth();
  }
  if (const Value* follow = given(given_options, "allow_redirects"))
    options.follow_redirects = follow->truth();
  if (const Value* most = given(given_options, "max_redirects"); most != nullptr && most->index())
    options.max_redirects = static_cast<int>(std::clamp<std::int64_t>(*most->index(), 0, 1000));
  return {};
}

std::string url_of(const metadata::Connection& connection, const Asked& asked) {
  std::string url = base_url(connection);
  if (!url.ends_with('/') && !asked.endpoint.empty() && !asked.endpoint.starts_with('/'))
    url += '/';
  url += asked.endpoint;
  std::vector<std::string> parameters;
  const auto add = [&](const Value& value) {
    const std::string text = value.dict() != nullptr ? form_of(*value.dict()) : value.text();
    if (value.truth() && !text.empty()) parameters.push_back(text);
  };
  if (const Value* more = given(asked.more, "params")) add(*more);
  if (asked.method == "GET") add(asked.data);
  for (const auto& one : parameters)
    url += (url.find('?') == std::string::npos ? "?" : url.ends_with('?') ? "" : "&") + one;
  return quoted_url(url);
}

/// The body, and what its type is where the task does not say.
Result<std::optional<std::string>> body_of(const Asked& asked, net::HttpOptions& options) {
  if (asked.method == "GET" || asked.method == "HEAD") return std::optional<std::string>();
  std::string type;
  std::string body;
  if (const Value* as_json = given(asked.more, "json"); as_json != nullptr && !asked.data.truth()) {
    ASSIGN(body, jinja::dump_json(*as_json, {}));
    type = "application/json";
  } else if (asked.data.dict() != nullptr) {
    body = form_of(*asked.data.dict());
    if (!body.empty()) type = "application/x-www-form-urlencoded";
  } else if (asked.data.truth()) {
    if (asked.data.string() == nullptr)
      return error(Code::kInvalidArgument, fmt::format("data: must be a text or a mapping, not {}",
                                                       asked.data.type_name()));
    body = *asked.data.string();
  }
  if (!has_header(options, "content-type")) {
    // An empty value keeps the client from naming a type of its own.
    options.headers.emplace_back("Content-Type", type);
  }
  return std::optional(std::move(body));
}

/// HttpHook.run: the answer, or an Error that begins with the status.
Result<net::HttpResponse> ask(Context& context, const Asked& asked) {
  ASSIGN(const auto connection, context.connection(asked.connection));
  net::HttpOptions options;
  options.at_most_once = true;  // as requests has it: a cut answer is the task's failure
  options.stop = context.stop;
  Dict settings = asked.options, headers;
  TRY(take_extra(connection, settings, headers));
  TRY(take_options(settings, options));
  for (const auto& [name, value] : headers.items()) set_header(options, name.text(), value.text());
  for (const auto& [name, value] : asked.headers.items())
    set_header(options, name.text(), value.text());
  if (connection.login && !connection.login->empty() && !has_header(options, "authorization")) {
    options.headers.emplace_back(
        "Authorization",
        "Basic " + encode_base64(*connection.login + ":" + connection.password.value_or("")));
  }
  ASSIGN(const auto body, body_of(asked, options));
  net::HttpClient client;
  ASSIGN(auto response,
         client.request(asked.method, url_of(connection, asked),
                        body ? std::optional<std::string_view>(*body) : std::nullopt, options));
  const Value* check = given(settings, "check_response");
  if (response.status >= 400 && (check == nullptr || check->truth())) {
    context.log.line("HTTP error: " + response.reason);
    context.log.line(response.body);
    return error(Code::kAborted, fmt::format("{}:{}", response.status, response.reason));
  }
  return response;
}

/// The charset that requests takes: the header's, ISO-8859-1 of a text, UTF-8 of JSON; "": a guess.
std::string charset_of(const net::HttpResponse& response) {
  std::string type(response.header("content-type"));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = type.find("charset=");
  if (at != std::string::npos) {
    std::string name = type.substr(at + 8, type.find(';', at) - at - 8);
    std::erase_if(name, [](char c) { return c == '"' || c == '\'' || c == ' '; });
    return name;
  }
  if (type.starts_with("text")) return "iso-8859-1";
  return type.starts_with("application/json") ? "utf-8" : "";
}

bool is_utf8(std::string_view text) {
  const auto dumped = json(std::string(text));
  try {
    return !dumped.dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

std::string text_of(const net::HttpResponse& response) {
  const std::string charset = charset_of(response);
  const bool latin = charset == "iso-8859-1" || charset == "latin1" || charset == "latin-1";
  if (!latin && is_utf8(response.body)) return response.body;
  std::string out;
  for (const char c : response.body) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

json response_json(const net::HttpResponse& response) {
  const std::string charset = charset_of(response);
  return {{"__classname__", "tailrace.http_response"},
          {"__version__", 1},
          {"__data__",
           {{"status", response.status},
            {"reason", response.reason},
            {"url", response.url},
            {"headers", response.headers},
            {"body", encode_base64(response.body)},
            {"encoding", charset.empty() ? json() : json(charset)}}}};
}

/// A function of the author's over an answer, or over a list of them.
Result<Called> call(Context& context, const json& function, json first, bool keep) {
  json job = python_job(context);
  job.update(function);
  job["args"].push_back(std::move(first));
  job["keep"] = keep;
  return call_python(context, std::move(job));
}

class Http final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = try_run(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  static Result<Asked> asked_of(const Context& context) {
    Asked asked;
    ASSIGN(asked.method, text_argument(context, "method", "POST"));
    ASSIGN(asked.endpoint, text_argument(context, "endpoint"));
    ASSIGN(asked.connection, text_argument(context, "http_conn_id", "http_default"));
    ASSIGN(asked.headers, dict_argument(context, "headers"));
    ASSIGN(asked.options, dict_argument(context, "extra_options"));
    ASSIGN(asked.more, dict_argument(context, "request_kwargs"));
    std::ranges::transform(asked.method, asked.method.begin(),
                           [](unsigned char c) { return std::toupper(c); });
    if (const Value* data = given(context.arguments, "data")) asked.data = *data;
    // dag-factory makes the JSON's text of data when it reads the file: no templates in it.
    const Value* type = given(asked.headers, "Content-Type");
    const Value* raw = context.task.arguments.find("data");
    if (type != nullptr && raw != nullptr &&
        type->text().find("application/json") != std::string::npos) {
      if (raw->string() != nullptr) asked.data = *raw;
      if (raw->dict() != nullptr) {
        ASSIGN(asked.data, jinja::dump_json(*raw, {}));
      }
    }
    return asked;
  }

  /// What a page's function said goes over the first request: mappings are joined.
  static void turn(const Asked& first, const Dict& next, Asked& asked) {
    const auto joined = [](Dict base, const Value* more) {
      if (more != nullptr && more->dict() != nullptr) {
        for (const auto& [name, value] : more->dict()->items()) base.set(name, value);
      }
      return base;
    };
    const Value *endpoint = given(next, "endpoint"), *data = given(next, "data");
    asked.endpoint = endpoint != nullptr && endpoint->truth() ? endpoint->text() : first.endpoint;
    asked.headers = joined(first.headers, given(next, "headers"));
    asked.options = joined(first.options, given(next, "extra_options"));
    asked.data = first.data;
    if (data != nullptr && data->dict() != nullptr && first.data.dict() != nullptr) {
      asked.data = Value(joined(*first.data.dict(), data));
    } else if (data != nullptr && data->truth()) {
      asked.data = *data;
    }
  }

  static Result<Outcome> try_run(Context& context) {
    ASSIGN(const Asked first, asked_of(context));
    json pager = json::object(), check = json::object(), filter = json::object();
    ASSIGN(const bool pages, take_function(context, "pagination_function", pager));
    ASSIGN(const bool checks, take_function(context, "response_check", check));
    ASSIGN(const bool filters, take_function(context, "response_filter", filter));
    context.log.line("Calling HTTP method");
    std::vector<net::HttpResponse> all;
    Asked asked = first;
    while (true) {
      ASSIGN(auto response, ask(context, asked));
      all.push_back(std::move(response));
      if (!pages) break;
      ASSIGN(auto called, call(context, pager, response_json(all.back()), true));
      if (!called.outcome.how_is_success()) return std::move(called.outcome);
      if (!called.truth) break;
      ASSIGN(const Value next, jinja::from_json(called.value.dump()));
      if (next.dict() == nullptr)
        return error(Code::kInvalidArgument, "pagination_function must return a mapping, or None");
      turn(first, *next.dict(), asked);
    }
    return answered(context, all, pages, checks ? &check : nullptr, filters ? &filter : nullptr);
  }

  static Result<Outcome> answered(Context& context, const std::vector<net::HttpResponse>& all,
                                  bool pages, const json* check, const json* filter) {
    jinja::List texts;
    json told = json::array();
    for (const auto& one : all) texts.emplace_back(text_of(one));
    if (check != nullptr || filter != nullptr) {
      for (const auto& one : all) told.push_back(response_json(one));
    }
    const Value text = pages ? Value(texts) : texts.front();
    ASSIGN(const bool logs, bool_argument(context, "log_response", false));
    if (logs) context.log.line(text.text());
    const json first = pages ? told : told.empty() ? json() : told.front();
    if (check != nullptr) {
      ASSIGN(auto called, call(context, *check, first, false));
      if (!called.outcome.how_is_success()) return std::move(called.outcome);
      if (!called.truth) return Outcome::failed("Response check returned False.");
    }
    if (filter == nullptr) return Outcome::success(text);
    ASSIGN(auto called, call(context, *filter, first, true));
    if (called.outcome.how_is_success()) {
      ASSIGN(called.outcome.returned, jinja::from_json(called.value.dump()));
    }
    return std::move(called.outcome);
  }
};

class HttpWaits final : public Operator {
 public:
  Outcome run(Context& context) const override {
    Outcome other;
    Outcome looked = poke(context, [&] { return look(context, other); });
    return other.how_is_success() ? looked : other;
  }

 private:
  static Result<std::optional<Value>> look(Context& context, Outcome& other) {
    Asked asked;
    ASSIGN(asked.method, text_argument(context, "method", "GET"));
    ASSIGN(asked.endpoint, text_argument(context, "endpoint"));
    ASSIGN(asked.connection, text_argument(context, "http_conn_id", "http_default"));
    ASSIGN(asked.headers, dict_argument(context, "headers"));
    ASSIGN(asked.options, dict_argument(context, "extra_options"));
    ASSIGN(asked.more, dict_argument(context, "request_kwargs"));
    ASSIGN(Dict parameters, dict_argument(context, "request_params"));
    asked.data = Value(std::move(parameters));
    std::ranges::transform(asked.method, asked.method.begin(),
                           [](unsigned char c) { return std::toupper(c); });
    context.log.line("Poking: " + asked.endpoint);
    const auto response = ask(context, asked);
    if (!response) {
      if (is_allowed(context, response.error().what)) return std::nullopt;
      return std::unexpected(response.error());
    }
    json check = json::object();
    ASSIGN(const bool checks, take_function(context, "response_check", check));
    if (!checks) return Value();
    ASSIGN(auto called, call(context, check, response_json(*response), true));
    if (called.outcome.how == Outcome::How::kFailed)
      return error(Code::kAborted, called.outcome.why);
    if (!called.outcome.how_is_success()) {
      other = std::move(called.outcome);
      return Value();
    }
    if (!called.truth) return std::nullopt;
    // A PokeReturnValue's value goes to XCom; a bool does not.
    if (!called.value.is_object() || !called.value.contains("xcom_value")) return Value();
    ASSIGN(auto value, jinja::from_json(called.value.at("xcom_value").dump()));
    return value;
  }

  /// Errors that only mean: not yet.
  static bool is_allowed(const Context& context, std::string_view why) {
    const Value* codes = given(context.arguments, "response_error_codes_allowlist");
    if (codes == nullptr) return why.starts_with("404");
    if (codes->list() == nullptr) return false;
    return std::ranges::any_of(*codes->list(),
                               [&](const Value& code) { return why.starts_with(code.text()); });
  }
};

}  // namespace

void add_http(OperatorTable& table) {
  table["airflow.providers.http.operators.http.HttpOperator"] = std::make_unique<Http>();
  table["airflow.providers.http.sensors.http.HttpSensor"] = std::make_unique<HttpWaits>();
}

}  // namespace tailrace::tasks
