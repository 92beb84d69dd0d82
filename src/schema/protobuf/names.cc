#include "schema/protobuf/names.h"

#include <algorithm>

namespace tailrace::schema::protobuf {
namespace {

std::string within(const std::string& above, const std::string& name) {
  return above.empty() ? name : above + "." + name;
}

bool stands_for_entries(const Message& message) {
  return std::ranges::any_of(message.options, [](const Option& one) {
    return one.name == "map_entry" && !one.parenthesized && one.value.text == "true";
  });
}

const Field* field_named(const Message& message, std::string_view name) {
  const auto found = std::ranges::find(message.fields, name, &Field::name);
  return found == message.fields.end() ? nullptr : &*found;
}

// Tries "scope.name", then the scopes around it, then the name alone.
std::optional<std::string> find_outwards(std::string_view scope, std::string_view name,
                                         const auto& is_there) {
  if (name.starts_with('.')) {
    std::string full(name.substr(1));
    if (is_there(full)) return full;
    return std::nullopt;
  }
  while (!scope.empty()) {
    std::string full(scope);
    full += '.';
    full += name;
    if (is_there(full)) return full;
    const auto dot = scope.rfind('.');
    scope = dot == scope.npos ? std::string_view() : scope.substr(0, dot);
  }
  std::string full(name);
  if (is_there(full)) return full;
  return std::nullopt;
}

}  // namespace

void Names::add(const File& file, int import) {
  add_extends(file.extends, file.package);
  for (const auto& one : file.messages) add_message(one, file.package, file, import);
  for (const auto& one : file.enums)
    types_.insert_or_assign(within(file.package, one.name),
                            NamedType{nullptr, &one, &file.package, import, nullptr, nullptr});
}

void Names::add_message(const Message& message, const std::string& above, const File& file,
                        int import) {
  const std::string name = within(above, message.name);
  NamedType made{&message, nullptr, &file.package, import, nullptr, nullptr};
  if (stands_for_entries(message)) {
    made.key = field_named(message, "key");
    made.value = field_named(message, "value");
  }
  types_.insert_or_assign(name, made);
  add_extends(message.extends, name);
  for (const auto& one : message.messages) add_message(one, name, file, import);
  for (const auto& one : message.enums)
    types_.insert_or_assign(within(name, one.name),
                            NamedType{nullptr, &one, &file.package, import, nullptr, nullptr});
}

void Names::add_extends(const std::vector<Extend>& extends, const std::string& above) {
  for (const auto& extend : extends)
    for (const auto& field : extend.fields)
      extensions_.insert_or_assign(within(above, field.name), &field);
}

const NamedType* Names::type(const std::string& full_name) const {
  const auto found = types_.find(full_name);
  if (found != types_.end()) return &found->second;
  return base_ ? base_->type(full_name) : nullptr;
}

const Field* Names::extension(const std::string& full_name) const {
  const auto found = extensions_.find(full_name);
  if (found != extensions_.end()) return found->second;
  return base_ ? base_->extension(full_name) : nullptr;
}

std::optional<std::string> Names::find_type(std::string_view scope, std::string_view name) const {
  return find_outwards(scope, name, [this](const std::string& full) { return type(full); });
}

std::optional<std::string> Names::find_extension(std::string_view scope,
                                                 std::string_view name) const {
  return find_outwards(scope, name, [this](const std::string& full) { return extension(full); });
}

const NamedType* Names::type_at(std::string_view scope, std::string_view name) const {
  const auto full = find_type(scope, name);
  return full ? type(*full) : nullptr;
}

}  // namespace tailrace::schema::protobuf
