// Reads and writes the tags of a record or field.
#include "registry/tag_texts.h"

#include <algorithm>

namespace tailrace::registry {

using schema::Json;
using schema::JsonArray;
using schema::JsonObject;
using schema::protobuf::Option;
using schema::protobuf::Options;
using schema::protobuf::Value;

namespace {

constexpr std::string_view kTagsMember = "tags";

void add_once(std::vector<std::string>& out, const std::string& tag) {
  if (!std::ranges::count(out, tag)) out.push_back(tag);
}

bool is_named(const Option& option, std::string_view name) {
  std::string_view own = option.name;
  if (own.starts_with('.')) own.remove_prefix(1);
  return own == name;
}

}  // namespace

std::vector<std::string> tag_texts(const Json* list) {
  std::vector<std::string> out;
  if (!list || !list->array()) return out;
  for (const Json& one : *list->array()) {
    if (one.text()) add_once(out, *one.text());
  }
  return out;
}

std::vector<std::string> tags_in(const Options& options, std::string_view name) {
  std::vector<std::string> out;
  for (const Option& option : options) {
    if (!is_named(option, name)) continue;
    for (const Option& member : option.value.members) {
      if (member.name != kTagsMember) continue;
      if (member.value.kind == Value::Kind::kText) add_once(out, member.value.text);
      for (const Value& one : member.value.elements) add_once(out, one.text);
    }
  }
  return out;
}

void set_tags(JsonObject& entity, const std::vector<std::string>& tags) {
  const auto found = std::ranges::find(entity, kTagsProperty, &schema::JsonMember::name);
  if (tags.empty()) {
    if (found != entity.end()) entity.erase(found);
    return;
  }
  Json list(JsonArray(tags.begin(), tags.end()));
  if (found != entity.end())
    found->value = std::move(list);
  else
    entity.push_back({std::string(kTagsProperty), std::move(list)});
}

void set_tags(Options& options, std::string_view name, const std::vector<std::string>& tags) {
  for (Option& option : options) {
    if (!is_named(option, name)) continue;
    std::erase_if(option.value.members, [](const Option& one) { return one.name == kTagsMember; });
  }
  std::erase_if(options, [&](const Option& option) {
    return is_named(option, name) && option.value.members.empty();
  });
  if (tags.empty()) return;
  Value list;
  list.kind = Value::Kind::kList;
  for (const std::string& tag : tags) list.elements.emplace_back().text = tag;
  const auto map = std::ranges::find_if(options, [&](const Option& option) {
    return is_named(option, name) && option.value.kind == Value::Kind::kMap;
  });
  Option member{.name = std::string(kTagsMember), .value = std::move(list)};
  if (map != options.end()) {
    map->value.members.push_back(std::move(member));
    return;
  }
  Value value;
  value.kind = Value::Kind::kMap;
  value.members.push_back(std::move(member));
  options.push_back({.name = std::string(name), .parenthesized = true, .value = std::move(value)});
}

}  // namespace tailrace::registry
