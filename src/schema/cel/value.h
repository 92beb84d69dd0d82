// CEL's values, as they are while an expression is evaluated.
//
// A record's columns become a Record: fields that are null are there and null, and has() of one is
// false, as a registry's clients see an Avro record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "columns/types.h"
#include "schema/json.h"

namespace tailrace::schema::cel {

class Value;

struct Null {
  bool operator==(const Null&) const = default;
};
struct Bytes {
  std::string bytes;
  bool operator==(const Bytes&) const = default;
};
/// Since 1970-01-01 UTC; 0 <= nanos < 1e9.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  auto operator<=>(const Timestamp&) const = default;
};
struct Duration {
  std::int64_t nanos = 0;
  auto operator<=>(const Duration&) const = default;
};
/// The name of a type, as type(x) gives it.
struct TypeName {
  std::string name;
  bool operator==(const TypeName&) const = default;
};

using List = std::vector<Value>;
/// In the order of writing; keys are bool, int, uint or string, no two equal.
using Map = std::vector<std::pair<Value, Value>>;
/// A message of named fields.
struct Record {
  std::vector<std::pair<std::string, Value>> fields;
};

class Value {
 public:
  using Any = std::variant<Null, bool, std::int64_t, std::uint64_t, double, std::string, Bytes,
                           Timestamp, Duration, TypeName, std::shared_ptr<const List>,
                           std::shared_ptr<const Map>, std::shared_ptr<const Record>>;

  Value() = default;
  template <typename T>
  requires std::is_constructible_v<Any, T>
  explicit Value(T value) : any_(std::move(value)) {}
  static Value list(List list) { return Value(std::make_shared<const List>(std::move(list))); }
  static Value map(Map map) { return Value(std::make_shared<const Map>(std::move(map))); }
  static Value record(Record record) {
    return Value(std::make_shared<const Record>(std::move(record)));
  }

  template <typename T>
  const T* get() const {
    return std::get_if<T>(&any_);
  }
  const List* list() const { return pointed<List>(); }
  const Map* map() const { return pointed<Map>(); }
  const Record* record() const { return pointed<Record>(); }
  bool is_null() const { return get<Null>() != nullptr; }
  bool is_number() const { return get<std::int64_t>() || get<std::uint64_t>() || get<double>(); }
  /// "int", "string", "list", "google.protobuf.Timestamp" …
  std::string type_name() const;

 private:
  template <typename T>
  const T* pointed() const {
    const auto* pointer = get<std::shared_ptr<const T>>();
    return pointer ? pointer->get() : nullptr;
  }
  Any any_ = Null{};
};

/// CEL's ==: numbers by their value, whatever their types; values of different types differ.
bool equal(const Value& a, const Value& b);

/// A document of JSON: whole numbers are ints, objects maps.
Value value_of(const Json& json);

/// The row's value of a column. Numbers that are no CEL type become the nearest (DECIMAL a double,
/// DATE a timestamp at its midnight).
Value value_of(const arrow::Array& column, std::int64_t row);

}  // namespace tailrace::schema::cel
