#include "columns/widening.h"

#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>

namespace tailrace {
namespace {

/// The place of a whole number's type in its chain; 0 for what is none.
int whole_rank(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return 1;
    case arrow::Type::INT16:
      return 2;
    case arrow::Type::INT32:
      return 3;
    case arrow::Type::INT64:
      return 4;
    default:
      return 0;
  }
}

bool is_fraction(const arrow::DataType& type) {
  return type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE;
}

std::unexpected<Error> no_wider(const arrow::DataType& before, const arrow::DataType& next) {
  return error(Code::kFailedPrecondition,
               fmt::format("{} cannot become {}", spark_name(before), spark_name(next)));
}

Result<Type> wider_decimal(const arrow::DataType& before, const arrow::DataType& next) {
  const auto& a = static_cast<const arrow::Decimal128Type&>(before);
  const auto& b = static_cast<const arrow::Decimal128Type&>(next);
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  if (whole + scale > arrow::Decimal128Type::kMaxPrecision) return no_wider(before, next);
  return arrow::decimal128(whole + scale, scale);
}

Result<arrow::FieldVector> wider_fields(const arrow::FieldVector& before,
                                        const arrow::FieldVector& next) {
  arrow::FieldVector fields;
  const auto named = [](const arrow::FieldVector& all, const std::string& name) {
    return std::ranges::find_if(all, [&](const Field& field) { return field->name() == name; });
  };
  for (const Field& field : before) {
    const auto other = named(next, field->name());
    if (other == next.end()) {
      fields.push_back(field->WithNullable(true));
      continue;
    }
    auto type = widened_type(field->type(), (*other)->type());
    if (!type) return std::unexpected(type.error().in(field->name()));
    fields.push_back(arrow::field(field->name(), std::move(*type)));
  }
  for (const Field& field : next)
    if (named(before, field->name()) == before.end()) fields.push_back(field->WithNullable(true));
  return fields;
}

Result<Array> cast(const Array& values, const Type& type) {
  const auto wide = widened_type(values->type(), type);
  if (!wide || !(*wide)->Equals(*type))
    return error(Code::kInvalidArgument,
                 fmt::format("{}, not {}", spark_name(*values->type()), spark_name(*type)));
  initialise_kernels();
  return from_arrow(arrow::compute::Cast(*values, type, arrow::compute::CastOptions::Unsafe()));
}

/// Children by name, in the order of the wide type.
Result<Array> widened_struct(const Array& values, const Type& wide) {
  const auto& rows = static_cast<const arrow::StructArray&>(*values);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const Field& field : wide->fields()) {
    const int place =
        static_cast<const arrow::StructType&>(*rows.type()).GetFieldIndex(field->name());
    Array child;
    if (place < 0) {
      ASSIGN(child,
             from_arrow(arrow::MakeArrayOfNull(field->type(), rows.length() + rows.offset())));
    } else {
      // Not rows.field(): that one is cut to the rows already.
      ASSIGN(child,
             widened(arrow::MakeArray(rows.data()->child_data[static_cast<std::size_t>(place)]),
                     field->type()));
    }
    children.push_back(child->data());
  }
  auto data = rows.data()->Copy();
  data->type = wide;
  data->child_data = std::move(children);
  return arrow::MakeArray(data);
}

Result<Array> widened_list(const Array& values, const Type& wide) {
  auto data = values->data()->Copy();
  ASSIGN(const Array elements,
         widened(arrow::MakeArray(data->child_data[0]), wide->field(0)->type()));
  data->type = wide;
  data->child_data = {elements->data()};
  return arrow::MakeArray(data);
}

}  // namespace

Result<Type> widened_type(const Type& before, const Type& next) {
  if (before->Equals(*next)) return before;
  if (before->id() == arrow::Type::NA) return next;
  if (next->id() == arrow::Type::NA) return before;
  if (whole_rank(*before) > 0 && whole_rank(*next) > 0)
    return whole_rank(*before) < whole_rank(*next) ? next : before;
  const bool numbers = (whole_rank(*before) > 0 || is_fraction(*before)) &&
                       (whole_rank(*next) > 0 || is_fraction(*next));
  if (numbers) return arrow::float64();
  if (before->id() != next->id()) return no_wider(*before, *next);
  switch (before->id()) {
    case arrow::Type::DECIMAL128:
      return wider_decimal(*before, *next);
    case arrow::Type::STRUCT: {
      ASSIGN(auto fields, wider_fields(before->fields(), next->fields()));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST: {
      ASSIGN(const Type element, widened_type(before->field(0)->type(), next->field(0)->type()));
      return arrow::list(before->field(0)->WithType(element));
    }
    case arrow::Type::MAP: {
      const auto& a = static_cast<const arrow::MapType&>(*before);
      const auto& b = static_cast<const arrow::MapType&>(*next);
      if (!a.key_type()->Equals(*b.key_type())) return no_wider(*before, *next);
      ASSIGN(const Type value, widened_type(a.item_type(), b.item_type()));
      return arrow::map(a.key_type(), a.item_field()->WithType(value));
    }
    default:
      return no_wider(*before, *next);
  }
}

Result<Schema> widened_schema(const Schema& before, const Schema& next) {
  ASSIGN(auto fields, wider_fields(before->fields(), next->fields()));
  return arrow::schema(std::move(fields));
}

Result<Array> widened(const Array& values, const Type& wide) {
  if (values->type()->Equals(*wide)) return values;
  if (values->type_id() == arrow::Type::NA)
    return from_arrow(arrow::MakeArrayOfNull(wide, values->length()));
  if (values->type_id() == arrow::Type::STRUCT && wide->id() == arrow::Type::STRUCT)
    return widened_struct(values, wide);
  const bool lists = values->type_id() == wide->id() &&
                     (wide->id() == arrow::Type::LIST || wide->id() == arrow::Type::MAP);
  return lists ? widened_list(values, wide) : cast(values, wide);
}

Result<Batch> widened_rows(const Batch& rows, const Schema& wide) {
  if (rows->schema()->Equals(*wide, false)) return rows;
  arrow::ArrayVector columns;
  for (const Field& field : wide->fields()) {
    Array column = rows->GetColumnByName(field->name());
    if (column) {
      auto wider = widened(column, field->type());
      if (!wider) return std::unexpected(wider.error().in("column " + field->name()));
      column = std::move(*wider);
    } else {
      ASSIGN(column, from_arrow(arrow::MakeArrayOfNull(field->type(), rows->num_rows())));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(wide, rows->num_rows(), std::move(columns));
}

}  // namespace tailrace
