// What Cassandra 5.0.9's own classes make of two rows, and what ours do: testdata/merges.txt holds
// the answers of tests/real/cassandra/RowMerges.java, which says how they are written;
// TAILRACE_CQL_MERGES names others.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/hex.h"
#include "cql_store/mutation.h"
#include "cql_store/record.h"

namespace tailrace::cql_store {
namespace {

std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 1; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// The record that a write of the row sends.
std::string record_of(const std::string& text) {
  Mutation mutation;
  mutation.row(1, {1, "p"}, {});
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    std::istringstream words(part);
    char kind = 0;
    std::uint32_t column = 0;
    std::string path, value;
    std::int64_t timestamp = 0, when = 0;
    std::int32_t ttl = 0;
    words >> kind;
    if (kind == 'L') {
      words >> timestamp >> ttl >> when;
      mutation.liveness({timestamp, ttl, when});
    } else if (kind == 'D') {
      words >> timestamp >> when;
      mutation.delete_row({timestamp, when});
    } else if (kind == 'A') {
      words >> column >> timestamp >> when;
      mutation.erase_all(column, {timestamp, when});
    } else if (kind == 'T') {
      words >> column >> path >> timestamp >> when;
      mutation.erase(column, bytes_of(path), {timestamp, when});
    } else {
      words >> column >> path >> timestamp >> ttl >> when >> value;
      mutation.put(column, bytes_of(path), timestamp, bytes_of(value), ttl, when);
    }
    EXPECT_TRUE(words) << part;
  }
  MutationReader changes(mutation);
  return changes.next() ? std::string(changes.value()) : std::string();
}

std::string hex(std::string_view bytes) {
  return "x" + encode_hex(bytes);
}

std::string text_of(std::string_view record) {
  std::ostringstream out;
  RecordReader reader(record);
  if (reader.liveness().timestamp != kNoTimestamp) {
    const Liveness& live = reader.liveness();
    out << "L " << live.timestamp << " " << live.ttl << " " << live.expires << ";";
  }
  if (!reader.deletion().live())
    out << "D " << reader.deletion().timestamp << " " << reader.deletion().local_time << ";";
  for (Entry entry; reader.next(entry);) {
    if (entry.kind == Entry::Kind::kErasedAll) {
      out << "A " << entry.column << " " << entry.timestamp << " " << entry.when << ";";
    } else if (entry.kind == Entry::Kind::kTombstone) {
      out << "T " << entry.column << " " << hex(entry.path) << " " << entry.timestamp << " "
          << entry.when << ";";
    } else {
      out << "C " << entry.column << " " << hex(entry.path) << " " << entry.timestamp << " "
          << entry.ttl << " " << entry.when << " " << hex(entry.value) << ";";
    }
  }
  EXPECT_FALSE(reader.failed());
  return out.str();
}

TEST(Merges, two_rows_become_what_cassandra_makes_of_them) {
  const char* named = std::getenv("TAILRACE_CQL_MERGES");
  std::ifstream answers(named ? named : "src/cql_store/testdata/merges.txt");
  int count = 0;
  for (std::string line; std::getline(answers, line); ++count) {
    std::istringstream rows(line);
    std::string one, other, both;
    std::getline(rows, one, '\t');
    std::getline(rows, other, '\t');
    std::getline(rows, both, '\t');
    std::vector<std::string> records;
    for (const std::string& row : {one, other}) {
      if (row.empty()) continue;
      records.push_back(record_of(row));
      EXPECT_EQ(text_of(records.back()), row);
    }
    if (records.size() < 2) continue;
    std::string folded;
    ASSERT_TRUE(fold(std::array<std::string_view, 2>{records[0], records[1]}, folded));
    EXPECT_EQ(text_of(folded), both) << line;
    ASSERT_TRUE(fold(std::array<std::string_view, 2>{records[1], records[0]}, folded));
    EXPECT_EQ(text_of(folded), both) << line;
  }
  EXPECT_GT(count, 500);
}

}  // namespace
}  // namespace tailrace::cql_store
