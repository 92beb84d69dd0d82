#include "cql_store/keys.h"

#include "base/bytes.h"
#include "base/check.h"

namespace tailrace::cql_store {
namespace {

constexpr std::size_t kBeforeBytes = sizeof(TableNumber) + sizeof(std::uint64_t);
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

}  // namespace

void append_table(std::string& out, TableNumber table) {
  CHECK(table != 0 && table < kTablesEnd);
  append_be(out, table);
}

void append_token(std::string& out, TableNumber table, std::int64_t token) {
  append_table(out, table);
  append_be(out, static_cast<std::uint64_t>(token) ^ kSign);
}

void append_partition(std::string& out, TableNumber table, const PartitionKey& partition) {
  append_token(out, table, partition.token);
  std::string_view rest = partition.bytes;
  while (true) {
    const std::size_t zero = rest.find('\0');
    out += rest.substr(0, zero);
    if (zero == std::string_view::npos) break;
    out.append("\0\xFF", 2);
    rest.remove_prefix(zero + 1);
  }
  out.append("\0\0", 2);
}

void append_row(std::string& out, TableNumber table, const PartitionKey& partition,
                const RowKey& row) {
  append_partition(out, table, partition);
  append_kind(out, row.is_static ? Kind::kStatic : Kind::kRow);
  if (!row.is_static) out += row.clustering;
}

std::size_t partition_length(std::string_view key) {
  if (key.size() < kBeforeBytes) return 0;
  std::size_t at = kBeforeBytes;
  while ((at = key.find('\0', at)) != std::string_view::npos && at + 1 < key.size()) {
    at += 2;
    if (key[at - 1] == '\0') return at;
  }
  return 0;
}

bool split(std::string_view key, KeyParts& parts) {
  const std::size_t length = partition_length(key);
  if (length == 0 || length >= key.size()) return false;
  parts.table = load_be<TableNumber>(key.data());
  parts.token =
      static_cast<std::int64_t>(load_be<std::uint64_t>(key.data() + sizeof(TableNumber)) ^ kSign);
  parts.partition = key.substr(0, length);
  parts.kind = static_cast<Kind>(key[length]);
  parts.clustering = key.substr(length + 1);
  return parts.table != 0 && parts.kind < Kind::kEnd;
}

void unescape(std::string_view partition, std::string& bytes) {
  bytes.clear();
  std::string_view rest = partition.substr(kBeforeBytes, partition.size() - kBeforeBytes - 2);
  while (true) {
    const std::size_t zero = rest.find('\0');
    bytes += rest.substr(0, zero);
    if (zero == std::string_view::npos) return;
    bytes.push_back('\0');
    rest.remove_prefix(zero + 2);
  }
}

}  // namespace tailrace::cql_store
