#include "dags/tree.h"

#include <algorithm>

#include "dags/python_types.h"
#include "yaml/file.h"

namespace tailrace::dags {

using jinja::Value;

std::string Node::Key::text() const {
  return value.text();
}

const Node* Node::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (const std::string* text = keys[i].value.string(); text && *text == key) return &items[i];
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

const Node::Key* Node::find_key(std::string_view key) const {
  for (const Key& each : keys)
    if (const std::string* text = each.value.string(); text && *text == key) return &each;
  return nullptr;
}

void Node::set(Key key, Node value) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!(keys[i].value == key.value)) continue;
    keys[i].place = key.place;
    items[i] = std::move(value);
    return;
  }
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

std::string Node::type_name() const {
  switch (kind) {
    case Kind::kList:
      return "list";
    case Kind::kMap:
      return "dict";
    case Kind::kObject:
      return type;
    case Kind::kScalar:
      break;
  }
  return scalar.type_name();
}

std::string Node::what() const {
  const std::string name = type_name();
  return (std::string_view("aeiou").contains(name[0]) ? "an " : "a ") + name;
}

Value to_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kScalar:
      return node.scalar;
    case Node::Kind::kList: {
      jinja::List list;
      for (const Node& item : node.items) list.push_back(to_value(item));
      return list;
    }
    case Node::Kind::kMap: {
      jinja::Dict dict;
      for (std::size_t i = 0; i < node.keys.size(); ++i)
        dict.set(node.keys[i].value, to_value(node.items[i]));
      return dict;
    }
    case Node::Kind::kObject:
      break;
  }
  if (auto known = plain_object(node)) return *std::move(known);
  auto object = std::make_shared<PythonObject>();
  object->path = node.type;
  for (const Node& item : node.positional) object->arguments.push_back(to_value(item));
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    object->named.set(node.keys[i].value, to_value(node.items[i]));
  return std::shared_ptr<const jinja::Object>(std::move(object));
}

std::vector<Finding> Findings::take() {
  return std::move(list_);
}

void Findings::add(const Place& place, bool fatal, std::string what) {
  fatal_count_ += fatal;
  // DAGs that share a default share its faults: said once, counted for each.
  const std::string key = place.text() + what;
  if (seen_.insert(key).second) list_.push_back({place, fatal, std::move(what)});
}

std::string suggestion(std::string_view word, const std::vector<std::string>& words) {
  const std::string near = yaml::nearest(word, {words.begin(), words.end()});
  return near.empty() ? "" : "; did you mean `" + near + "`?";
}

}  // namespace tailrace::dags
