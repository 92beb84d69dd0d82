#include "schema/avro/columns.h"

#include <algorithm>
#include <unordered_set>

namespace tailrace::schema::avro {
namespace {

constexpr int kMaxDecimalDigits = 38;

class ColumnTypes {
 public:
  Result<tailrace::Type> of(const Type& type, const std::string& path) {
    if (++count_ > kMaxColumns)
      return error(Code::kUnimplemented,
                   path + ": the schema has more than " + std::to_string(kMaxColumns) + " columns");
    switch (type.kind) {
      case Kind::kArray: {
        ASSIGN(auto element, of(*type.element, path + ".element"));
        return arrow::list(arrow::field("element", element));
      }
      case Kind::kMap: {
        ASSIGN(auto value, of(*type.element, path + ".value"));
        return arrow::map(arrow::utf8(), value);
      }
      case Kind::kUnion:
        return of_union(type, path);
      case Kind::kRecord: {
        ASSIGN(auto fields, of_record(type, path));
        return arrow::struct_(fields);
      }
      case Kind::kEnum:
        return arrow::utf8();
      default:
        return of_scalar(type, path);
    }
  }

  Result<arrow::FieldVector> of_record(const Type& record, const std::string& path) {
    if (!open_.insert(&record).second)
      return error(Code::kUnimplemented, path + ": record " + record.defined->full_name +
                                             " contains itself, which no column does");
    arrow::FieldVector fields;
    for (const auto& field : record.defined->fields) {
      ASSIGN(auto type, of(*field.type, path.empty() ? field.name : path + "." + field.name));
      fields.push_back(arrow::field(field.name, type));
    }
    open_.erase(&record);
    return fields;
  }

 private:
  Result<tailrace::Type> of_union(const Type& type, const std::string& path) {
    const UnionColumn column = union_column(type);
    if (column.single) return of(*column.single, path);
    if (column.branches.empty()) return arrow::null();
    arrow::FieldVector members;
    for (const Type* branch : column.branches) {
      const std::string name = "member" + std::to_string(members.size());
      ASSIGN(auto member, of(*branch, path + "." + name));
      members.push_back(arrow::field(name, member));
    }
    return arrow::struct_(members);
  }

  static Result<tailrace::Type> of_scalar(const Type& type, const std::string& path) {
    switch (type.logical.kind) {
      case Logical::kDate:
        return arrow::date32();
      case Logical::kTimestampMillis:
      case Logical::kTimestampMicros:
      case Logical::kTimestampNanos:
        return timestamp_type();
      case Logical::kLocalTimestampMillis:
      case Logical::kLocalTimestampMicros:
      case Logical::kLocalTimestampNanos:
        return arrow::timestamp(arrow::TimeUnit::MICRO);
      case Logical::kUuid:
        return arrow::utf8();
      case Logical::kDuration:
        return arrow::struct_({arrow::field("months", arrow::int64()),
                               arrow::field("days", arrow::int64()),
                               arrow::field("milliseconds", arrow::int64())});
      case Logical::kDecimal:
        if (type.logical.precision > kMaxDecimalDigits)
          return error(Code::kUnimplemented, path + ": a decimal of " +
                                                 std::to_string(type.logical.precision) +
                                                 " digits; a column holds 38");
        return arrow::decimal128(type.logical.precision, type.logical.scale);
      default:
        return of_primitive(type.kind);
    }
  }

  static tailrace::Type of_primitive(Kind kind) {
    switch (kind) {
      case Kind::kNull:
        return arrow::null();
      case Kind::kBoolean:
        return arrow::boolean();
      case Kind::kInt:
        return arrow::int32();
      case Kind::kLong:
        return arrow::int64();
      case Kind::kFloat:
        return arrow::float32();
      case Kind::kDouble:
        return arrow::float64();
      case Kind::kString:
        return arrow::utf8();
      default:
        return arrow::binary();
    }
  }

  std::size_t count_ = 0;
  std::unordered_set<const Type*> open_;
};

// The wider of two plain numbers, or null.
const Type* wider(const std::vector<const Type*>& branches) {
  if (branches.size() != 2) return nullptr;
  const auto has = [&](Kind kind) -> const Type* {
    for (const Type* one : branches)
      if (one->kind == kind && one->logical.kind == Logical::kNone) return one;
    return nullptr;
  };
  if (has(Kind::kInt)) return has(Kind::kLong);
  if (has(Kind::kFloat)) return has(Kind::kDouble);
  return nullptr;
}

}  // namespace

UnionColumn union_column(const Type& type) {
  UnionColumn column;
  for (const Type* branch : type.branches) {
    if (branch->kind == Kind::kNull)
      column.nullable = true;
    else
      column.branches.push_back(branch);
  }
  column.single = column.branches.size() == 1 ? column.branches.front() : wider(column.branches);
  return column;
}

Result<Schema> columns_of(const Type& root) {
  ColumnTypes types;
  if (root.kind == Kind::kRecord) {
    ASSIGN(auto fields, types.of_record(root, ""));
    return arrow::schema(fields);
  }
  ASSIGN(auto type, types.of(root, "value"));
  return arrow::schema({arrow::field("value", type)});
}

}  // namespace tailrace::schema::avro
