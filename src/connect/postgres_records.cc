#include "connect/postgres_records.h"

#include <array>
#include <charconv>

namespace tailrace::connect {
namespace {

using postgres::append_json_string;
using postgres::Cell;
using postgres::Change;
using postgres::Lsn;
using postgres::Tuple;

template <typename T>
void append_number(std::string& out, T value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// The key of an update's old row is the new one's unless a cell says otherwise.
bool key_changed(const PostgresTable& table, const Tuple& old, const Tuple& now) {
  for (const std::size_t i : table.key) {
    if (i >= old.size() || i >= now.size()) return false;
    if (now[i].kind == Cell::Kind::kUnchanged) continue;
    if (old[i].kind != now[i].kind || old[i].text != now[i].text) return true;
  }
  return false;
}

}  // namespace

PostgresRecordWriter::PostgresRecordWriter(Settings settings)
    : settings_(std::move(settings)),
      style_(settings_.envelope == Envelope::kFlat ? postgres::ValueStyle::kFlat
                                                   : postgres::ValueStyle::kDebezium) {
  source_head_ = ",\"source\":{\"version\":";
  append_json_string(source_head_, settings_.version);
  source_head_ += ",\"connector\":\"postgresql\",\"name\":";
  append_json_string(source_head_, settings_.source);
  source_head_ += ",\"db\":";
  append_json_string(source_head_, settings_.database);
}

void PostgresRecordWriter::append_key(std::string& out, const PostgresTable& table,
                                      const Tuple& row, postgres::ValueStyle style) {
  out += '{';
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    const std::size_t at = table.key[i];
    if (i > 0) out += ',';
    out += table.columns[at].member;
    if (at >= row.size() || row[at].kind == Cell::Kind::kNull) {
      out += "null";
    } else {
      postgres::append_value(out, row[at].text, table.columns[at].type, style);
    }
  }
  out += '}';
}

void PostgresRecordWriter::append_row(std::string& out, const PostgresTable& table,
                                      const Tuple& row) const {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const PostgresColumn& column = table.columns[i];
    if (i > 0) out += ',';
    out += column.member;
    const Cell cell = i < row.size() ? row[i] : Cell();
    switch (cell.kind) {
      case Cell::Kind::kNull:
        out += "null";
        break;
      case Cell::Kind::kUnchanged:
        append_json_string(out, kUnavailableValue);
        break;
      case Cell::Kind::kText:
      case Cell::Kind::kBinary:
        postgres::append_value(out, cell.text, column.type, style_);
    }
  }
}

void PostgresRecordWriter::append_flat(std::string& out, const About& about,
                                       const Tuple* row) const {
  out += '{';
  if (row != nullptr) append_row(out, about.table, *row);
  if (out.back() != '{') out += ',';
  out += about.op == 'd' ? "\"__deleted\":\"true\",\"__op\":\""
                         : "\"__deleted\":\"false\",\"__op\":\"";
  out += about.op;
  out += "\",\"__table\":";
  append_json_string(out, about.table.name);
  out += ",\"__schema\":";
  append_json_string(out, about.table.schema);
  out += ",\"__lsn\":";
  append_number(out, about.lsn.value);
  out += ",\"__txId\":";
  append_number(out, about.transaction.xid.value);
  out += ",\"__source_ts_ms\":";
  append_number(out, about.transaction.time_us / 1000);
  out += '}';
}

void PostgresRecordWriter::append_debezium(std::string& out, const About& about,
                                           const Tuple* before, const Tuple* after) const {
  const auto row = [&](std::string_view name, const Tuple* cells) {
    out += name;
    if (cells == nullptr) {
      out += "null";
      return;
    }
    out += '{';
    append_row(out, about.table, *cells);
    out += '}';
  };
  const auto times = [&] {
    const std::int64_t us = about.transaction.time_us;
    out += ",\"ts_ms\":";
    append_number(out, us / 1000);
    out += ",\"ts_us\":";
    append_number(out, us);
    out += ",\"ts_ns\":";
    append_number(out, us * 1000);
  };
  row("{\"before\":", before);
  row(",\"after\":", after);
  out += source_head_;
  times();
  out += about.op == 'r' ? ",\"snapshot\":\"true\"" : ",\"snapshot\":\"false\"";
  out += ",\"sequence\":\"[\\\"";
  append_number(out, about.transaction.commit.value);
  out += "\\\",\\\"";
  append_number(out, about.lsn.value);
  out += "\\\"]\",\"schema\":";
  append_json_string(out, about.table.schema);
  out += ",\"table\":";
  append_json_string(out, about.table.name);
  out += ",\"txId\":";
  append_number(out, about.transaction.xid.value);
  out += ",\"lsn\":";
  append_number(out, about.lsn.value);
  out += ",\"xmin\":null},\"transaction\":null,\"op\":\"";
  out += about.op;
  out += '"';
  times();
  out += '}';
}

