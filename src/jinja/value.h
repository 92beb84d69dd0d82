// The values that DAG files, templates, XComs and configurations share: Python's, as far as YAML,
// JSON and Jinja can name them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
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
  void set(Value key, Value value);
  std::size_t size() const;
  const std::vector<std::pair<Value, Value>>& items() const { return items_; }

 private:
  std::vector<std::pair<Value, Value>> items_;  ///< searched in order while small
};

struct Tuple {
  List items;
};
struct TimeDelta {
  std::int64_t micros = 0;
};
struct Undefined {
  std::string name;
};  ///< what a template named and nothing gave

/// Something with attributes that a template can ask for: `ti`, `dag_run`, `macros`, `var`.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;
  virtual std::string text() const = 0;  ///< str()
  /// Undefined when it has none.
  virtual Value attribute(std::string_view name) const = 0;
  /// `object[key]`; by default attribute() of a string.
  virtual Result<Value> item(const Value& key) const;
  using Named = std::vector<std::pair<std::string, Value>>;
  virtual Result<Value> call(const List& arguments, const Named& named) const;
};

/// None, bool, int (64 bits; Python's larger ones are an error that says so), float, str, bytes do
/// not occur; list, tuple, dict, datetime, timedelta, and objects. Copies of strings, lists and
/// dicts share what they hold until changed.
class Value {
 public:
  Value() = default;  ///< None
  Value(bool value);
  Value(std::int64_t value);
  Value(int value) : Value(std::int64_t{value}) {}
  Value(double value);
  Value(std::string value);
  Value(const char* value) : Value(std::string(value)) {}
  Value(List value);
  Value(Tuple value);
  Value(Dict value);
  Value(calendar::Moment value);
  Value(TimeDelta value);
  Value(Undefined value);
  Value(std::shared_ptr<const Object> value);

  bool is_none() const;
  bool is_undefined() const;
  /// Null when it is of another type.
  const bool* boolean() const;
  const std::int64_t* integer() const;
  const double* real() const;
  const std::string* string() const;
  const List* list() const;
  const Tuple* tuple() const;
  const Dict* dict() const;
  const calendar::Moment* moment() const;
  const TimeDelta* delta() const;
  const std::shared_ptr<const Object>* object() const;

  bool truth() const;        ///< bool()
  std::string text() const;  ///< str()
  std::string repr() const;  ///< repr()
  std::string type_name() const;
  bool operator==(const Value& other) const;  ///< 1 == 1.0 == True, as in Python

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::shared_ptr<const std::string>,
               std::shared_ptr<const List>, std::shared_ptr<const Tuple>,
               std::shared_ptr<const Dict>, calendar::Moment, TimeDelta, Undefined,
               std::shared_ptr<const Object>>
      value_;
};

/// JSON as Airflow's XCom serialises plain values; moments and deltas as Airflow's serde tags them.
Result<std::string> to_json(const Value& value);
Result<Value> from_json(std::string_view json);

}  // namespace tailrace::jinja
