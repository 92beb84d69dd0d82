#include "cql_schema/system_tables.h"

#include <functional>

#include "cql_schema/compact.h"
#include "cql_schema/system_row.h"
#include "cql_types/inet.h"

namespace tailrace::cql_schema {
namespace {

constexpr const char* kRelease = "5.0.9";
constexpr const char* kCqlVersion = "3.4.7";
constexpr const char* kPartitioner = "org.apache.cassandra.dht.Murmur3Partitioner";

/// Gives the rows of one table, each by calling `add`.
using Add = std::function<void(SystemRow&)>;

void local(const Schema& schema, const Node& node, const Add& add) {
  SystemRow row;
  row.text("key", "local")
      .text("bootstrapped", "COMPLETED")
      .text("cluster_name", node.cluster_name);
  for (const auto* name : {"broadcast_address", "listen_address", "rpc_address"})
    row.bytes(name, node.address);
  for (const auto* name : {"broadcast_port", "listen_port", "rpc_port"}) row.whole(name, node.port);
  row.text("cql_version", kCqlVersion).text("release_version", kRelease);
  row.text("data_center", node.data_center).text("rack", node.rack);
  row.text("native_protocol_version", "5").text("partitioner", kPartitioner);
  row.whole("gossip_generation", node.generation).bytes("host_id", node.host_id);
  row.bytes("schema_version", schema.version).list("tokens", {node.token});
  add(row);
}

bool is_kept(const Keyspace& keyspace) {
  return !keyspace.virtual_keyspace;
}

template <typename Give>
void for_tables(const Schema& schema, bool virtual_ones, Give&& give) {
  for (const auto& [name, keyspace] : schema.keyspaces)
    if (is_kept(*keyspace) != virtual_ones)
      for (const auto& [table_name, table] : keyspace->tables) give(*table);
}

SystemRow row_of(const Table& table) {
  SystemRow row;
  row.text("keyspace_name", table.keyspace).text("table_name", table.name);
  return row;
}

void keyspaces(const Schema& schema, const Add& add) {
  for (const auto& [name, keyspace] : schema.keyspaces) {
    if (!is_kept(*keyspace)) continue;
    SystemRow row;
    row.text("keyspace_name", name).yes("durable_writes", keyspace->durable_writes);
    row.map("replication", keyspace->replication);
    add(row);
  }
}

void add_options(SystemRow& row, const TableOptions& options) {
  row.text("additional_write_policy", options.additional_write_policy);
  if (options.allow_auto_snapshot) row.yes("allow_auto_snapshot", *options.allow_auto_snapshot);
  if (options.incremental_backups) row.yes("incremental_backups", *options.incremental_backups);
  if (options.memtable) row.text("memtable", *options.memtable);
  row.real("bloom_filter_fp_chance", options.bloom_filter_fp_chance);
  row.map("caching", options.caching).text("comment", options.comment);
  row.map("compaction", options.compaction).map("compression", options.compression);
  row.real("crc_check_chance", options.crc_check_chance);
  // Two that drivers of old still read.
  row.real("dclocal_read_repair_chance", 0).real("read_repair_chance", 0);
  row.whole("default_time_to_live", options.default_time_to_live);
  row.map("extensions", options.extensions).whole("gc_grace_seconds", options.gc_grace_seconds);
  row.whole("max_index_interval", options.max_index_interval);
  row.whole("min_index_interval", options.min_index_interval);
  row.whole("memtable_flush_period_in_ms", options.memtable_flush_period_in_ms);
  row.text("read_repair", options.read_repair).text("speculative_retry", options.speculative_retry);
}

void tables(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    if (table.view) return;
    auto row = row_of(table);
    add_options(row, table.options);
    row.bytes("id", table.id).list("flags", table_flags(table));
    add(row);
  });
}

void views(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    if (!table.view) return;
    SystemRow row;
    row.text("keyspace_name", table.keyspace).text("view_name", table.name);
    add_options(row, table.options);
    row.bytes("id", table.id).text("where_clause", table.view->where_clause);
    row.text("base_table_name", table.view->base_table);
    row.yes("include_all_columns", table.view->include_all_columns);
    if (const auto base = schema.table(table.keyspace, table.view->base_table))
      row.bytes("base_table_id", base->id);
    add(row);
  });
}

std::string_view kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kPartitionKey:
      return "partition_key";
    case ColumnKind::kClustering:
      return "clustering";
    case ColumnKind::kStatic:
      return "static";
    case ColumnKind::kRegular:
      return "regular";
  }
  return "";
}

void columns(const Schema& schema, bool virtual_ones, const Add& add) {
  for_tables(schema, virtual_ones, [&](const Table& table) {
    for (const auto& column : kept_columns(table)) {
      auto row = row_of(table);
      const bool ordered = column.kind == ColumnKind::kClustering;
      row.text("column_name", column.name).bytes("column_name_bytes", column.name);
      row.text("clustering_order", !ordered ? "none" : column.descending ? "desc" : "asc");
      row.text("kind", kind_name(column.kind)).whole("position", column.position);
      row.text("type", shown_type(*column.type));
      add(row);
    }
  });
}

