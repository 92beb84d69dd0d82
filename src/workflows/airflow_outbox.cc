#include "workflows/airflow_outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace tailrace::workflows {
namespace {

using nlohmann::ordered_json;

/// With so many waiting the log keeps the rest.
constexpr std::int64_t kMostWaiting = 1000;
/// Of one write, and of one look.
constexpr std::int64_t kMostAtOnce = 256;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL);"
    "INSERT INTO identity SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM "
    "identity);"
    "CREATE TABLE IF NOT EXISTS cursor (source TEXT, part TEXT, value TEXT, "
    "PRIMARY KEY (source, part)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY AUTOINCREMENT, uri TEXT NOT NULL, "
    "parts TEXT NOT NULL, events INTEGER NOT NULL, since_ms INTEGER NOT NULL, closed INTEGER NOT "
    "NULL, asked_ms INTEGER)";

ordered_json part_of(const std::string& topic, std::int32_t partition, Offset first,
                     std::int64_t count) {
  return {{"topic", topic},
          {"partition", partition},
          {"offset", first.value},
          {"last_offset", first.value + count - 1},
          {"records", count}};
}

/// Records behind those that are there already are one part with them.
void add_part(ordered_json& parts, ordered_json part) {
  for (auto& one : parts) {
    if (!one.contains("last_offset") || !part.contains("offset")) continue;
    if (one["partition"] != part["partition"] ||
        one["last_offset"].get<std::int64_t>() + 1 != part["offset"].get<std::int64_t>())
      continue;
    one["last_offset"] = part["last_offset"];
    one["records"] = one["records"].get<std::int64_t>() + part["records"].get<std::int64_t>();
    return;
  }
  parts.push_back(std::move(part));
}

/// What one event says of one part, or of several.
ordered_json extra_of(const ordered_json& parts, std::int64_t events) {
  if (parts.size() == 1) return parts.front();
  const bool records = parts.front().contains("records");
  return {{records ? "records" : "count", events}, {"parts", parts}};
}

}  // namespace

Result<std::unique_ptr<AirflowOutbox>> AirflowOutbox::open(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (failed) return error(Code::kUnavailable, fmt::format("{}: {}", path, failed.message()));
  ASSIGN(auto database, sqlite::Database::open(path));
  TRY(database->execute(kTables));
  std::unique_ptr<AirflowOutbox> outbox(new AirflowOutbox(std::move(database)));
  auto row = outbox->database_->prepare("SELECT name FROM identity");
  TRY(row.step());
  outbox->identity_ = row.text(0);
  return outbox;
}

Result<std::vector<metadata::Cursor>> AirflowOutbox::cursors() {
  const std::lock_guard lock(mutex_);
  std::vector<metadata::Cursor> all;
  auto rows = database_->prepare("SELECT source, part, value FROM cursor");
  while (true) {
    ASSIGN(const bool row, rows.step());
    if (!row) return all;
    all.push_back({rows.text(0), rows.text(1), rows.text(2)});
  }
}

Status AirflowOutbox::keep(std::span<const metadata::Cursor> cursors) {
  const std::lock_guard lock(mutex_);
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  TRY(put_cursors(cursors));
  return transaction.commit();
}

Result<Offset> AirflowOutbox::records(const AssetSource& source, std::int32_t partition,
                                      const std::vector<Records>& records, Offset next,
                                      const ToldTogether& together, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  ASSIGN(const std::int64_t there, waiting());
  std::int64_t room = std::min(kMostWaiting - there, kMostAtOnce);
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  ASSIGN(Open batch, open_batch(source.uri));
  Offset came = records.front().first;
  bool all = true;
  for (const Records& some : records) {
    for (std::int64_t done = 0; done < some.count && all;) {
      all = room > 0;
      if (!all) break;
      const std::int64_t count =
          std::clamp<std::int64_t>(together.events - batch.events, 1, some.count - done);
      const Offset first = some.first + done;
      if (batch.events == 0) batch.since_ms = now_ms;
      add_part(batch.parts, part_of(source.name, partition, first, count));
      batch.events += count;
      done += count;
      came = first + count;
      if (batch.events < together.events) continue;
      TRY(put(source.uri, batch, true));
      batch = Open();
      --room;
    }
    if (!all) break;
  }
  if (batch.events > 0) TRY(put(source.uri, batch, false));
  if (all) came = next;
  const metadata::Cursor cursor{source.uri, std::to_string(partition), std::to_string(came.value)};
  TRY(put_cursors({&cursor, 1}));
  TRY(transaction.commit());
  return came;
}

