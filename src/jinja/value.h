// The values that DAG files, templates, XComs and configurations share: Python's, as far as YAML,
// JSON and Jinja can name them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "calendar/zone.h"

namespace tailrace::jinja {

class Value;
using List = std::vector<Value>;

/// A Python dict: keeps the order of insertion; keys may be any hashable value.
class Dict {
 public:
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  const Value* find(const std::string& key) const { return find(std::string_view(key)); }
  const Value* find(const char* key) const { return find(std::string_view(key)); }
  void set(Value key, Value value);
  bool erase(const Value& key);  ///< false: it was not there
  std::size_t size() const { return items_.size(); }
  const std::vector<std::pair<Value, Value>>& items() const { return items_; }

 private:
  std::size_t place(const Value& key) const;  ///< size() when it is not there

  std::vector<std::pair<Value, Value>> items_;
  /// Hash → place in items_; empty while they are few, then they are searched in order.
  std::unordered_multimap<std::size_t, std::size_t> places_;
};

struct Tuple {
  List items;
};
struct TimeDelta {
  std::int64_t micros = 0;
};

/// What a template named and nothing gave.
struct Undefined {
  std::string name;
  std::string message = {};      ///< Jinja's sentence; empty: `'name' is undefined`
  bool unsafe_access = false;    ///< the sandbox keeps it: SecurityError instead of UndefinedError
  bool lenient = false;          ///< prints as nothing under the strict rule, too
  std::string sentence() const;  ///< the message, or the one made of the name
};

/// Something with attributes that a template can ask for: `ti`, `dag_run`, `macros`, `var`.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;
  virtual std::string text() const = 0;  ///< str()
  virtual std::string repr() const { return text(); }
  /// Undefined when it has none.
  virtual Value attribute(std::string_view name) const = 0;
  /// Like attribute(), for objects whose attributes may fail: a variable that is not there.
  virtual Result<Value> checked_attribute(std::string_view name) const;
  /// `object[key]`; by default attribute() of a string.
  virtual Result<Value> item(const Value& key) const;
  using Named = std::vector<std::pair<std::string, Value>>;
  virtual Result<Value> call(const List& arguments, const Named& named) const;
  virtual bool callable() const { return false; }
  /// What a loop over it takes; none: it is not iterable.
  virtual std::optional<List> elements() const { return std::nullopt; }
  /// len(); none: it has none.
  virtual std::optional<std::int64_t> length() const { return std::nullopt; }
  virtual bool truth() const;
  virtual bool mapping() const { return false; }  ///< collections.abc.Mapping
  virtual bool equals(const Object& other) const { return this == &other; }
  virtual std::size_t hash() const;
};

/// None, bool, int (64 bits; Python's larger ones are an error that says so), float, str, bytes do
/// not occur; list, tuple, dict, datetime, timedelta, and objects. Copies of strings, lists and
/// dicts share what they hold. What is made outside a rendering never changes after it is made: a
/// template may append to its own lists and to none that it was given.
class Value {
 public:
  Value() = default;  ///< None
  Value(bool value) : value_(value) {}
  Value(std::int64_t value) : value_(value) {}
  Value(int value) : Value(std::int64_t{value}) {}
  Value(double value) : value_(value) {}
  Value(std::string value);
  Value(std::string_view value) : Value(std::string(value)) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(List value);
  Value(Tuple value);
  Value(Dict value);
  Value(calendar::Moment value);
  Value(TimeDelta value) : value_(value) {}
  Value(Undefined value);
  Value(std::shared_ptr<const Object> value) : value_(std::move(value)) {}
  /// markupsafe.Markup: a str that says it is HTML already.
  static Value markup(std::string text);
  /// A member of a Python class that is a str and an Enum: equal to `text`, printed as `shown`.
  static Value enumerated(std::string text, std::string shown);

  bool is_none() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_undefined() const { return undefined() != nullptr; }
  bool is_markup() const;
  /// Null when it is of another type.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const double* real() const { return std::get_if<double>(&value_); }
  const std::string* string() const;
  const List* list() const;
  const Tuple* tuple() const;
  const Dict* dict() const;
  const calendar::Moment* moment() const;
  const TimeDelta* delta() const { return std::get_if<TimeDelta>(&value_); }
  const Undefined* undefined() const;
  const std::shared_ptr<const Object>* object() const;
  /// The object when it is a T.
  template <typename T>
  const T* as() const {
    const auto* held = object();
    return held ? dynamic_cast<const T*>(held->get()) : nullptr;
  }
  /// A bool as an int, or an int; Python's `operator.index`.
  std::optional<std::int64_t> index() const;
  /// int, bool or float as a float.
  std::optional<double> number() const;

  bool truth() const;        ///< bool()
  std::string text() const;  ///< str()
  std::string repr() const;  ///< repr()
  std::string type_name() const;
  bool operator==(const Value& other) const;  ///< 1 == 1.0 == True, as in Python
  std::size_t hash() const;                   ///< equal for equal values
  bool hashable() const;
  bool same(const Value& other) const;  ///< `is`

  /// The list or dict for a template's `append` or `update`; null when it is not of this rendering.
  List* changeable_list() const;
  Dict* changeable_dict() const;

 private:
  struct Text {
    std::string text;
    bool markup = false;
    std::string shown = {};  ///< of an Enum
  };
  /// `rendering` is the rendering it was made in (python.h), 0 outside.
  template <typename T>
  struct Held {
    Held(T given, std::uint64_t made_in) : value(std::move(given)), rendering(made_in) {}
    ~Held();  ///< takes apart what is nested deep without deep recursion
    T value;
    std::uint64_t rendering;
  };
  std::variant<std::monostate, bool, std::int64_t, double, TimeDelta, std::shared_ptr<const Text>,
               std::shared_ptr<Held<List>>, std::shared_ptr<Held<Tuple>>,
               std::shared_ptr<Held<Dict>>, std::shared_ptr<const calendar::Moment>,
               std::shared_ptr<const Undefined>, std::shared_ptr<const Object>>
      value_;
};

/// JSON as Airflow's XCom serialises plain values; moments and deltas as Airflow's serde tags them.
Result<std::string> to_json(const Value& value);
Result<Value> from_json(std::string_view json);

}  // namespace tailrace::jinja
