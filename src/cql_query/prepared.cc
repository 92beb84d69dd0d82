// Statements to what can run.
#include "cql_query/prepared.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_roles/role_statements.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::ColumnSpec;
using cql_schema::SchemaPtr;
using cql_schema::TablePtr;
using cql_syntax::Expression;
using cql_syntax::QualifiedName;
using cql_syntax::Relation;
using cql_terms::Scope;
using cql_types::ErrorCode;
using cql_types::failure;
using cql_types::invalid;
using Change = std::variant<cql_syntax::Insert, cql_syntax::Update, cql_syntax::Delete>;

constexpr std::size_t kMostMarkers = 65'535;

const QualifiedName& name_of(const Change& change) {
  if (const auto* insert = std::get_if<cql_syntax::Insert>(&change)) return insert->into;
  if (const auto* update = std::get_if<cql_syntax::Update>(&change)) return update->table;
  return std::get<cql_syntax::Delete>(change).from;
}

/// The markers that are whole columns of the partition key, if all of them are.
class KeyMarkers {
 public:
  explicit KeyMarkers(const cql_schema::Table& table)
      : table_(table), markers_(static_cast<std::size_t>(table.partition_columns), -1) {}

  void equal(const std::string& column, const Expression& value) {
    const int place = table_.find(column);
    if (place < 0 || place >= table_.partition_columns || value.marker < 0) return;
    markers_[static_cast<std::size_t>(place)] = value.marker;
  }
  void relations(const std::vector<Relation>& relations) {
    for (const auto& relation : relations)
      if (relation.kind == Relation::Kind::kColumn && relation.op == cql_syntax::Operator::kEqual)
        equal(relation.columns.front(), relation.values.front());
  }
  void change(const Change& change) {
    if (const auto* update = std::get_if<cql_syntax::Update>(&change)) relations(update->where);
    if (const auto* deletion = std::get_if<cql_syntax::Delete>(&change)) relations(deletion->where);
    if (const auto* insert = std::get_if<cql_syntax::Insert>(&change))
      for (std::size_t i = 0; i < std::min(insert->columns.size(), insert->values.size()); ++i)
        equal(insert->columns[i], insert->values[i]);
  }
  std::vector<std::uint16_t> all() const {
    std::vector<std::uint16_t> all;
    for (const int marker : markers_) {
      if (marker < 0) return {};
      all.push_back(static_cast<std::uint16_t>(marker));
    }
    return all;
  }

 private:
  const cql_schema::Table& table_;
  std::vector<int> markers_;
};

class Preparation {
 public:
  Preparation(Prepared& made, const SchemaPtr& schema, std::int64_t now_ms)
      : made_(made), schema_(schema) {
    made_.markers.resize(made_.statement.markers.size());
    scope_.schema = schema;
    scope_.markers = &made_.markers;
    scope_.marker_names = &made_.statement.markers;
    scope_.now_ms = now_ms;
  }

  Outcome<void> operator()(const cql_syntax::Select& select) {
    ASSIGN(auto table, enter(select.from));
    ASSIGN(made_.select, Select::prepare(select, table, scope_));
    KeyMarkers markers(*table);
    markers.relations(select.where);
    made_.partition_key = markers.all();
    return {};
  }
  Outcome<void> operator()(const cql_syntax::Insert& insert) { return change(insert); }
  Outcome<void> operator()(const cql_syntax::Update& update) { return change(update); }
  Outcome<void> operator()(const cql_syntax::Delete& deletion) { return change(deletion); }
  Outcome<void> operator()(const cql_syntax::Batch& batch) {
    ASSIGN(made_.batch, PreparedBatch::prepare(batch, scope_, [this](const QualifiedName& name) {
             return enter_to_write(name);
           }));
    if (batch.statements.empty()) return {};
    KeyMarkers markers(*made_.tables.front());
    markers.change(batch.statements.front());
    made_.partition_key = markers.all();
    return {};
  }
  Outcome<void> operator()(const cql_syntax::Truncate& truncate) {
    // Whether the table is there is told only to who may empty it.
    const auto& name = truncate.table;
    if (!name.keyspace && made_.keyspace.empty()) {
      TRY(enter(name));
    }
    if (auto table = schema_->table(name.keyspace.value_or(made_.keyspace), name.name))
      made_.tables.push_back(std::move(table));
    return {};
  }
  Outcome<void> operator()(const cql_syntax::PermissionStatement& /*statement*/) {
    return cql_roles::check_form(made_.statement);
  }
  Outcome<void> operator()(const cql_syntax::ListStatement& /*statement*/) {
    return cql_roles::check_form(made_.statement);
  }
  template <typename Other>
  Outcome<void> operator()(const Other& /*statement*/) {
    return {};
  }

 private:
  /// The table, in whose keyspace the statement's names then are.
  Outcome<TablePtr> enter(const QualifiedName& name) {
    ASSIGN(auto table, find_table(*schema_, name, made_.keyspace));
    scope_.keyspace = table->keyspace;
    made_.tables.push_back(table);
    return table;
  }

  Outcome<TablePtr> enter_to_write(const QualifiedName& name) {
    ASSIGN(auto table, enter(name));
    if (table->foreign)
      return invalid(fmt::format("{}.{} is a table of the pipeline, which alone writes its rows",
                                 table->keyspace, table->name));
    return table;
  }

  Outcome<void> change(const Change& change) {
    ASSIGN(auto table, enter_to_write(name_of(change)));
    ASSIGN(made_.modification, Modification::prepare(change, table, scope_, false));
    KeyMarkers markers(*table);
    markers.change(change);
    made_.partition_key = markers.all();
    return {};
  }

  Prepared& made_;
  const SchemaPtr& schema_;
  Scope scope_;
};

}  // namespace

Outcome<TablePtr> find_table(const cql_schema::Schema& schema, const QualifiedName& name,
                             const std::string& keyspace) {
  const std::string& in = name.keyspace ? *name.keyspace : keyspace;
  if (in.empty())
    return invalid(
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
  if (schema.keyspace(in) == nullptr) return invalid(fmt::format("keyspace {} does not exist", in));
  auto table = schema.table(in, name.name);
  if (!table) return invalid(fmt::format("table {} does not exist", name.name));
  return table;
}

bool Prepared::is_current(const cql_schema::Schema& schema) const {
  return std::ranges::all_of(tables, [&](const TablePtr& table) {
    return schema.table(table->keyspace, table->name) == table;
  });
}

Outcome<PreparedPtr> prepare(std::string_view text, const std::string& keyspace,
                             const SchemaPtr& schema, std::int64_t now_ms) {
  auto parsed = cql_syntax::parse(text);
  if (!parsed) {
    const bool syntax = parsed.error().code == Code::kInvalidArgument;
    return failure(syntax ? ErrorCode::kSyntax : ErrorCode::kInvalid,
                   std::move(parsed.error().what));
  }
  auto made = std::make_shared<Prepared>();
  made->text = text;
  made->keyspace = keyspace;
  made->statement = std::move(*parsed);
  if (made->statement.markers.size() > kMostMarkers)
    return invalid(fmt::format("Too many markers(?). {} markers exceed the allowed maximum of {}",
                               made->statement.markers.size(), kMostMarkers));
  TRY(std::visit(Preparation(*made, schema, now_ms), made->statement.body));
  return made;
}

}  // namespace tailrace::cql_query
