// How much a batch changes, as Cassandra 5.0 measures it for its thresholds (IMutation.dataSize):
// each partition, row and cell once, whatever statements name it.
//
// Order of calls: row() or a deletion first, then what belongs to the row.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cql_query/restrictions.h"

namespace tailrace::cql_query {

class BatchSize {
 public:
  void row(const cql_schema::Table& table, const Key& key, const cql_store::RowKey& row);
  void liveness(bool expires);
  void cell(const cql_schema::Column& column, std::string_view path, std::string_view value);
  /// A deletion of all cells of a collection or user type.
  void column(const cql_schema::Column& column);
  void counter(const cql_schema::Column& column);
  void slice(const cql_schema::Table& table, const Key& key, const cql_store::Slice& slice);
  void partition(const cql_schema::Table& table, const Key& key);

  /// What Cassandra would send to its replicas: one for each partition key of each keyspace.
  std::size_t mutations() const;
  /// Different partition keys, whatever their tables.
  std::size_t keys() const;
  std::size_t bytes() const;
  /// "[ks.a, ks.b]", as Cassandra's sentences show the tables.
  std::string tables() const;

 private:
  struct Entry {
    std::uint64_t partition, row, part;  // hashes
    std::size_t bytes;

    auto identity() const { return std::tie(partition, row, part); }
  };
  struct Partition {
    std::uint64_t hash, in_keyspace, key;
  };
  void add(std::uint64_t part, std::size_t bytes);

  std::vector<Entry> entries_;
  std::vector<Partition> partitions_;  // as often as rows of them were named
  std::vector<const cql_schema::Table*> tables_;
  std::uint64_t partition_ = 0, row_ = 0;
};

/// Names as Java's HashSet of strings shows them: "[ks.a, ks.b]".
std::string hash_set_text(std::vector<std::string> names);

/// "ks.table", each in quotes where CQL needs them.
std::string table_text(const cql_schema::Table& table);

}  // namespace tailrace::cql_query
