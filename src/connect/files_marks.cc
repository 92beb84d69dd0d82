// Marks in SQLite.
#include "connect/files_marks.h"

#include <algorithm>

namespace tailrace::connect {
namespace {

/// The name of a mark that is kept by its id: no file has a '/' at its beginning here.
std::string displaced_name(const std::string& id) {
  return "/" + id;
}

int flags_of(const FileMark& mark) {
  return (mark.part.open_line ? 1 : 0) | (mark.done ? 2 : 0) |
         static_cast<int>(mark.part.last) << 2;
}

FileMark mark_of(const sqlite::Statement& row) {
  FileMark mark;
  mark.id = row.text(1);
  mark.part.end = row.integer(2);
  mark.mtime_ns = row.integer(3);
  mark.print = static_cast<std::uint32_t>(row.integer(4));
  mark.records = row.integer(5);
  mark.part.offset = row.integer(6);
  mark.part.line = row.integer(7);
  const auto flags = static_cast<int>(row.integer(8));
  mark.part.open_line = flags & 1;
  mark.done = flags & 2;
  mark.part.last = static_cast<LastLine>(std::min(flags >> 2, 2));
  return mark;
}

}  // namespace

Result<std::unique_ptr<FileMarks>> FileMarks::open(const std::string& path,
                                                   const std::string& fingerprint, bool beginning) {
  ASSIGN(auto database, sqlite::Database::open(path));
  std::unique_ptr<FileMarks> marks(new FileMarks(std::move(database)));
  if (auto done = marks->set_up(fingerprint, beginning); !done)
    return std::unexpected(done.error().in(path));
  return marks;
}

Status FileMarks::set_up(const std::string& fingerprint, bool beginning) {
  TRY(database_->execute(
      "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);"
      "CREATE TABLE IF NOT EXISTS mark(name TEXT PRIMARY KEY, id TEXT NOT NULL,"
      " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, print INTEGER NOT NULL,"
      " records INTEGER NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL,"
      " flags INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE INDEX IF NOT EXISTS mark_id ON mark(id);"));
  TRY(begin());
  bool is_other = beginning;
  {
    auto query = database_->prepare("SELECT value FROM meta WHERE name = 'fingerprint'");
    ASSIGN(const bool there, query.step());
    is_other = is_other || !there || query.text(0) != fingerprint;
  }
  if (is_other) {
    TRY(database_->execute("DELETE FROM mark; DELETE FROM meta;"));
    auto put = database_->prepare("INSERT INTO meta VALUES('fingerprint', ?)");
    TRY(put.bind(std::string_view(fingerprint)).run());
  }
  return commit();
}

Status FileMarks::begin() {
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  transaction_.emplace(std::move(transaction));
  return {};
}

Status FileMarks::commit() {
  const Status done = transaction_->commit();
  transaction_.reset();
  return done;
}

Result<std::optional<FileMark>> FileMarks::find(const std::string& name) {
  auto query = database_->prepare("SELECT * FROM mark WHERE name = ?");
  ASSIGN(const bool there, query.bind(std::string_view(name)).step());
  return there ? std::optional(mark_of(query)) : std::nullopt;
}

Result<std::vector<std::pair<std::string, FileMark>>> FileMarks::of_id(const std::string& id) {
  auto query = database_->prepare("SELECT * FROM mark WHERE id = ?");
  query.bind(std::string_view(id));
  std::vector<std::pair<std::string, FileMark>> found;
  while (true) {
    ASSIGN(const bool row, query.step());
    if (!row) return found;
    std::string name = query.text(0);
    found.emplace_back(name.starts_with('/') ? "" : std::move(name), mark_of(query));
  }
}

Status FileMarks::put(const std::string& name, const FileMark& mark) {
  auto put = database_->prepare("INSERT OR REPLACE INTO mark VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  return put.bind(std::string_view(name))
      .bind(std::string_view(mark.id))
      .bind(mark.part.end)
      .bind(mark.mtime_ns)
      .bind(std::int64_t{mark.print})
      .bind(mark.records)
      .bind(mark.part.offset)
      .bind(mark.part.line)
      .bind(flags_of(mark))
      .run();
}

Status FileMarks::displace(const std::string& name) {
  auto move = database_->prepare("UPDATE OR REPLACE mark SET name = '/' || id WHERE name = ?");
  return move.bind(std::string_view(name)).run();
}

Status FileMarks::rename(const std::string& from, const std::string& id, const std::string& to) {
  const std::string old = from.empty() ? displaced_name(id) : from;
  auto move = database_->prepare("UPDATE OR REPLACE mark SET name = ? WHERE name = ?");
  return move.bind(std::string_view(to)).bind(std::string_view(old)).run();
}

}  // namespace tailrace::connect
