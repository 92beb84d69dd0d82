#include "dags/assets.h"

#include <algorithm>

#include "dags/python_types.h"

namespace tailrace::dags {
namespace {

/// urllib.parse.urlsplit.
struct Url {
  std::string scheme, netloc, path, query;
  bool has_netloc = false;
};

bool scheme_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Url split(std::string text) {
  Url url;
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos && colon > 0 && letter(text[0]) &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), scheme_byte)) {
    url.scheme = lower(text.substr(0, colon));
    text = text.substr(colon + 1);
  }
  if (text.starts_with("//")) {
    url.has_netloc = true;
    const std::size_t end = std::min(text.find_first_of("/?#", 2), text.size());
    url.netloc = text.substr(2, end - 2);
    text = text.substr(end);
  }
  text = text.substr(0, text.find('#'));
  if (const std::size_t mark = text.find('?'); mark != std::string::npos) {
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  url.path = text;
  return url;
}

/// unquote_plus, then quote_plus, of one part of a query.
std::string requoted(std::string_view part) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string raw;
  const auto value = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '+') {
      raw += ' ';
    } else if (part[i] == '%' && i + 2 < part.size() && value(part[i + 1]) >= 0 &&
               value(part[i + 2]) >= 0) {
      raw += static_cast<char>(value(part[i + 1]) * 16 + value(part[i + 2]));
      i += 2;
    } else {
      raw += part[i];
    }
  }
  std::string out;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (letter(c) || (c >= '0' && c <= '9') || std::string_view("_.-~").contains(c))
      out += c;
    else if (c == ' ')
      out += '+';
    else
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

std::string sorted_query(const std::string& query) {
  std::vector<std::pair<std::string, std::string>> parts;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string part = query.substr(at, end - at);
    at = end + 1;
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals + 1 == part.size()) continue;  // parse_qsl drops it
    parts.emplace_back(requoted(part.substr(0, equals)), requoted(part.substr(equals + 1)));
  }
  std::ranges::sort(parts);
  std::string out;
  for (const auto& [name, value] : parts) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::optional<std::string> text_of(const Node* node, const char* name, Findings& findings) {
  if (!node || node->is_none()) return std::nullopt;
  if (const std::string* text = node->text()) return *text;
  findings.fatal(node->place,
                 "an asset's `" + std::string(name) + "` is a text, not " + node->what());
  return std::nullopt;
}

bool check_name(const std::string& value, const char* what, const Place& place,
                Findings& findings) {
  const bool blank =
      std::ranges::all_of(value, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  if (value.empty() || blank)
    findings.fatal(place, std::string("an asset's ") + what + " is empty");
  else if (value.size() > 1500)
    findings.fatal(place, std::string("an asset's ") + what + " has more than 1500 characters");
  else if (what == std::string_view("name") && (value == "self" || value == "context"))
    findings.fatal(place, "Airflow forbids the asset name `" + value + "`");
  else
    return true;
  return false;
}

std::optional<Asset> asset_object(const Node& node, Findings& findings) {
  const Bound bound(node, {"name", "uri", "/", "group", "extra", "watchers", "access_control"},
                    findings);
  if (!bound.ok()) return std::nullopt;
  const auto name = text_of(bound.find("name"), "name", findings);
  const auto uri = text_of(bound.find("uri"), "uri", findings);
  if (!name && !uri) {
    findings.fatal(node.place, "an asset has a `name` or a `uri`, or both");
    return std::nullopt;
  }
  auto normal = normalise_uri(uri.value_or(name.value_or("")));
  if (!normal) {
    findings.fatal(node.place, normal.error().what);
    return std::nullopt;
  }
  Asset asset{.name = name.value_or(uri.value_or("")),
              .uri = *std::move(normal),
              .group = text_of(bound.find("group"), "group", findings).value_or("asset"),
              .extra = jinja::Value(jinja::Dict())};
  if (!check_name(asset.name, "name", node.place, findings) ||
      !check_name(asset.uri, "uri", node.place, findings))
    return std::nullopt;
  if (const Node* extra = bound.find("extra"); extra && !extra->is_none()) {
    if (!extra->is_map()) {
      findings.fatal(extra->place, "an asset's `extra` is a mapping, not " + extra->what());
      return std::nullopt;
    }
    asset.extra = to_value(*extra);
  }
  if (const Node* watchers = bound.find("watchers"); watchers && !watchers->items.empty())
    findings.doubt(watchers->place,
                   "watchers run on Airflow only; here an asset of a topic, table or file gets its "
                   "events from where it is written");
  return asset;
}

}  // namespace

Result<std::string> normalise_uri(const std::string& uri) {
  const Url url = split(uri);
  if ((url.scheme.empty() && url.netloc.empty()) || url.scheme.empty()) return uri;
  if (url.scheme.starts_with("x-")) return uri;
  if (url.scheme == "airflow")
    return error(Code::kInvalidArgument, "the asset scheme `airflow` is Airflow's own");
  std::string netloc = url.netloc;
  if (const std::size_t at = netloc.rfind('@');
      at != std::string::npos && netloc.substr(0, at).find(':') != std::string::npos)
    netloc = netloc.substr(at + 1);
  std::string path = url.path;
  while (path.ends_with('/')) path.pop_back();
  if (path.empty()) path = "/";
  const std::string query = sorted_query(url.query);
  std::string out = url.scheme + ":";
  if (!path.starts_with('/') && !netloc.empty()) path = "/" + path;
  if (!netloc.empty() || url.has_netloc || url.scheme == "file") out += "//" + netloc;
  return out + path + (query.empty() ? "" : "?" + query);
}

std::optional<Asset> asset_of(const Node& node, Findings& findings) {
  if (known_type(node) == "Asset") return asset_object(node, findings);
  const std::string* text = node.text();
  if (!text) {
    findings.fatal(
        node.place,
        "an asset is a URI, a name or {__type__: airflow.sdk.Asset, uri: …}, not " + node.what());
    return std::nullopt;
  }
  if (!check_name(*text, "name", node.place, findings)) return std::nullopt;
  auto uri = normalise_uri(*text);
  if (!uri) {
    findings.fatal(node.place, uri.error().what);
    return std::nullopt;
  }
  return Asset{.name = *text,
               .uri = *std::move(uri),
               .group = "asset",
               .extra = jinja::Value(jinja::Dict())};
}

std::optional<AssetCondition> condition_of(const Node& node, Findings& findings) {
  const std::string_view type = known_type(node);
  AssetCondition made;
  if (type == "AssetAll" || type == "AssetAny") {
    made.kind = type == "AssetAll" ? AssetCondition::Kind::kAll : AssetCondition::Kind::kAny;
    for (const Node& part : node.positional) {
      if (part.text()) {
        findings.fatal(part.place, "a part of " + node.type +
                                       " is an asset, {__type__: airflow.sdk.Asset, uri: …}");
        return std::nullopt;
      }
      auto inner = condition_of(part, findings);
      if (!inner) return std::nullopt;
      made.parts.push_back(*std::move(inner));
    }
    return made;
  }
  if (type == "AssetAlias") {
    const Bound bound(node, {"!name", "group"}, findings);
    if (!bound.ok()) return std::nullopt;
    const auto name = text_of(bound.find("name"), "name", findings);
    if (!name || !check_name(*name, "name", node.place, findings)) return std::nullopt;
    made.kind = AssetCondition::Kind::kAlias;
    made.alias = *name;
    return made;
  }
  auto asset = asset_of(node, findings);
  if (!asset) return std::nullopt;
  made.asset = *std::move(asset);
  return made;
}

}  // namespace tailrace::dags
