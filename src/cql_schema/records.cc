#include "cql_schema/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cql_schema/name_uuid.h"
#include "cql_schema/record_writer.h"
#include "cql_types/type_parser.h"

namespace tailrace::cql_schema {
namespace {

constexpr std::uint8_t kVersion = 1;

// Writing. A function over a table's options that reads as well as it writes would have to change
// them; there are few enough to name them twice.

void write_options(RecordWriter& out, const TableOptions& options) {
  const auto maybe = [&out](const std::optional<bool>& value) {
    out.byte(value ? (*value ? 2 : 1) : 0);
  };
  for (const auto* text : {&options.comment, &options.additional_write_policy,
                           &options.speculative_retry, &options.read_repair})
    out.text(*text);
  out.text(options.memtable.value_or(""));
  out.real(options.bloom_filter_fp_chance);
  out.real(options.crc_check_chance);
  for (const auto* map :
       {&options.caching, &options.compaction, &options.compression, &options.extensions})
    out.options(*map);
  for (const auto* value :
       {&options.cdc, &options.allow_auto_snapshot, &options.incremental_backups})
    maybe(*value);
  for (const auto value :
       {options.default_time_to_live, options.gc_grace_seconds, options.max_index_interval,
        options.min_index_interval, options.memtable_flush_period_in_ms})
    out.number(value);
}

void read_options(RecordReader& in, TableOptions& options) {
  const auto maybe = [&in]() -> std::optional<bool> {
    const auto value = in.byte();
    if (value == 0) return std::nullopt;
    return value == 2;
  };
  for (auto* text : {&options.comment, &options.additional_write_policy, &options.speculative_retry,
                     &options.read_repair})
    *text = in.text();
  auto memtable = in.text();
  options.memtable = memtable.empty() ? std::nullopt : std::optional(std::move(memtable));
  options.bloom_filter_fp_chance = in.real();
  options.crc_check_chance = in.real();
  for (auto* map :
       {&options.caching, &options.compaction, &options.compression, &options.extensions})
    *map = in.options();
  for (auto* value : {&options.cdc, &options.allow_auto_snapshot, &options.incremental_backups})
    *value = maybe();
  for (auto* value :
       {&options.default_time_to_live, &options.gc_grace_seconds, &options.max_index_interval,
        &options.min_index_interval, &options.memtable_flush_period_in_ms})
    *value = static_cast<std::int32_t>(in.number());
}

void write_column(RecordWriter& out, const Column& column) {
  out.text(column.name);
  out.text(to_cql(*column.type));
  out.byte(static_cast<std::uint8_t>(column.kind));
  out.number(column.position);
  out.byte(column.descending ? 1 : 0);
  out.count(column.number.value);
  out.byte(column.mask ? 1 : 0);
  if (!column.mask) return;
  out.text(column.mask->function);
  out.count(column.mask->arguments.size());
  for (const auto& argument : column.mask->arguments) out.text(argument);
}

void write_index(RecordWriter& out, const Index& index) {
  out.text(index.name);
  out.text(index.kind);
  out.options(index.options);
  out.byte(static_cast<std::uint8_t>(index.target));
  out.text(index.column);
  out.count(index.number.value);
}

std::string table_bytes(const Table& table) {
  RecordWriter out;
  out.byte(kVersion);
  out.raw(table.id);
  out.count(table.number.value);
  out.byte(static_cast<std::uint8_t>((table.counter ? 1 : 0) | (table.compact ? 2 : 0)));
  out.count(table.columns.size());
  for (const auto& column : table.columns) write_column(out, column);
  write_options(out, table.options);
  out.count(table.indexes.size());
  for (const auto& index : table.indexes) write_index(out, index);
  out.count(table.dropped.size());
  for (const auto& dropped : table.dropped) {
    write_column(out, dropped.column);
    out.number(dropped.dropped_us);
  }
  out.byte(table.view ? 1 : 0);
  if (table.view) {
    out.text(table.view->base_table);
    out.text(table.view->where_clause);
    out.byte(table.view->include_all_columns ? 1 : 0);
  }
  out.options(table.triggers);
  return out.take();
}

void add_type(const cql_types::Type& type, const Keyspace& keyspace, std::set<std::string>& done,
              std::vector<TypePtr>& ordered) {
  for (const auto& part : type.parameters) add_type(*part, keyspace, done, ordered);
  if (type.kind != cql_types::Kind::kUserType || !done.insert(type.name).second) return;
  ordered.push_back(keyspace.types.find(type.name)->second);
}

std::string keyspace_bytes(const Keyspace& keyspace) {
  RecordWriter out;
  out.byte(kVersion);
  out.options(keyspace.replication);
  out.byte(keyspace.durable_writes ? 1 : 0);
  const auto types = types_in_order(keyspace);
  out.count(types.size());
  for (const auto& type : types) {
    out.text(type->name);
    out.count(type->parameters.size());
    for (std::size_t i = 0; i < type->parameters.size(); ++i) {
      out.text(type->field_names[i]);
      out.text(to_cql(*type->parameters[i]));
    }
  }
  return out.take();
}

std::string next_table_bytes(const Schema& schema) {
  RecordWriter out;
  out.byte(kVersion);
  out.count(schema.next_table.value);
  return out.take();
}

std::string table_record(const std::string& keyspace, const std::string& table) {
  return "t" + keyspace + "." + table;
}

void add_records(const Keyspace& keyspace, std::vector<Record>& records) {
  records.push_back({"k" + keyspace.name, keyspace_bytes(keyspace)});
  for (const auto& [name, table] : keyspace.tables)
    records.push_back({table_record(keyspace.name, name), table_bytes(*table)});
}

// Reading.

class TypeReader {
 public:
  explicit TypeReader(const Keyspace& keyspace) : keyspace_(keyspace) {}

