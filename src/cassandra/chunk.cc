#include "cassandra/chunk.h"

#include "base/bytes.h"
#include "cql_protocol/wire.h"
#include "cql_types/token.h"

namespace tailrace::cassandra {

using cql_protocol::append_bytes;
using cql_protocol::append_long_string;
using cql_protocol::append_string;

std::string Chunk::to_bytes() const {
  std::string out;
  append_be(out, timestamp);
  append_string(out, table);
  append_long_string(out, insert);
  append_long_string(out, remove);
  append_be(out, static_cast<std::uint16_t>(partition_columns));
  for (const ChangedRow& row : rows) {
    out += row.removed ? '\1' : '\0';
    append_bytes(out, row.key);
    append_bytes(out, row.rest);
  }
  return out;
}

Result<Chunk> Chunk::from_bytes(std::string_view bytes) {
  cql_protocol::Reader reader(bytes);
  Chunk chunk;
  chunk.timestamp = reader.long_number();
  chunk.table = reader.string();
  chunk.insert = reader.long_string();
  chunk.remove = reader.long_string();
  chunk.partition_columns = reader.short_number();
  while (!reader.failed() && !reader.rest().empty()) {
    ChangedRow row;
    row.removed = reader.byte() != 0;
    row.key = reader.bytes().value_or("");
    row.rest = reader.bytes().value_or("");
    chunk.rows.push_back(std::move(row));
  }
  if (reader.failed())
    return error(
        Code::kDataLoss,
        "changes to served tables in the state store are damaged; remove the state folder: "
        "the tables are then made again from the log");
  return chunk;
}

std::string partition_of(std::string_view key, std::size_t columns) {
  cql_protocol::Reader reader(key);
  std::vector<std::string_view> values;
  for (std::size_t i = 0; i < columns; ++i) values.push_back(reader.bytes().value_or(""));
  return cql_types::partition_key(values).value_or("");
}

}  // namespace tailrace::cassandra
