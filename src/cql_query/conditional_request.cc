#include "cql_query/conditional_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_query/source_row.h"
#include "cql_query/timestamps.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_types::invalid;
using If = PreparedModification::If;

constexpr cql_store::RowKey kStaticRow{.clustering = {}, .raw = {}, .is_static = true};

bool is_exists(If kind) {
  return kind == If::kExists || kind == If::kNotExists;
}

std::string in_refused(std::string_view what, const PreparedModification& statement) {
  return fmt::format("IN on the {} is not supported with conditional {}", what,
                     statement.kind() == StatementKind::kUpdate ? "updates" : "deletions");
}

}  // namespace

ConditionalRequest::ConditionalRequest(const PreparedModification& first, bool is_batch,
                                       const Moment& moment)
    : table_(first.table()), is_batch_(is_batch), moment_(moment) {}

Outcome<std::unique_ptr<ConditionalRequest>> ConditionalRequest::make(
    std::span<const BoundModification> statements, bool is_batch, const Moment& moment) {
  const auto& first = prepared(*statements[0].statement);
  auto made = std::unique_ptr<ConditionalRequest>(new ConditionalRequest(first, is_batch, moment));
  for (const auto& [statement, bindings] : statements) {
    made->reads_rows_ |= prepared(*statement).updates_rows();
    TRY(made->add(prepared(*statement), *bindings));
  }
  return made;
}

Outcome<void> ConditionalRequest::add(const PreparedModification& statement,
                                      const Bindings& given) {
  ASSIGN(auto bound, statement.bind(given));
  const StatementBindings& bindings = bindings_.emplace_back(std::move(bound));
  now_us_ = std::max(now_us_, given.now_us);
  TRY(name_partition(statement, bindings));
  if (statement.restrictions().clustering_has_in()) {
    return invalid(in_refused("clustering key columns", statement));
  }
  if (statement.has_slices()) {
    ASSIGN(auto slices, statement.restrictions().slices(bindings.columns()));
    for (auto& slice : slices) {
      updates_.push_back({&statement, &bindings, std::nullopt, std::move(slice)});
    }
    return {};
  }
  ASSIGN(auto rows, statement.rows(bindings));
  for (auto& row : rows) {
    TRY(add_conditions(statement, bindings, row));
    updates_.push_back({&statement, &bindings, std::move(row), std::nullopt});
  }
  return {};
}

Outcome<void> ConditionalRequest::name_partition(const PreparedModification& statement,
                                                 const StatementBindings& bindings) {
  ASSIGN(const auto keys, statement.keys(bindings));
  if (statement.restrictions().key_has_in() || keys.empty()) {
    if (!is_batch_) return invalid(in_refused("partition key", statement));
    return cql_types::failure(
        cql_types::ErrorCode::kServer,
        "java.lang.IllegalArgumentException: Batch with conditions cannot span multiple "
        "partitions (you cannot use IN on the partition key)");
  }
  if (named_ && keys[0].bytes != key_.bytes) {
    return invalid("Batch with conditions cannot span multiple partitions");
  }
  key_ = keys[0];
  named_ = true;
  return {};
}

Outcome<void> ConditionalRequest::add_conditions(const PreparedModification& statement,
                                                 const StatementBindings& bindings,
                                                 const std::optional<Clustering>& clustering) {
  if (!statement.has_conditions()) return {};
  reads_static_row_ |= statement.updates_static_row();
  bool is_new = false;
  if (is_exists(statement.condition())) {
    all_columns_ = true;
    const bool of_static = !clustering && !statement.updates_rows();
    auto& row = conditions_of(clustering, of_static, is_new);
    return add_exists(row, is_new, statement.condition());
  }
  const auto& [regular, of_static] = statement.conditions();
  for (const auto* list : {&regular, &of_static}) {
    for (const auto& condition : *list) {
      condition_columns_.push_back(table_->find(condition.column().name));
    }
  }
  if (!regular.empty()) {
    auto& row = conditions_of(clustering, false, is_new);
    TRY(add_columns(row, is_new, regular, bindings.given()));
  }
  if (!of_static.empty()) {
    auto& row = conditions_of(clustering, true, is_new);
    TRY(add_columns(row, is_new, of_static, bindings.given()));
  }
  return {};
}