  Result<TypePtr> read(RecordReader& in) const {
    const auto text = in.text();
    return cql_types::parse_type(text, keyspace_.name,
                                 [this](std::string_view, std::string_view name) {
                                   const auto found = keyspace_.types.find(name);
                                   return found == keyspace_.types.end() ? nullptr : found->second;
                                 });
  }

 private:
  const Keyspace& keyspace_;
};

Result<Column> read_column(RecordReader& in, const TypeReader& types) {
  Column column;
  column.name = in.text();
  ASSIGN(column.type, types.read(in));
  const auto kind = in.byte();
  if (kind > static_cast<std::uint8_t>(ColumnKind::kRegular)) in.fail();
  column.kind = static_cast<ColumnKind>(kind);
  column.position = static_cast<int>(in.number());
  column.descending = in.byte() != 0;
  column.number = ColumnNumber(static_cast<std::uint32_t>(in.count()));
  if (in.byte() == 0) return column;
  column.mask = Mask{in.text(), {}};
  for (auto left = in.size(); left > 0; --left) column.mask->arguments.push_back(in.text());
  return column;
}

Index read_index(RecordReader& in) {
  Index index;
  index.name = in.text();
  index.kind = in.text();
  index.options = in.options();
  const auto target = in.byte();
  if (target > static_cast<std::uint8_t>(Index::Target::kFull)) in.fail();
  index.target = static_cast<Index::Target>(target);
  index.column = in.text();
  index.number = TableNumber(static_cast<std::uint32_t>(in.count()));
  return index;
}

Result<Table> read_table(RecordReader& in, const Keyspace& keyspace, std::string name) {
  const TypeReader types(keyspace);
  Table table;
  table.keyspace = keyspace.name;
  table.name = std::move(name);
  table.id = in.raw(16);
  table.number = TableNumber(static_cast<std::uint32_t>(in.count()));
  const auto flags = in.byte();
  table.counter = (flags & 1) != 0;
  table.compact = (flags & 2) != 0;
  for (auto left = in.size(); left > 0; --left) {
    ASSIGN(auto column, read_column(in, types));
    if (column.kind == ColumnKind::kPartitionKey) ++table.partition_columns;
    if (column.kind == ColumnKind::kClustering) ++table.clustering_columns;
    table.columns.push_back(std::move(column));
  }
  read_options(in, table.options);
  for (auto left = in.size(); left > 0; --left) table.indexes.push_back(read_index(in));
  for (auto left = in.size(); left > 0; --left) {
    ASSIGN(auto column, read_column(in, types));
    table.dropped.push_back({std::move(column), in.number()});
  }
  if (in.byte() != 0) {
    table.view = View{in.text(), in.text(), false};
    table.view->include_all_columns = in.byte() != 0;
  }
  table.triggers = in.options();
  return table;
}

Result<Keyspace> read_keyspace(RecordReader& in, std::string name) {
  Keyspace keyspace;
  keyspace.name = std::move(name);
  keyspace.replication = in.options();
  keyspace.durable_writes = in.byte() != 0;
  for (auto left = in.size(); left > 0; --left) {
    auto type_name = in.text();
    std::vector<std::string> names;
    std::vector<TypePtr> fields;
    const TypeReader types(keyspace);
    for (auto fields_left = in.size(); fields_left > 0; --fields_left) {
      names.push_back(in.text());
      ASSIGN(auto type, types.read(in));
      fields.push_back(std::move(type));
    }
    keyspace.types[type_name] =
        cql_types::user_type(keyspace.name, type_name, std::move(names), std::move(fields), false);
  }
  return keyspace;
}

Status damaged(const Record& record, std::string_view what) {
  return error(Code::kDataLoss,
               fmt::format("the schema's record {} cannot be read: {}", record.name, what));
}

Status read_record(const Record& record, Schema& schema) {
  RecordReader in(*record.bytes);
  if (in.byte() != kVersion) return damaged(record, "another version wrote it");
  const auto rest = record.name.substr(1);
  if (record.name == "n") {
    schema.next_table = TableNumber(static_cast<std::uint32_t>(in.count()));
  } else if (record.name.starts_with('k')) {
    auto keyspace = read_keyspace(in, rest);
    if (!keyspace) return damaged(record, keyspace.error().what);
    if (const auto* before = schema.keyspace(rest)) keyspace->tables = before->tables;
    schema.keyspaces[rest] = std::make_shared<Keyspace>(std::move(*keyspace));
  } else if (record.name.starts_with('t')) {
    const auto dot = rest.find('.');
    const auto found = schema.keyspaces.find(rest.substr(0, dot));
    if (dot == std::string::npos || found == schema.keyspaces.end())
      return damaged(record, "its keyspace is missing");
    auto table = read_table(in, *found->second, rest.substr(dot + 1));
    if (!table) return damaged(record, table.error().what);
    auto keyspace = std::make_shared<Keyspace>(*found->second);
    const auto name = table->name;
    keyspace->tables[name] = std::make_shared<Table>(std::move(*table));
    found->second = std::move(keyspace);
  } else {
    return damaged(record, "no such kind is known");
  }
  if (in.failed() || !in.at_end()) return damaged(record, "its bytes end too early or too late");
  return {};
}

}  // namespace

std::vector<TypePtr> types_in_order(const Keyspace& keyspace) {
  std::set<std::string> done;
  std::vector<TypePtr> ordered;
  for (const auto& [name, type] : keyspace.types) add_type(*type, keyspace, done, ordered);
  return ordered;
}

std::vector<Record> records_between(const Schema& before, const Schema& after,
                                    const std::string& name) {
  std::vector<Record> had;
  std::vector<Record> has;
  if (const auto* keyspace = before.keyspace(name)) add_records(*keyspace, had);
  if (const auto* keyspace = after.keyspace(name)) add_records(*keyspace, has);
  std::vector<Record> changed;
  const auto named = [](const std::vector<Record>& list, const std::string& record) {
    return std::find_if(list.begin(), list.end(),
                        [&](const Record& one) { return one.name == record; });
  };
  for (auto& record : had)
    if (named(has, record.name) == has.end()) changed.push_back({record.name, std::nullopt});
  for (auto& record : has)
    if (const auto old = named(had, record.name); old == had.end() || old->bytes != record.bytes)
      changed.push_back(record);
  if (!changed.empty() && before.next_table != after.next_table)
    changed.push_back({"n", next_table_bytes(after)});
  return changed;
}

std::vector<Record> all_records(const Schema& schema) {
  std::vector<Record> records;
  for (const auto& [name, keyspace] : schema.keyspaces)
    if (!is_local_keyspace(name)) add_records(*keyspace, records);
  records.push_back({"n", next_table_bytes(schema)});
  return records;
}

std::string contents_version(const Schema& schema) {
  std::string all;
  for (const auto& record : all_records(schema)) {
    if (record.name == "n") continue;
    all += record.name;
    all += *record.bytes;
  }
  return name_uuid(all);
}

Result<SchemaPtr> load(const std::vector<Record>& records) {
  auto schema = std::make_shared<Schema>(*initial_schema());
  // Keyspaces before their tables, whatever the order given.
  for (const char kind : {'k', 't', 'n'})
    for (const auto& record : records)
      if (record.bytes && record.name.starts_with(kind)) TRY(read_record(record, *schema));
  for (const auto& record : records)
    if (record.bytes && (record.name.empty() ||
                         std::string_view("ktn").find(record.name[0]) == std::string_view::npos))
      TRY(damaged(record, "no such kind is known"));
  schema->version = contents_version(*schema);
  return schema;
}

}  // namespace tailrace::cql_schema
