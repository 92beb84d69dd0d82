// A connection as templates see it.
#include <algorithm>

#include "jinja/airflow_context.h"
#include "jinja/json.h"
#include "jinja/record.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

Value text_or_none(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

/// The extra as a query, or all of it under `__extra__` where a query would not give it back.
std::string extra_query(const std::string& extra) {
  const auto parsed = load_json(extra);
  const Dict* dict = parsed ? parsed->dict() : nullptr;
  const bool plain = dict && std::ranges::all_of(dict->items(), [](const auto& entry) {
                       return entry.second.string() != nullptr;
                     });
  if (!plain || dict->size() == 0) return "__extra__=" + url_quoted(extra, "", true);
  std::string out;
  for (const auto& [key, value] : dict->items())
    out += (out.empty() ? "" : "&") + url_quoted(key.text(), "", true) + "=" +
           url_quoted(value.text(), "", true);
  return out;
}

}  // namespace

std::string connection_uri(const Connection& connection) {
  std::string uri = "//";
  if (connection.type && !connection.type->empty())
    uri = replaced(lower(*connection.type), "_", "-", -1) + "://";
  std::string host = connection.host.value_or("");
  if (const std::size_t at = host.find("://"); at != std::string::npos) {
    const std::string protocol = host.substr(0, at);
    if (protocol != connection.type.value_or("")) {
      uri += protocol + "://";
      host = host.substr(at + 3);
    }
  }
  std::string authority;
  if (connection.login) authority += url_quoted(*connection.login, "");
  if (connection.password) authority += ":" + url_quoted(*connection.password, "");
  if (!authority.empty()) uri += authority + "@";
  std::string block = url_quoted(host, "");
  if (connection.port.value_or(0) != 0)
    block += (block.empty() && authority.empty() ? "@:" : ":") + std::to_string(*connection.port);
  const bool schema = !connection.schema.value_or("").empty();
  if (schema) block += "/" + url_quoted(*connection.schema, "");
  uri += block;
  if (!connection.extra.value_or("").empty())
    uri += (schema ? "?" : "/?") + extra_query(*connection.extra);
  return uri;
}

Value connection_value(const Connection& connection) {
  Dict out;
  out.set("conn_id", connection.id);
  out.set("conn_type", text_or_none(connection.type));
  out.set("description", text_or_none(connection.description));
  out.set("host", text_or_none(connection.host));
  out.set("schema", text_or_none(connection.schema));
  out.set("login", text_or_none(connection.login));
  out.set("password", text_or_none(connection.password));
  out.set("port", connection.port ? Value(*connection.port) : Value());
  out.set("extra", text_or_none(connection.extra));
  Value parsed{Dict()};
  if (!connection.extra.value_or("").empty())
    if (auto made = load_json(*connection.extra)) parsed = std::move(*made);
  out.set("extra_dejson", parsed);
  out.set(
      "get_extra_dejson",
      function("get_extra_dejson",
               [parsed](const List&, const Object::Named&) -> Result<Value> { return parsed; }));
  out.set("get_uri",
          function("get_uri", [connection](const List&, const Object::Named&) -> Result<Value> {
            return Value(connection_uri(connection));
          }));
  return Value(std::shared_ptr<const Object>(std::make_shared<Record>(
      "Connection", "Connection(conn_id=" + text_repr(connection.id) + ")", std::move(out))));
}

}  // namespace tailrace::jinja