void dropped_columns(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    for (const auto& [column, dropped_us] : table.dropped) {
      auto row = row_of(table);
      row.text("column_name", column.name).text("kind", kind_name(column.kind));
      row.long_whole("dropped_time", dropped_us / 1000).text("type", to_cql(*column.type));
      add(row);
    }
  });
}

void column_masks(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    for (const auto& column : table.columns) {
      if (!column.mask) continue;
      auto row = row_of(table);
      row.text("column_name", column.name).text("function_keyspace", "system");
      row.text("function_name", column.mask->function);
      std::vector<std::string> nulls;
      std::vector<std::string> types;
      std::vector<std::string> values;
      for (std::size_t i = 0; i < column.mask->arguments.size(); ++i) {
        const auto& argument = column.mask->arguments[i];
        const bool null = argument == "null";
        nulls.emplace_back(1, null ? '\1' : '\0');
        types.push_back(mask_argument_type(column, i));
        values.push_back(null ? "" : unquoted(argument));
      }
      row.list("function_argument_nulls", nulls).list("function_argument_types", types);
      row.list("function_argument_values", values);
      add(row);
    }
  });
}

void types(const Schema& schema, const Add& add) {
  for (const auto& [name, keyspace] : schema.keyspaces)
    for (const auto& [type_name, type] : keyspace->types) {
      SystemRow row;
      row.text("keyspace_name", name).text("type_name", type_name);
      std::vector<std::string> fields;
      for (const auto& field : type->parameters) fields.push_back(to_cql(*field));
      row.list("field_names", type->field_names).list("field_types", fields);
      add(row);
    }
}

void indexes(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    for (const auto& index : table.indexes) {
      auto row = row_of(table);
      row.text("index_name", index.name).text("kind", index.kind).map("options", index.options);
      add(row);
    }
  });
}

void built_views(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    if (!table.view) return;
    SystemRow row;
    row.text("keyspace_name", table.keyspace).text("view_name", table.name);
    row.yes("status_replicated", true);
    add(row);
  });
}

// IndexInfo calls a keyspace a table.
void built_indexes(const Schema& schema, const Add& add) {
  for_tables(schema, false, [&](const Table& table) {
    if (is_system_keyspace(table.keyspace)) return;
    for (const auto& index : table.indexes) {
      SystemRow row;
      add(row.text("table_name", table.keyspace).text("index_name", index.name));
    }
  });
}

void virtual_keyspaces(const Schema& schema, const Add& add) {
  for (const auto& [name, keyspace] : schema.keyspaces) {
    if (is_kept(*keyspace)) continue;
    SystemRow row;
    add(row.text("keyspace_name", name));
  }
}

void virtual_tables(const Schema& schema, const Add& add) {
  for_tables(schema, true, [&](const Table& table) {
    auto row = row_of(table);
    add(row.text("comment", table.options.comment));
  });
}

/// By cassandra.yaml's names, those that mean something here and are so.
void settings(const Node& node, const Add& add) {
  const std::string address = cql_types::inet_text(node.address);
  const std::initializer_list<std::pair<const char*, std::string>> all = {
      {"cluster_name", node.cluster_name},
      {"commitlog_sync", "batch"},
      {"drop_compact_storage_enabled", "false"},
      {"endpoint_snitch", "SimpleSnitch"},
      {"listen_address", address},
      {"native_transport_allow_older_protocols", "true"},
      {"native_transport_port", std::to_string(node.port)},
      {"num_tokens", "1"},
      {"partitioner", kPartitioner},
      {"rpc_address", address},
      {"sasi_indexes_enabled", "false"},
      {"scripted_user_defined_functions_enabled", "false"},
      {"transient_replication_enabled", "false"},
      {"user_defined_functions_enabled", "false"}};
  for (const auto& [name, value] : all) {
    SystemRow row;
    add(row.text("name", name).text("value", value));
  }
}

void give_rows(const std::string& name, const Schema& schema, const Node& node, const Add& add) {
  if (name == "system.local") local(schema, node, add);
  if (name == "system.built_views") built_views(schema, add);
  if (name == "system.IndexInfo") built_indexes(schema, add);
  if (name == "system_schema.keyspaces") keyspaces(schema, add);
  if (name == "system_schema.tables") tables(schema, add);
  if (name == "system_schema.columns") columns(schema, false, add);
  if (name == "system_schema.dropped_columns") dropped_columns(schema, add);
  if (name == "system_schema.column_masks") column_masks(schema, add);
  if (name == "system_schema.types") types(schema, add);
  if (name == "system_schema.indexes") indexes(schema, add);
  if (name == "system_schema.views") views(schema, add);
  if (name == "system_views.settings") settings(node, add);
  if (name == "system_virtual_schema.keyspaces") virtual_keyspaces(schema, add);
  if (name == "system_virtual_schema.tables") virtual_tables(schema, add);
  if (name == "system_virtual_schema.columns") columns(schema, true, add);
}

}  // namespace

std::vector<Values> system_rows(const Table& table, const Schema& schema, const Node& node) {
  std::vector<Values> rows;
  give_rows(table.keyspace + "." + table.name, schema, node,
            [&](SystemRow& row) { rows.push_back(row.take(table)); });
  return rows;
}

}  // namespace tailrace::cql_schema
