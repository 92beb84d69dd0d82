// Operations on sets and maps whose elements are cells of their own.
#include "cql_query/cell_path.h"
#include "cql_query/operation.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_terms::TermPtr;
using cql_terms::Value;
using cql_types::invalid;

bool is_map(const Column& column) {
  return column.type->kind == cql_types::Kind::kMap;
}

Outcome<void> put(const Column& column, std::string_view key, std::string_view value,
                  RowWriter& writer) {
  const cql_types::Type& type = column.type->key();
  std::string path;
  std::string buffer;
  TRY(append_element_path(path, type, key));
  writer.put(column, path, element_value(type, key, value, buffer));
  return {};
}

Outcome<void> erase(const Column& column, std::string_view key, RowWriter& writer) {
  std::string path;
  TRY(append_element_path(path, column.type->key(), key));
  writer.erase(column, path);
  return {};
}

Outcome<void> add(const Column& column, std::string_view elements, RowWriter& writer) {
  cql_types::CollectionReader reader(elements, is_map(column) ? 2 : 1);
  cql_types::Part key;
  cql_types::Part value = "";
  while (reader.next(key) && (!is_map(column) || reader.next(value))) {
    if (!key || !value) return invalid("null is not supported inside collections");
    TRY(put(column, *key, *value, writer));
  }
  if (reader.failed()) {
    return invalid(is_map(column) ? "Not enough bytes to read a map"
                                  : "Not enough bytes to read a set");
  }
  return {};
}

class SetElements final : public Operation {
 public:
  SetElements(const Column& column, TermPtr elements)
      : Operation(column), elements_(std::move(elements)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value elements, elements_->bind(bindings));
    if (elements.is_unset()) return {};
    writer.clear_before(column_);
    if (elements.is_null()) return {};
    return add(column_, elements.bytes, writer);
  }

 private:
  TermPtr elements_;
};

class AddElements final : public Operation {
 public:
  AddElements(const Column& column, TermPtr elements)
      : Operation(column), elements_(std::move(elements)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value elements, elements_->bind(bindings));
    if (elements.kind != Value::Kind::kBytes) return {};
    return add(column_, elements.bytes, writer);
  }

 private:
  TermPtr elements_;
};

class RemoveElements final : public Operation {
 public:
  RemoveElements(const Column& column, TermPtr keys) : Operation(column), keys_(std::move(keys)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value keys, keys_->bind(bindings));
    if (keys.kind != Value::Kind::kBytes) return {};
    cql_types::CollectionReader reader(keys.bytes, 1);
    cql_types::Part key;
    while (reader.next(key)) {
      if (!key) return invalid("null is not supported inside collections");
      TRY(erase(column_, *key, writer));
    }
    if (reader.failed()) return invalid("Not enough bytes to read a set");
    return {};
  }

 private:
  TermPtr keys_;
};

class PutMapElement final : public Operation {
 public:
  PutMapElement(const Column& column, TermPtr key, TermPtr value)
      : Operation(column), key_(std::move(key)), value_(std::move(value)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value key, key_->bind(bindings));
    ASSIGN(const Value value, value_->bind(bindings));
    if (key.is_null()) return invalid("Invalid null map key");
    if (key.is_unset()) return invalid("Invalid unset map key");
    if (value.is_null()) return erase(column_, key.bytes, writer);
    if (value.is_unset()) return {};
    return put(column_, key.bytes, value.bytes, writer);
  }

 private:
  TermPtr key_, value_;
};

class DeleteElement final : public Operation {
 public:
  DeleteElement(const Column& column, TermPtr key) : Operation(column), key_(std::move(key)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value key, key_->bind(bindings));
    if (key.is_null()) {
      return invalid(is_map(column_) ? "Invalid null map key" : "Invalid null set element");
    }
    if (key.is_unset()) {
      if (is_map(column_)) return invalid("Invalid unset map key");
      return {};
    }
    return erase(column_, key.bytes, writer);
  }

 private:
  TermPtr key_;
};

}  // namespace

OperationPtr set_elements(const Column& column, TermPtr elements) {
  return std::make_unique<SetElements>(column, std::move(elements));
}
OperationPtr add_elements(const Column& column, TermPtr elements) {
  return std::make_unique<AddElements>(column, std::move(elements));
}
OperationPtr remove_elements(const Column& column, TermPtr keys) {
  return std::make_unique<RemoveElements>(column, std::move(keys));
}
OperationPtr put_map_element(const Column& column, TermPtr key, TermPtr value) {
  return std::make_unique<PutMapElement>(column, std::move(key), std::move(value));
}
OperationPtr delete_element(const Column& column, TermPtr key) {
  return std::make_unique<DeleteElement>(column, std::move(key));
}

}  // namespace tailrace::cql_query