Status AirflowOutbox::happened(const AssetSource& source, std::optional<ordered_json> extra,
                               std::span<const metadata::Cursor> cursors,
                               const ToldTogether& together, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  if (extra) {
    ASSIGN(Open batch, open_batch(source.uri));
    if (batch.events == 0) batch.since_ms = now_ms;
    batch.parts.push_back(std::move(*extra));
    ++batch.events;
    TRY(put(source.uri, batch, batch.events >= together.events));
  }
  TRY(put_cursors(cursors));
  return transaction.commit();
}

Result<std::vector<WaitingEvent>> AirflowOutbox::due(
    const std::function<ToldTogether(const std::string& uri)>& together, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  TRY(close_late(together, now_ms));
  std::vector<WaitingEvent> found;
  auto rows = database_->prepare(
      "SELECT id, uri, parts, events, asked_ms FROM event WHERE closed ORDER BY id LIMIT ?");
  rows.bind(kMostAtOnce);
  while (true) {
    ASSIGN(const bool row, rows.step());
    if (!row) return found;
    WaitingEvent one{.id = rows.integer(0),
                     .uri = rows.text(1),
                     .extra = extra_of(ordered_json::parse(rows.text(2)), rows.integer(3)),
                     .asked_ms = rows.integer_or_none(4)};
    one.extra["tailrace_event"] = fmt::format("{}-{}", identity_, one.id);
    found.push_back(std::move(one));
  }
}

Status AirflowOutbox::asked(std::int64_t id, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  auto put = database_->prepare("UPDATE event SET asked_ms = coalesce(asked_ms, ?) WHERE id = ?");
  put.bind(now_ms).bind(id);
  return put.run();
}

Status AirflowOutbox::told(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  auto drop = database_->prepare("DELETE FROM event WHERE id = ?");
  drop.bind(id);
  return drop.run();
}

Result<AirflowOutbox::Open> AirflowOutbox::open_batch(const std::string& uri) {
  auto row = database_->prepare(
      "SELECT id, parts, events, since_ms FROM event WHERE uri = ? AND NOT closed");
  row.bind(std::string_view(uri));
  ASSIGN(const bool found, row.step());
  if (!found) return Open();
  return Open{.id = row.integer(0),
              .events = row.integer(2),
              .since_ms = row.integer(3),
              .parts = ordered_json::parse(row.text(1))};
}

Status AirflowOutbox::put(const std::string& uri, Open& batch, bool closed) {
  auto put = database_->prepare(
      "INSERT INTO event (id, uri, parts, events, since_ms, closed) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (id) DO UPDATE SET parts = excluded.parts, events = excluded.events, "
      "closed = excluded.closed");
  const std::string parts = batch.parts.dump();
  if (batch.id == 0)
    put.bind_null();
  else
    put.bind(batch.id);
  put.bind(std::string_view(uri)).bind(std::string_view(parts)).bind(batch.events);
  put.bind(batch.since_ms).bind(closed);
  return put.run();
}

Status AirflowOutbox::put_cursors(std::span<const metadata::Cursor> cursors) {
  for (const metadata::Cursor& cursor : cursors) {
    auto put = database_->prepare(
        cursor.value ? "INSERT OR REPLACE INTO cursor (value, source, part) VALUES (?, ?, ?)"
                     : "DELETE FROM cursor WHERE ? IS NULL AND source = ? AND part = ?");
    put.bind(cursor.value);
    put.bind(std::string_view(cursor.source)).bind(std::string_view(cursor.part));
    TRY(put.run());
  }
  return {};
}

Result<std::int64_t> AirflowOutbox::waiting() {
  auto row = database_->prepare("SELECT count(*) FROM event");
  TRY(row.step());
  return row.integer(0);
}

/// A batch that is full by what is declared now, too: the declaration may have changed.
Status AirflowOutbox::close_late(
    const std::function<ToldTogether(const std::string& uri)>& together, std::int64_t now_ms) {
  std::vector<std::int64_t> late;
  {
    auto rows = database_->prepare("SELECT id, uri, events, since_ms FROM event WHERE NOT closed");
    while (true) {
      ASSIGN(const bool row, rows.step());
      if (!row) break;
      const ToldTogether declared = together(rows.text(1));
      if (rows.integer(2) >= declared.events ||
          (declared.within_ms && rows.integer(3) + *declared.within_ms <= now_ms))
        late.push_back(rows.integer(0));
    }
  }
  for (const std::int64_t id : late) {
    auto put = database_->prepare("UPDATE event SET closed = 1 WHERE id = ?");
    put.bind(id);
    TRY(put.run());
  }
  return {};
}

}  // namespace tailrace::workflows
