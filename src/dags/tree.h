// A DAG file as PyYAML and dag-factory see it: a tree of values, each with its place.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dags/dag.h"
#include "dags/read.h"
#include "jinja/value.h"

namespace tailrace::dags {

/// A scalar, list, mapping, or an object that `__type__` made (dag-factory's cast_with_type).
struct Node {
  enum class Kind { kScalar, kList, kMap, kObject } kind = Kind::kScalar;
  struct Key {
    jinja::Value value;
    Place place;
    std::string text() const;  ///< str() of the key
  };
  jinja::Value scalar{};
  std::vector<Key> keys{};    ///< of a mapping's items, of an object's named arguments
  std::vector<Node> items{};  ///< a list's; else as many as `keys`
  std::string type{};         ///< an object's dotted path
  std::vector<Node> positional{};
  Place place{};

  bool is_none() const { return kind == Kind::kScalar && scalar.is_none(); }
  bool is_map() const { return kind == Kind::kMap; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_object() const { return kind == Kind::kObject; }
  const std::string* text() const { return kind == Kind::kScalar ? scalar.string() : nullptr; }
  /// Of a mapping or an object; null when it has no such key.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  const Key* find_key(std::string_view key) const;
  void set(Key key, Node value);  ///< a dict's: keeps the place of a key that is there
  /// Its Python type's name: `str`, `dict`, `datetime.timedelta`.
  std::string type_name() const;
  std::string what() const;  ///< with its article: `an int`
};

/// The value of a node: mappings are dicts, timedeltas and datetimes with a zone are themselves,
/// other objects are PythonObject.
jinja::Value to_value(const Node& node);

/// What was found wrong so far.
class Findings {
 public:
  void fatal(const Place& place, std::string what) { add(place, true, std::move(what)); }
  /// Read anyway.
  void doubt(const Place& place, std::string what) { add(place, false, std::move(what)); }
  int fatal_count() const { return fatal_count_; }
  std::vector<Finding> take();

 private:
  void add(const Place& place, bool fatal, std::string what);
  std::vector<Finding> list_;
  std::set<std::string> seen_;
  int fatal_count_ = 0;
};

/// `; did you mean `x`?` with the nearest of the words, or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& words);

}  // namespace tailrace::dags
