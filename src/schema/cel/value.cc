#include "schema/cel/value.h"

#include <utility>

namespace tailrace::schema::cel {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

/// As they compare: the whole number as the nearest double.
bool same(double a, auto b) {
  return a == static_cast<double>(b);
}

bool same_numbers(const Value& a, const Value& b) {
  const auto* ai = a.get<std::int64_t>();
  const auto* bi = b.get<std::int64_t>();
  const auto* au = a.get<std::uint64_t>();
  const auto* bu = b.get<std::uint64_t>();
  if (const double* ad = a.get<double>()) {
    if (const double* bd = b.get<double>()) return *ad == *bd;
    return bi ? same(*ad, *bi) : same(*ad, *bu);
  }
  if (const double* bd = b.get<double>()) return ai ? same(*bd, *ai) : same(*bd, *au);
  if (ai && bi) return *ai == *bi;
  if (au && bu) return *au == *bu;
  return ai ? std::cmp_equal(*ai, *bu) : std::cmp_equal(*au, *bi);
}

bool same_maps(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    bool found = false;
    for (const auto& [other, there] : b)
      if (equal(key, other)) found = equal(value, there);
    if (!found) return false;
  }
  return true;
}

bool same_records(const Record& a, const Record& b) {
  if (a.fields.size() != b.fields.size()) return false;
  for (std::size_t i = 0; i < a.fields.size(); ++i)
    if (a.fields[i].first != b.fields[i].first || !equal(a.fields[i].second, b.fields[i].second))
      return false;
  return true;
}

Value list_of(const arrow::Array& values, std::int64_t from, std::int64_t to) {
  List list;
  for (std::int64_t i = from; i < to; ++i) list.push_back(value_of(values, i));
  return Value::list(std::move(list));
}

Value map_of(const arrow::MapArray& maps, std::int64_t row) {
  Map map;
  for (std::int64_t i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i)
    map.emplace_back(value_of(*maps.keys(), i), value_of(*maps.items(), i));
  return Value::map(std::move(map));
}

Timestamp from_micros(std::int64_t micros) {
  std::int64_t seconds = micros / 1'000'000, rest = micros % 1'000'000;
  if (rest < 0) rest += 1'000'000, --seconds;
  return {seconds, static_cast<std::int32_t>(rest * 1000)};
}

template <typename A>
auto at(const arrow::Array& column, std::int64_t row) {
  return static_cast<const A&>(column).Value(row);
}

}  // namespace

std::string Value::type_name() const {
  return std::visit(
      Overloaded{[](const Null&) { return "null_type"; }, [](bool) { return "bool"; },
                 [](std::int64_t) { return "int"; }, [](std::uint64_t) { return "uint"; },
                 [](double) { return "double"; }, [](const std::string&) { return "string"; },
                 [](const Bytes&) { return "bytes"; },
                 [](const Timestamp&) { return "google.protobuf.Timestamp"; },
                 [](const Duration&) { return "google.protobuf.Duration"; },
                 [](const TypeName&) { return "type"; },
                 [](const std::shared_ptr<const List>&) { return "list"; },
                 [](const std::shared_ptr<const Map>&) { return "map"; },
                 [](const std::shared_ptr<const Record>&) { return "message"; }},
      any_);
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return same_numbers(a, b);
  if (a.list() && b.list()) {
    if (a.list()->size() != b.list()->size()) return false;
    for (std::size_t i = 0; i < a.list()->size(); ++i)
      if (!equal((*a.list())[i], (*b.list())[i])) return false;
    return true;
  }
  if (a.map() && b.map()) return same_maps(*a.map(), *b.map());
  if (a.record() && b.record()) return same_records(*a.record(), *b.record());
  const auto both = [&]<typename T>(T*) {
    return a.get<T>() && b.get<T>() && *a.get<T>() == *b.get<T>();
  };
  return (a.is_null() && b.is_null()) || both(static_cast<bool*>(nullptr)) ||
         both(static_cast<std::string*>(nullptr)) || both(static_cast<Bytes*>(nullptr)) ||
         both(static_cast<Timestamp*>(nullptr)) || both(static_cast<Duration*>(nullptr)) ||
         both(static_cast<TypeName*>(nullptr));
}

Value value_of(const Json& json) {
  if (const bool* truth = json.boolean()) return Value(*truth);
  if (const std::int64_t* number = json.integer()) return Value(*number);
  if (json.is_number()) return Value(json.number());
  if (const std::string* text = json.text()) return Value(*text);
  if (const JsonArray* array = json.array()) {
    List list;
    for (const Json& item : *array) list.push_back(value_of(item));
    return Value::list(std::move(list));
  }
  if (const JsonObject* object = json.object()) {
    Map map;
    for (const JsonMember& member : *object)
      map.emplace_back(Value(member.name), value_of(member.value));
    return Value::map(std::move(map));
  }
  return Value();
}

Value value_of(const arrow::Array& column, std::int64_t row) {
  using Id = arrow::Type;
  if (column.IsNull(row)) return Value();
  switch (column.type_id()) {
    case Id::BOOL:
      return Value(at<arrow::BooleanArray>(column, row));
    case Id::INT8:
      return Value(std::int64_t{at<arrow::Int8Array>(column, row)});
    case Id::INT16:
      return Value(std::int64_t{at<arrow::Int16Array>(column, row)});
    case Id::INT32:
      return Value(std::int64_t{at<arrow::Int32Array>(column, row)});
    case Id::INT64:
      return Value(std::int64_t{at<arrow::Int64Array>(column, row)});
    case Id::FLOAT:
      return Value(double{at<arrow::FloatArray>(column, row)});
    case Id::DOUBLE:
      return Value(at<arrow::DoubleArray>(column, row));
    case Id::STRING:
      return Value(std::string(static_cast<const arrow::StringArray&>(column).GetView(row)));
    case Id::BINARY:
      return Value(Bytes{std::string(static_cast<const arrow::BinaryArray&>(column).GetView(row))});
    case Id::DATE32:
      return Value(Timestamp{std::int64_t{at<arrow::Date32Array>(column, row)} * 86'400, 0});
    case Id::TIMESTAMP:
      return Value(from_micros(at<arrow::TimestampArray>(column, row)));
    case Id::DURATION:
      return Value(Duration{at<arrow::DurationArray>(column, row) * 1000});
    case Id::DECIMAL128: {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(column);
      const auto scale = static_cast<const arrow::Decimal128Type&>(*column.type()).scale();
      return Value(arrow::Decimal128(decimals.GetValue(row)).ToDouble(scale));
    }
    case Id::LIST: {
      const auto& lists = static_cast<const arrow::ListArray&>(column);
      return list_of(*lists.values(), lists.value_offset(row), lists.value_offset(row + 1));
    }
    case Id::MAP:
      return map_of(static_cast<const arrow::MapArray&>(column), row);
    case Id::STRUCT: {
      const auto& rows = static_cast<const arrow::StructArray&>(column);
      Record record;
      for (int i = 0; i < rows.num_fields(); ++i)
        record.fields.emplace_back(rows.type()->field(i)->name(), value_of(*rows.field(i), row));
      return Value::record(std::move(record));
    }
    default:
      return Value();
  }
}

}  // namespace tailrace::schema::cel
