// Operations on lists whose elements are cells of their own.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "cql_query/cell_path.h"
#include "cql_query/operation.h"
#include "cql_query/timestamps.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_terms::TermPtr;
using cql_terms::Value;
using cql_types::invalid;

constexpr std::string_view kNullInside = "null is not supported inside collections";

Outcome<std::vector<std::string_view>> elements_of(std::string_view list) {
  cql_types::CollectionReader reader(list, 1);
  std::vector<std::string_view> elements;
  cql_types::Part part;
  while (reader.next(part)) {
    if (!part) return invalid(std::string(kNullInside));
    elements.push_back(*part);
  }
  if (reader.failed()) return invalid("Not enough bytes to read a list");
  return elements;
}

Outcome<void> append(const Column& column, const Value& list, const Bindings& bindings,
                     RowWriter& writer) {
  CHECK(bindings.timeuuids != nullptr);
  ASSIGN(const auto elements, elements_of(list.bytes));
  for (const std::string_view element : elements) {
    writer.put(column, list_path(bindings.timeuuids->next(bindings.now_us / 1'000)), element);
  }
  return {};
}

class SetList final : public Operation {
 public:
  SetList(const Column& column, TermPtr list) : Operation(column), list_(std::move(list)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value list, list_->bind(bindings));
    if (list.is_unset()) return {};
    writer.clear_before(column_);
    if (list.is_null()) return {};
    return append(column_, list, bindings, writer);
  }

 private:
  TermPtr list_;
};

class AppendToList final : public Operation {
 public:
  AppendToList(const Column& column, TermPtr list) : Operation(column), list_(std::move(list)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value list, list_->bind(bindings));
    if (list.kind != Value::Kind::kBytes) return {};
    return append(column_, list, bindings, writer);
  }

 private:
  TermPtr list_;
};

class PrependToList final : public Operation {
 public:
  PrependToList(const Column& column, TermPtr list) : Operation(column), list_(std::move(list)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value list, list_->bind(bindings));
    if (list.kind != Value::Kind::kBytes) return {};
    ASSIGN(const auto elements, elements_of(list.bytes));
    auto left = std::span(elements);
    while (!left.empty()) {  // from the last, as each take lies before the one before
      const auto now = left.last(std::min<std::size_t>(left.size(), PrependSource::kMost));
      auto place = prepend_places().take(bindings.now_us / 1'000, std::ssize(now));
      for (const std::string_view element : now) {
        writer.put(column_, list_path(place++, 0), element);
      }
      left = left.first(left.size() - now.size());
    }
    return {};
  }

 private:
  TermPtr list_;
};

class RemoveFromList final : public Operation {
 public:
  RemoveFromList(const Column& column, TermPtr list) : Operation(column), list_(std::move(list)) {}

  bool reads() const override { return true; }
  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value list, list_->bind(bindings));
    if (list.kind != Value::Kind::kBytes) return {};
    ASSIGN(const auto elements, elements_of(list.bytes));
    ASSIGN(const auto seen, writer.seen(column_));
    for (const SeenCell& cell : seen) {
      if (std::ranges::find(elements, cell.value) != elements.end()) {
        writer.erase(column_, cell.path);
      }
    }
    return {};
  }

 private:
  TermPtr list_;
};

// The cell at an index; `verb` is "set an element on" or "delete an element from".
Outcome<const SeenCell*> at_index(std::span<const SeenCell> seen, std::string_view index,
                                  std::string_view verb) {
  if (index.size() != 4) return invalid("Invalid null value for list index");
  const auto i = load_be<std::int32_t>(index.data());
  if (seen.empty()) return invalid(fmt::format("Attempted to {} a list which is null", verb));
  if (i < 0 || i >= std::ssize(seen)) {
    return invalid(fmt::format("List index {} out of bound, list has size {}", i, seen.size()));
  }
  return &seen[static_cast<std::size_t>(i)];
}

class SetListElement final : public Operation {
 public:
  SetListElement(const Column& column, TermPtr index, TermPtr value)
      : Operation(column), index_(std::move(index)), value_(std::move(value)) {}

  bool reads() const override { return true; }
  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value index, index_->bind(bindings));
    ASSIGN(const Value value, value_->bind(bindings));
    if (index.is_null()) return invalid("Invalid null value for list index");
    if (index.is_unset()) return invalid("Invalid unset value for list index");
    ASSIGN(const auto seen, writer.seen(column_));
    ASSIGN(const SeenCell* cell, at_index(seen, index.bytes, "set an element on"));
    if (value.is_null())
      writer.erase(column_, cell->path);
    else if (!value.is_unset())
      writer.put(column_, cell->path, value.bytes);
    return {};
  }

 private:
  TermPtr index_, value_;
};

class DeleteListElement final : public Operation {
 public:
  DeleteListElement(const Column& column, TermPtr index)
      : Operation(column), index_(std::move(index)) {}

  bool reads() const override { return true; }
  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value index, index_->bind(bindings));
    if (index.is_null()) return invalid("Invalid null value for list index");
    if (index.is_unset()) return {};
    ASSIGN(const auto seen, writer.seen(column_));
    ASSIGN(const SeenCell* cell, at_index(seen, index.bytes, "delete an element from"));
    writer.erase(column_, cell->path);
    return {};
  }

 private:
  TermPtr index_;
};

}  // namespace

OperationPtr set_list(const Column& column, TermPtr list) {
  return std::make_unique<SetList>(column, std::move(list));
}
OperationPtr append_to_list(const Column& column, TermPtr list) {
  return std::make_unique<AppendToList>(column, std::move(list));
}
OperationPtr prepend_to_list(const Column& column, TermPtr list) {
  return std::make_unique<PrependToList>(column, std::move(list));
}
OperationPtr remove_from_list(const Column& column, TermPtr list) {
  return std::make_unique<RemoveFromList>(column, std::move(list));
}
OperationPtr set_list_element(const Column& column, TermPtr index, TermPtr value) {
  return std::make_unique<SetListElement>(column, std::move(index), std::move(value));
}
OperationPtr delete_list_element(const Column& column, TermPtr index) {
  return std::make_unique<DeleteListElement>(column, std::move(index));
}

}  // namespace tailrace::cql_query