ConditionalRequest::RowConditions& ConditionalRequest::conditions_of(
    const std::optional<Clustering>& clustering, bool of_static, bool& is_new) {
  if (of_static) {
    is_new = !static_conditions_;
    if (is_new) static_conditions_.emplace();
    return *static_conditions_;
  }
  const auto [at, made] = row_conditions_.try_emplace(clustering ? clustering->key : std::string());
  is_new = made;
  if (made) at->second.clustering = clustering;
  return at->second;
}

Outcome<void> ConditionalRequest::add_exists(RowConditions& row, bool is_new, If kind) {
  if (is_new) row.kind = kind;
  if (row.kind == kind) return {};
  if (is_exists(row.kind)) {
    return invalid("Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row");
  }
  return invalid(fmt::format("Cannot mix IF conditions and IF {}EXISTS for the same row",
                             kind == If::kNotExists ? "NOT " : ""));
}

Outcome<void> ConditionalRequest::add_columns(RowConditions& row, bool is_new,
                                              const std::vector<ColumnCondition>& conditions,
                                              const Bindings& bindings) {
  if (!is_new && row.kind != If::kColumns) {
    return invalid("Cannot mix IF conditions and IF NOT EXISTS for the same row");
  }
  for (const auto& condition : conditions) {
    ASSIGN(auto bound, condition.bind(bindings));
    row.columns.push_back(std::move(bound));
  }
  return {};
}

Status ConditionalRequest::read(const cql_store::Snapshot& snapshot, const cql_store::RowKey& key,
                                ReadRow& into) {
  ASSIGN(into.found, snapshot.read(table_->number.value, key_.view(), key, moment_.now_seconds,
                                   into.row, into.buffer));
  into.found = into.found && is_there(*table_, into.row);
  return {};
}

Outcome<bool> ConditionalRequest::holds(const RowConditions& conditions,
                                        const cql_store::Row* row) const {
  if (conditions.kind == If::kExists) return row != nullptr;
  if (conditions.kind == If::kNotExists) return row == nullptr;
  for (const auto& condition : conditions.columns) {
    ASSIGN(const bool applies, condition.applies_to(row));
    if (!applies) return false;
  }
  return true;
}

Outcome<bool> ConditionalRequest::all_hold() const {
  if (static_conditions_) {
    ASSIGN(const bool applies, holds(*static_conditions_, static_row_.get()));
    if (!applies) return false;
  }
  auto row = rows_.begin();
  for (const auto& [key, conditions] : row_conditions_) {
    ASSIGN(const bool applies, holds(conditions, (row++)->get()));
    if (!applies) return false;
  }
  return true;
}

Outcome<void> ConditionalRequest::decide(const cql_store::Snapshot& snapshot,
                                         cql_store::Mutation& mutation) {
  for (const auto& [key, conditions] : row_conditions_) {
    TRY(read(snapshot, row_key(conditions.clustering), rows_.emplace_back()));
  }
  if (table_->has_static()) TRY(read(snapshot, kStaticRow, static_row_));
  ASSIGN(applied_, all_hold());
  if (applied_) return write(snapshot, mutation);
  choose_columns();
  return show_rows(snapshot);
}

Outcome<void> ConditionalRequest::write(const cql_store::Snapshot& snapshot,
                                        cql_store::Mutation& mutation) {
  WriteTimes times;
  times.timestamp = server_timestamps().next(now_us_);
  // What a batch writes is later than what it deletes.
  times.deletion = times.timestamp - 1;
  times.now_seconds = moment_.now_seconds;
  for (const auto& update : updates_) {
    ASSIGN(times.ttl, update.statement->ttl(*update.bindings));
    times.expires = expiry(times.now_seconds, times.ttl);
    RowWriter writer(mutation, times, update.statement->reads() ? &snapshot : nullptr, nullptr);
    if (update.slice) {
      TRY(update.statement->write_slice(key_, *update.slice, writer));
    } else {
      TRY(update.statement->write_row(key_, update.clustering, *update.bindings, writer));
    }
    TRY(writer.finish());
  }
  return {};
}

