// Airflow's texts of connections: `TYPE://LOGIN:PASSWORD@HOST:PORT/SCHEMA?NAME=VALUE`, or JSON.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "metadata/metadata.h"
#include "net/address.h"

namespace tailrace::metadata {
namespace {

using nlohmann::json;

std::string unquoted(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      plain += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// Types are words of Python's in Airflow: `google-cloud` and `google_cloud` are one.
std::string type_of(std::string_view scheme) {
  std::string type(scheme);
  for (char& c : type) c = c == '-' ? '_' : c;
  return type == "postgresql" ? "postgres" : type;
}

Result<std::int64_t> port_of(std::string_view id, std::string_view text) {
  std::int64_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || port < 0 || port > 65535)
    return error(Code::kInvalidArgument,
                 fmt::format("connection {}: '{}' is not a port: TYPE://LOGIN:PASSWORD@HOST:PORT/"
                             "SCHEMA, with %XX for what is special in a part",
                             id, text));
  return port;
}

Result<Connection> of_json(std::string_view id, std::string_view text) {
  const auto value = json::parse(text, nullptr, false);
  if (!value.is_object())
    return error(Code::kInvalidArgument,
                 fmt::format("connection {}: what begins with a brace must be a JSON object", id));
  Connection one;
  one.id = id;
  const auto take = [&](std::string_view name, std::optional<std::string>& into) {
    const auto at = value.find(name);
    if (at == value.end() || at->is_null()) return;
    into = at->is_string() ? at->get<std::string>() : at->dump();
  };
  take("conn_type", one.type);
  take("description", one.description);
  take("host", one.host);
  take("schema", one.schema);
  take("login", one.login);
  take("password", one.password);
  take("extra", one.extra);
  std::optional<std::string> port;
  take("port", port);
  if (port && !port->empty()) {
    ASSIGN(one.port, port_of(id, *port));
  }
  return one;
}

}  // namespace

Result<Connection> parse_connection(std::string_view id, std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return of_json(id, text);
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0)
    return error(
        Code::kInvalidArgument,
        fmt::format("connection {}: neither TYPE://LOGIN:PASSWORD@HOST:PORT/SCHEMA nor JSON", id));
  Connection one;
  one.id = id;
  one.type = type_of(text.substr(0, scheme));
  std::string_view rest = text.substr(scheme + 3);
  // A second scheme is part of the host: `http://https://example.com` asks example.com by https.
  std::string host_scheme;
  if (const std::size_t second = rest.find("://");
      second != std::string_view::npos &&
      rest.substr(0, second).find_first_of("@/?:") == std::string_view::npos) {
    host_scheme = std::string(rest.substr(0, second)) + "://";
    rest.remove_prefix(second + 3);
  }
  std::string_view query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) one.schema = unquoted(rest.substr(slash + 1));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const std::size_t colon = user.find(':');
    one.login = unquoted(user.substr(0, colon));
    if (colon != std::string_view::npos) one.password = unquoted(user.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  std::string host(authority);
  if (const auto whole = net::parse_address(authority)) {
    host = whole->host;
    one.port = whole->port;
  } else if (authority.starts_with('[') && authority.ends_with(']')) {
    host = authority.substr(1, authority.size() - 2);
  } else if (const std::size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    if (colon + 1 < authority.size()) {
      ASSIGN(one.port, port_of(id, authority.substr(colon + 1)));
    }
  }
  one.host = host_scheme + unquoted(host);
  json extra = json::object();
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = unquoted(pair.substr(0, equals));
    std::string plus(pair.substr(std::min(equals + 1, pair.size())));
    std::ranges::replace(plus, '+', ' ');  // as forms write it
    const std::string value = unquoted(plus);
    if (name == "__extra__") {
      one.extra = value;
    } else if (!name.empty()) {
      extra[name] = value;
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  if (!one.extra && !extra.empty()) one.extra = extra.dump();
  return one;
}

}  // namespace tailrace::metadata
