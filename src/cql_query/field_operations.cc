// Operations on user types whose fields are cells of their own.
#include "cql_query/cell_path.h"
#include "cql_query/operation.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_terms::TermPtr;
using cql_terms::Value;

class SetUserType final : public Operation {
 public:
  SetUserType(const Column& column, TermPtr value) : Operation(column), value_(std::move(value)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value value, value_->bind(bindings));
    if (value.is_unset()) return {};
    writer.clear_before(column_);
    if (value.is_null()) return {};
    cql_types::TupleReader reader(value.bytes);
    cql_types::Part part;
    for (std::size_t field = 0; reader.next(part); ++field) {
      if (part) writer.put(column_, field_path(field), *part);
    }
    if (reader.failed()) return cql_types::invalid("Not enough bytes to read a user type");
    return {};
  }

 private:
  TermPtr value_;
};

class SetField final : public Operation {
 public:
  SetField(const Column& column, std::size_t field, TermPtr value)
      : Operation(column), path_(field_path(field)), value_(std::move(value)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value value, value_->bind(bindings));
    if (value.is_null())
      writer.erase(column_, path_);
    else if (!value.is_unset())
      writer.put(column_, path_, value.bytes);
    return {};
  }

 private:
  std::string path_;
  TermPtr value_;
};

class DeleteField final : public Operation {
 public:
  DeleteField(const Column& column, std::size_t field)
      : Operation(column), path_(field_path(field)) {}

  Outcome<void> execute(const Bindings&, RowWriter& writer) const override {
    writer.erase(column_, path_);
    return {};
  }

 private:
  std::string path_;
};

}  // namespace

OperationPtr set_user_type(const Column& column, TermPtr value) {
  return std::make_unique<SetUserType>(column, std::move(value));
}
OperationPtr set_field(const Column& column, std::size_t field, TermPtr value) {
  return std::make_unique<SetField>(column, field, std::move(value));
}
OperationPtr delete_field(const Column& column, std::size_t field) {
  return std::make_unique<DeleteField>(column, field);
}

}  // namespace tailrace::cql_query