void PostgresRecordWriter::record(const About& about, const Tuple* before, const Tuple* after,
                                  Chunk& chunk) {
  std::string& out = chunk.buffer();
  const Tuple* row = after != nullptr ? after : before;
  Chunk::Entry entry;
  entry.number = static_cast<std::int64_t>(about.lsn.value);
  entry.key_at = out.size();
  entry.has_key = row != nullptr && !about.table.key.empty();
  if (entry.has_key) append_key(out, about.table, *row, style_);
  entry.key_bytes = out.size() - entry.key_at;
  entry.value_at = out.size();
  if (settings_.envelope == Envelope::kFlat) {
    append_flat(out, about, row);
  } else {
    append_debezium(out, about, before, after);
  }
  entry.value_bytes = out.size() - entry.value_at;
  chunk.add_entry(entry);
}

void PostgresRecordWriter::tombstone(const About& about, const Tuple& row, Chunk& chunk) {
  if (!settings_.tombstones || about.table.key.empty()) return;
  std::string& out = chunk.buffer();
  Chunk::Entry entry;
  entry.number = static_cast<std::int64_t>(about.lsn.value);
  entry.key_at = out.size();
  entry.has_key = true;
  append_key(out, about.table, row, style_);
  entry.key_bytes = out.size() - entry.key_at;
  entry.value_at = out.size();
  entry.has_value = false;
  chunk.add_entry(entry);
}

bool PostgresRecordWriter::change(const PostgresTable& table, const Change& change,
                                  const PostgresTransaction& transaction, Lsn lsn, Chunk& chunk) {
  About about{table, transaction, lsn, 'c'};
  const bool has_old = change.old != Change::Old::kNone;
  if (change.kind == Change::Kind::kInsert) {
    record(about, nullptr, &change.row, chunk);
    return true;
  }
  if (change.kind == Change::Kind::kDelete) {
    about.op = 'd';
    record(about, &change.old_row, nullptr, chunk);
    tombstone(about, change.old_row, chunk);
    return true;
  }
  filled_ = change.row;
  bool known = true;
  for (std::size_t i = 0; i < filled_.size(); ++i) {
    if (filled_[i].kind != Cell::Kind::kUnchanged) continue;
    // A key that did not change is in neither; the old row's is the same.
    if (has_old && i < change.old_row.size() &&
        (change.old == Change::Old::kRow || change.old_row[i].kind == Cell::Kind::kText))
      filled_[i] = change.old_row[i];
    known = known && filled_[i].kind != Cell::Kind::kUnchanged;
  }
  if (has_old && key_changed(table, change.old_row, filled_)) {
    about.op = 'd';
    record(about, &change.old_row, nullptr, chunk);
    tombstone(about, change.old_row, chunk);
    about.op = 'c';
    record(about, nullptr, &filled_, chunk);
    return known;
  }
  about.op = 'u';
  record(about, change.old == Change::Old::kRow ? &change.old_row : nullptr, &filled_, chunk);
  return known;
}

void PostgresRecordWriter::truncate(const PostgresTable& table,
                                    const PostgresTransaction& transaction, Lsn lsn, Chunk& chunk) {
  record({table, transaction, lsn, 't'}, nullptr, nullptr, chunk);
}

void PostgresRecordWriter::snapshot(const PostgresTable& table, const Tuple& row,
                                    const PostgresTransaction& transaction, Chunk& chunk) {
  record({table, transaction, transaction.commit, 'r'}, nullptr, &row, chunk);
}

}  // namespace tailrace::connect