// All columns, or those of the conditions, in batches after the key's.
void ConditionalRequest::choose_columns() {
  const int count = all_columns_ ? static_cast<int>(table_->columns.size())
                    : is_batch_  ? table_->key_columns()
                                 : 0;
  for (int place = 0; place < count; ++place) shown_.push_back(place);
  if (all_columns_) return;
  for (const int place : condition_columns_) {
    if (std::ranges::find(shown_, place) == shown_.end()) shown_.push_back(place);
  }
}

// Whether Cassandra reads the column, so that its value is shown.
bool ConditionalRequest::shows(int place) const {
  if (place < table_->key_columns()) return true;
  const Column& column = table_->columns[static_cast<std::size_t>(place)];
  if (column.kind == ColumnKind::kStatic ? reads_static_row_ : reads_rows_) return true;
  return std::ranges::find(condition_columns_, place) != condition_columns_.end();
}

bool ConditionalRequest::static_row_is_visible() const {
  if (!static_row_.found) return false;
  for (int place = table_->key_columns(); place < std::ssize(table_->columns); ++place) {
    const Column& column = table_->columns[static_cast<std::size_t>(place)];
    const bool shown = column.kind == ColumnKind::kStatic && shows(place);
    if (shown && static_row_.row.of(column.number.value).second > 0) return true;
  }
  return false;
}

Outcome<void> ConditionalRequest::show_rows(const cql_store::Snapshot& snapshot) {
  for (const ReadRow& row : rows_) {
    if (row.found) TRY(show(&row.row));
  }
  Outcome<void> shown;
  if (row_conditions_.empty()) {  // static conditions look at the partition's first row
    TRY(snapshot.scan_partition(
        table_->number.value, key_.view(), {}, moment_.now_seconds, [&](const cql_store::Row& row) {
          const bool visible = (reads_rows_ && is_there(*table_, row)) ||
                               row.liveness.timestamp != cql_store::kNoTimestamp;
          if (visible) shown = show(&row);
          return !visible;
        }));
  }
  if (shown && shown_rows_ == 0 && static_row_is_visible()) return show(nullptr);
  return shown;
}

// Appends a row of the answer; nullptr: of the static row alone.
Outcome<void> ConditionalRequest::show(const cql_store::Row* row) {
  SourceRow source(*table_, moment_.now_seconds);
  TRY(source.partition(key_.bytes));
  source.static_row(static_row_.get());
  TRY(source.row(row));
  cql_types::append_part(content_, std::string_view("\0", 1));
  for (const int place : shown_) {
    cql_types::append_part(content_, shows(place) ? source.value(place) : std::nullopt);
  }
  ++shown_rows_;
  return {};
}

cql_protocol::Answer ConditionalRequest::answer() && {
  auto columns = std::make_shared<std::vector<cql_protocol::ColumnSpec>>();
  const auto add = [&](std::string name, cql_types::TypePtr type) {
    columns->push_back({table_->keyspace, table_->name, std::move(name), std::move(type)});
  };
  add("[applied]", cql_types::native_type(cql_types::Kind::kBoolean));
  cql_protocol::Rows rows;
  if (shown_rows_ > 0) {
    for (const int place : shown_) {
      const Column& column = table_->columns[static_cast<std::size_t>(place)];
      add(column.name, column.type);
    }
    rows.count = shown_rows_;
    rows.content = std::move(content_);
  } else {
    rows.count = 1;
    cql_types::append_part(rows.content,
                           applied_ ? std::string_view("\1", 1) : std::string_view("\0", 1));
  }
  rows.columns = std::move(columns);
  return {.result = std::move(rows), .warnings = {}};
}

}  // namespace tailrace::cql_query
