// The catalogue's entries in the store, and what may change about a table.
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <fmt/format.h>

#include <cstring>

#include "columns/widening.h"
#include "table/keyed_table.h"

namespace tailrace::table {
namespace {

constexpr char kCataloguePrefix = 'C';

void append_number(std::uint32_t number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_text(std::string_view text, std::string& out) {
  append_number(static_cast<std::uint32_t>(text.size()), out);
  out += text;
}

/// Takes numbers and texts off the front of an entry.
class EntryReader {
 public:
  EntryReader(std::string_view name, std::string_view bytes) : name_(name), rest_(bytes) {}

  Result<std::uint32_t> number() {
    std::uint32_t value = 0;
    if (rest_.size() < sizeof value) return damaged();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  Result<std::string> text() {
    ASSIGN(const std::uint32_t size, number());
    if (size > rest_.size()) return damaged();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::unexpected<Error> damaged() const {
    return error(Code::kDataLoss,
                 fmt::format("the catalogue's entry of table {} is damaged", name_));
  }

 private:
  std::string_view name_;
  std::string_view rest_;
};

Result<std::string> schema_bytes(const arrow::Schema& schema) {
  ASSIGN(const auto buffer, from_arrow(arrow::ipc::SerializeSchema(schema)));
  return buffer->ToString();
}

Result<Schema> schema_of(const std::string& bytes) {
  arrow::io::BufferReader stream(arrow::Buffer::FromString(bytes));
  arrow::ipc::DictionaryMemo memo;
  return from_arrow(arrow::ipc::ReadSchema(&stream, &memo));
}

/// The columns of `old`, widened, and behind them those that only `wanted` has; kFailedPrecondition
/// when that is not possible, or keys would read differently.
Result<Schema> grown(const TableSchema& old, const Schema& wanted) {
  const auto refused = [&](const std::string& what) {
    return error(Code::kFailedPrecondition,
                 fmt::format("table {}: column {}; drop the table to start anew", old.name, what));
  };
  auto columns = widened_schema(old.columns, wanted);
  if (!columns) return refused(columns.error().what);
  for (const std::string& key : old.key) {
    const Type& before = old.columns->GetFieldByName(key)->type();
    const Type& after = (*columns)->GetFieldByName(key)->type();
    if (!before->Equals(*after))
      return refused(fmt::format("{}: {} of the key cannot become {}", key, spark_name(*before),
                                 spark_name(*after)));
  }
  return columns;
}

Status check_key(const TableSchema& schema) {
  if (schema.key.empty()) {
    return error(Code::kInvalidArgument,
                 fmt::format("table {}: it needs a primary key", schema.name));
  }
  for (const std::string& column : schema.key) {
    const Field field = schema.columns->GetFieldByName(column);
    if (!field) {
      return error(Code::kInvalidArgument,
                   fmt::format("table {}: no column {} for the key", schema.name, column));
    }
    if (field->type()->id() == arrow::Type::MAP) {
      return error(
          Code::kInvalidArgument,
          fmt::format("table {}: key column {} is a map, which has no order", schema.name, column));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Catalogue>> Catalogue::open(kv::Store& store) {
  std::unique_ptr<Catalogue> catalogue(new Catalogue(store));
  TRY(catalogue->load());
  return catalogue;
}

Status Catalogue::load() {
  std::vector<std::pair<std::string, std::string>> entries;
  const std::string prefix(1, kCataloguePrefix);
  TRY(store_.scan(prefix, kv::prefix_end(prefix),
                  [&](std::string_view key, std::string_view value) {
                    entries.emplace_back(key.substr(1), value);
                    return true;
                  }));
  for (const auto& [name, bytes] : entries) {
    EntryReader entry(name, bytes);
    TableSchema schema{name, nullptr, {}};
    std::vector<Schema> history;
    ASSIGN(const std::uint32_t id, entry.number());
    ASSIGN(const std::uint32_t keys, entry.number());
    for (std::uint32_t i = 0; i < keys; ++i) {
      ASSIGN(std::string column, entry.text());
      schema.key.push_back(std::move(column));
    }
    ASSIGN(const std::uint32_t schemas, entry.number());
    for (std::uint32_t i = 0; i < schemas; ++i) {
      ASSIGN(const std::string text, entry.text());
      ASSIGN(Schema columns, schema_of(text));
      history.push_back(std::move(columns));
    }
    if (history.empty()) return entry.damaged();
    schema.columns = history.back();
    if (!check_key(schema)) return entry.damaged();
    tables_[name] = std::make_shared<KeyedTable>(store_, TableId(id), schema, std::move(history));
    next_id_ = std::max(next_id_, id + 1);
  }
  return {};
}

Result<std::shared_ptr<const KeyedTable>> Catalogue::put(TableId id, const TableSchema& schema,
                                                         std::vector<Schema> history) {
  std::string bytes;
  append_number(id.value, bytes);
  append_number(static_cast<std::uint32_t>(schema.key.size()), bytes);
  for (const std::string& column : schema.key) append_text(column, bytes);
  append_number(static_cast<std::uint32_t>(history.size()), bytes);
  for (const Schema& columns : history) {
    ASSIGN(const std::string text, schema_bytes(*columns));
    append_text(text, bytes);
  }
  kv::WriteBatch batch;
  batch.put(std::string(1, kCataloguePrefix) + schema.name, bytes);
  TRY(store_.write(batch));
  auto table = std::make_shared<const KeyedTable>(store_, id, schema, std::move(history));
  if (const auto before = tables_.find(schema.name); before != tables_.end())
    before->second->replaced_ = true;
  tables_[schema.name] = table;
  return table;
}

Result<std::shared_ptr<const KeyedTable>> Catalogue::create(const TableSchema& schema) {
  TRY(check_key(schema));
  const std::lock_guard lock(mutex_);
  const auto at = tables_.find(schema.name);
  if (at == tables_.end()) return put(TableId(next_id_++), schema, {schema.columns});
  const KeyedTable& old = *at->second;
  if (old.schema().key != schema.key) {
    return error(Code::kFailedPrecondition,
                 fmt::format("table {}: the primary key changed; drop the table to start anew",
                             schema.name));
  }
  ASSIGN(const Schema columns, grown(old.schema(), schema.columns));
  if (columns->Equals(*old.schema().columns, false)) return at->second;
  std::vector<Schema> history = old.history();
  history.push_back(columns);
  return put(old.id(), {schema.name, columns, schema.key}, std::move(history));
}

std::shared_ptr<const KeyedTable> Catalogue::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = tables_.find(name);
  return at == tables_.end() ? nullptr : at->second;
}

std::vector<std::string> Catalogue::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  return names;
}

Status Catalogue::drop(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto at = tables_.find(name);
  if (at == tables_.end()) return error(Code::kNotFound, fmt::format("no table {}", name));
  kv::WriteBatch batch;
  at->second->erase_all(batch);
  batch.erase(std::string(1, kCataloguePrefix) + std::string(name));
  at->second->replaced_ = true;
  TRY(store_.write(batch));
  tables_.erase(at);
  return {};
}

}  // namespace tailrace::table
