// Staging in a SQLite file. One writer of this process at a time; other processes wait by SQLite's
// lock.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "sqlite/database.h"
#include "staging/cells.h"
#include "staging/rows.h"
#include "staging/sqlite_text.h"
#include "staging/staging.h"

namespace tailrace::staging {
namespace {

using std::chrono::milliseconds;

/// How long a foreign writer's lock is waited for before a write is tried again later.
constexpr std::string_view kSettings = "PRAGMA busy_timeout=500; PRAGMA cache_size=-32000";
/// How often another process's commits are looked for.
constexpr milliseconds kLook{100};
constexpr std::size_t kStopEvery = 256;
/// Of writes whose changes are read at once; the changes of more have none.
constexpr std::int64_t kMostTraces = 10'000;

/// What the connections of one file share.
struct Shared {
  std::string path;
  std::mutex writing;  // held by who writes, so that nobody sleeps by SQLite's lock
  std::mutex mutex;
  std::condition_variable_any committed;
  std::int64_t commits = 0;

  void tell() {
    std::lock_guard lock(mutex);
    ++commits;
    committed.notify_all();
  }
};

Result<std::unique_ptr<sqlite::Database>> connect(const Shared& shared) {
  ASSIGN(auto database, sqlite::Database::open(shared.path));
  TRY(database->execute(std::string(kSettings)));
  return database;
}

/// The number of the newest change; 0: there was none.
Result<std::int64_t> last_change(sqlite::Database& database, const std::string& outbox) {
  auto row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
  row.bind(std::string_view(outbox));
  ASSIGN(const bool found, row.step());
  return found ? row.integer(0) : 0;
}

Result<Layout> read_layout(sqlite::Database& database, const std::string& table) {
  Layout layout;
  auto rows = database.prepare("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid");
  rows.bind(std::string_view(table));
  std::vector<std::pair<std::int64_t, std::string>> key;
  while (true) {
    ASSIGN(const bool row, rows.step());
    if (!row) break;
    const std::string declared = rows.text(1);
    layout.columns.push_back({rows.text(0), type_of_declared(declared)});
    if (rows.integer(2) > 0) key.emplace_back(rows.integer(2), rows.text(0));
  }
  std::ranges::sort(key);
  for (auto& [place, name] : key) layout.key.push_back(std::move(name));
  return layout;
}

Result<std::vector<std::string>> texts(sqlite::Statement statement) {
  std::vector<std::string> all;
  while (true) {
    ASSIGN(const bool row, statement.step());
    if (!row) return all;
    all.push_back(statement.text(0));
  }
}

class SqliteTable final : public Table {
 public:
  SqliteTable(std::shared_ptr<Shared> shared, TableSpec spec, std::string writer,
              std::unique_ptr<sqlite::Database> database)
      : shared_(std::move(shared)),
        spec_(std::move(spec)),
        writer_(std::move(writer)),
        database_(std::move(database)) {}

  Status prepare();
  Result<std::string> position() override;
  Status write(std::span<const Record> records, const Position& position,
               std::stop_token stop) override;

 private:
  bool own_id() const { return spec_.key.empty() && !spec_.record_keys; }
  Status evolve(const Layout& present, const Layout& wanted);
  Status rebuild(const Layout& present, const Layout& wanted);
  Status set_triggers(const Layout& layout);
  Status put_rows(const Batch& batch, std::stop_token stop);
  Status put_position(const std::string& position);
  Status put_trace(std::int64_t before);

  const std::shared_ptr<Shared> shared_;
  const TableSpec spec_;
  const std::string writer_;
  const std::unique_ptr<sqlite::Database> database_;
};

Status SqliteTable::prepare() {
  std::lock_guard lock(shared_->writing);
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  TRY(database_->execute(create_outbox(spec_.name)));
  ASSIGN(const Layout present, read_layout(*database_, spec_.name));
  ASSIGN(const Layout wanted, wanted_layout(spec_, present));
  if (!wanted.columns.empty()) TRY(evolve(present, wanted));
  return transaction.commit();
}

Result<std::string> SqliteTable::position() {
  auto row = database_->prepare("SELECT position FROM tailrace_positions WHERE writer = ?");
  row.bind(std::string_view(writer_));
  ASSIGN(const bool found, row.step());
  return found ? row.text(0) : std::string();
}

Status SqliteTable::write(std::span<const Record> records, const Position& position,
                          std::stop_token stop) {
  {
    std::lock_guard lock(shared_->writing);
    ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
    ASSIGN(const Layout present, read_layout(*database_, spec_.name));
    ASSIGN(auto wanted, wanted_layout(spec_, present));
    const Batch batch(spec_, std::move(wanted), records);
    if (!batch.rows().empty()) {
      TRY(evolve(present, batch.layout()));
      ASSIGN(const std::int64_t before, last_change(*database_, outbox_name(spec_.name)));
      TRY(put_rows(batch, stop));
      if (!trace_.empty()) TRY(put_trace(before));
    }
    TRY(put_position(position(batch.misfits())));
    TRY(transaction.commit());
  }
  shared_->tell();
  return {};
}

Status SqliteTable::evolve(const Layout& present, const Layout& wanted) {
  if (present.columns.empty()) {
    TRY(database_->execute(create_table(spec_.name, wanted, own_id())));
    return set_triggers(wanted);
  }
  bool wider = false;
  for (std::size_t i = 0; i < present.columns.size(); ++i)
    wider |= present.columns[i].type != wanted.columns[i].type;
  if (wider) return rebuild(present, wanted);
  for (std::size_t i = present.columns.size(); i < wanted.columns.size(); ++i)
    TRY(database_->execute(add_column(spec_.name, wanted.columns[i])));
  return set_triggers(wanted);
}

// SQLite cannot change a column's type: a new table takes the rows and the name, and what others
// have built on the old one is made again.
Status SqliteTable::rebuild(const Layout& present, const Layout& wanted) {
  const std::string made = "tailrace_new_" + spec_.name;
  auto others = database_->prepare(
      "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') "
      "AND sql IS NOT NULL AND name NOT LIKE 'tailrace\\_%' ESCAPE '\\'");
  others.bind(std::string_view(spec_.name));
  ASSIGN(const auto kept, texts(std::move(others)));
  TRY(database_->execute(create_table(made, wanted, own_id())));
  TRY(database_->execute(copy_rows(spec_.name, present, made, wanted)));
  TRY(database_->execute(fmt::format("DROP TABLE {}; ALTER TABLE {} RENAME TO {}",
                                     quoted_name(spec_.name), quoted_name(made),
                                     quoted_name(spec_.name))));
  for (const std::string& sql : kept) TRY(database_->execute(sql));
  return set_triggers(wanted);
}

Status SqliteTable::set_triggers(const Layout& layout) {
  for (const Trigger& trigger : triggers(spec_.name, layout, spec_.before)) {
    auto look =
        database_->prepare("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?");
    look.bind(std::string_view(trigger.name));
    ASSIGN(const auto found, texts(std::move(look)));
    if (!found.empty() && found.front() == trigger.sql) continue;
    TRY(database_->execute("DROP TRIGGER IF EXISTS " + quoted_name(trigger.name)));
    TRY(database_->execute(trigger.sql));
  }
  return {};
}

void bind_cell(sqlite::Statement& statement, Type type,
               const std::optional<std::string_view>& cell) {
  if (!cell) {
    statement.bind_null();
    return;
  }
  std::int64_t whole = 0;
  double real = 0;
  switch (type) {
    case Type::kBigint:
      std::from_chars(cell->data(), cell->data() + cell->size(), whole);
      statement.bind(whole);
      break;
    case Type::kDouble:
      std::from_chars(cell->data(), cell->data() + cell->size(), real);
      statement.bind(real);
      break;
    case Type::kBoolean:
      statement.bind(*cell == "true");
      break;
    default:
      statement.bind(*cell);
  }
}

Status SqliteTable::put_rows(const Batch& batch, std::stop_token stop) {
  const Layout& layout = batch.layout();
  const std::string sql = upsert(spec_, layout);
  std::vector<std::size_t> bound;
  for (std::size_t i = 0; i < layout.columns.size(); ++i)
    if (!is_given(spec_, layout.columns[i])) bound.push_back(i);
  for (std::size_t r = 0; r < batch.rows().size(); ++r) {
    if (r % kStopEvery == 0 && stop.stop_requested()) return error(Code::kCancelled, "stopped");
    ASSIGN(auto statement, database_->prepare_text(sql));
    for (const std::size_t i : bound)
      bind_cell(statement, layout.columns[i].type, batch.rows()[r].cells[i]);
    TRY(statement.run());
  }
  return {};
}

Status SqliteTable::put_position(const std::string& position) {
  auto put = database_->prepare(
      "INSERT INTO tailrace_positions (writer, position) VALUES (?, ?) "
      "ON CONFLICT (writer) DO UPDATE SET position = excluded.position");
  put.bind(std::string_view(writer_)).bind(std::string_view(position));
  return put.run();
}

// Nobody else writes meanwhile, so all changes since `before` are this transaction's.
Status SqliteTable::put_trace(std::int64_t before) {
  const std::string outbox = outbox_name(spec_.name);
  ASSIGN(const std::int64_t last, last_change(*database_, outbox));
  if (last == before) return {};
  auto put = database_->prepare(
      "INSERT OR REPLACE INTO tailrace_traces (outbox, last, first, trace) VALUES (?, ?, ?, ?)");
  put.bind(std::string_view(outbox)).bind(last).bind(before + 1).bind(std::string_view(trace_));
  return put.run();
}

class Outbox final : public Changes {
 public:
  Outbox(std::shared_ptr<Shared> shared, const std::string& table, std::string identity,
         std::unique_ptr<sqlite::Database> database)
      : shared_(std::move(shared)),
        outbox_(outbox_name(table)),
        identity_(std::move(identity)),
        database_(std::move(database)),
        read_(fmt::format("SELECT seq, op, key, before, after, time FROM {} WHERE seq > ? "
                          "ORDER BY seq LIMIT ?",
                          quoted_name(outbox_))),
        forget_(fmt::format("DELETE FROM {} WHERE seq <= ?", quoted_name(outbox_))) {}

  Status read(std::int64_t after, std::size_t most, std::size_t bytes,
              const std::function<void(const Change&)>& visit) override;
  void wait(milliseconds most, std::stop_token stop) override;
  Status forget(std::int64_t up_to) override;
  Result<std::int64_t> newest() override { return last_number(); }
  std::int64_t passed() const override { return passed_; }
  std::int64_t waiting() const override { return waiting_; }
  std::string identity() const override { return identity_; }

 private:
  struct Trace {
    std::int64_t first = 0;
    std::string text;
  };
  Result<std::int64_t> last_number();
  Result<std::map<std::int64_t, Trace>> traces_behind(std::int64_t after);
  Result<std::int64_t> data_version();

  const std::shared_ptr<Shared> shared_;
  const std::string outbox_;
  const std::string identity_;
  const std::unique_ptr<sqlite::Database> database_;
  const std::string read_;
  const std::string forget_;
  std::int64_t seen_commits_ = 0;
  std::int64_t seen_version_ = 0;
  std::int64_t forgotten_ = 0;
  std::atomic<std::int64_t> passed_ = 0;
  std::atomic<std::int64_t> waiting_ = 0;
};

Result<std::int64_t> Outbox::last_number() {
  return last_change(*database_, outbox_);
}

/// The traces of changes behind `after`, by their last change.
Result<std::map<std::int64_t, Outbox::Trace>> Outbox::traces_behind(std::int64_t after) {
  std::map<std::int64_t, Trace> traces;
  auto rows = database_->prepare(
      "SELECT last, first, trace FROM tailrace_traces WHERE outbox = ? AND last > ? "
      "ORDER BY last LIMIT ?");
  rows.bind(std::string_view(outbox_)).bind(after).bind(kMostTraces);
  while (true) {
    ASSIGN(const bool row, rows.step());
    if (!row) return traces;
    traces[rows.integer(0)] = {rows.integer(1), rows.text(2)};
  }
}

Result<std::int64_t> Outbox::data_version() {
  auto row = database_->prepare("PRAGMA data_version");
  TRY(row.step());
  return row.integer(0);
}

Status Outbox::read(std::int64_t after, std::size_t most, std::size_t bytes,
                    const std::function<void(const Change&)>& visit) {
  {
    std::lock_guard lock(shared_->mutex);
    seen_commits_ = shared_->commits;
  }
  ASSIGN(seen_version_, data_version());
  passed_ = after;
  // What comes meanwhile is for the next read: its trace is not in `traces`.
  ASSIGN(const std::int64_t newest, last_number());
  ASSIGN(const auto traces, traces_behind(after));
  {
    ASSIGN(auto rows, database_->prepare_text(read_));
    rows.bind(after).bind(static_cast<std::int64_t>(most));
    for (std::size_t read = 0; read < bytes;) {
      ASSIGN(const bool row, rows.step());
      if (!row || rows.integer(0) > newest) break;
      const auto trace = traces.lower_bound(rows.integer(0));
      const bool traced = trace != traces.end() && trace->second.first <= rows.integer(0);
      const std::string op = rows.text(1);
      const Change change{rows.integer(0),
                          op.empty() ? 'c' : op.front(),
                          rows.view(2).value_or(""),
                          rows.view(3),
                          rows.view(4),
                          rows.integer(5),
                          traced ? std::string_view(trace->second.text) : std::string_view()};
      read += change.before.value_or("").size() + change.after.value_or("").size();
      visit(change);
    }
  }
  waiting_ = std::max<std::int64_t>(0, newest - after);
  return {};
}

void Outbox::wait(milliseconds most, std::stop_token stop) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return;
    std::unique_lock lock(shared_->mutex);
    const auto until = std::min(end, now + kLook);
    if (shared_->committed.wait_until(lock, stop, until,
                                      [&] { return shared_->commits != seen_commits_; }))
      return;
    lock.unlock();
    // A failure is for read() to tell.
    const auto version = data_version();
    if (!version || *version != seen_version_) return;
  }
}

Status Outbox::forget(std::int64_t up_to) {
  if (up_to <= forgotten_) return {};
  {
    std::lock_guard lock(shared_->writing);
    ASSIGN(auto statement, database_->prepare_text(forget_));
    statement.bind(up_to);
    TRY(statement.run());
    auto traces = database_->prepare("DELETE FROM tailrace_traces WHERE outbox = ? AND last <= ?");
    traces.bind(std::string_view(outbox_)).bind(up_to);
    TRY(traces.run());
  }
  forgotten_ = up_to;
  return {};
}

class SqliteStaging final : public Staging {
 public:
  explicit SqliteStaging(std::string path) : shared_(std::make_shared<Shared>()) {
    shared_->path = std::move(path);
  }

  Status prepare() {
    ASSIGN(const auto database, connect(*shared_));
    TRY(
        database->execute("CREATE TABLE IF NOT EXISTS tailrace_positions "
                          "(writer TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;"
                          "CREATE TABLE IF NOT EXISTS tailrace_identity (id TEXT NOT NULL);"
                          "INSERT INTO tailrace_identity (id) SELECT lower(hex(randomblob(16))) "
                          "WHERE NOT EXISTS (SELECT 1 FROM tailrace_identity);"));
    auto row = database->prepare("SELECT id FROM tailrace_identity");
    TRY(row.step());
    identity_ = row.text(0);
    return {};
  }

  Result<std::unique_ptr<Table>> table(const TableSpec& spec, const std::string& writer) override {
    ASSIGN(auto database, connect(*shared_));
    // Views over a table that is made again stay as they are.
    TRY(database->execute("PRAGMA legacy_alter_table=ON"));
    auto table = std::make_unique<SqliteTable>(shared_, spec, writer, std::move(database));
    TRY(table->prepare());
    return table;
  }

  Result<std::unique_ptr<Changes>> changes(const TableSpec& spec) override {
    ASSIGN(auto database, connect(*shared_));
    TRY(database->execute(create_outbox(spec.name)));
    // What is forgotten twice does no harm.
    TRY(database->execute("PRAGMA synchronous=NORMAL"));
    return std::make_unique<Outbox>(shared_, spec.name, identity_, std::move(database));
  }

  std::string where() const override { return shared_->path; }

 private:
  const std::shared_ptr<Shared> shared_;
  std::string identity_;
};

}  // namespace

Result<std::unique_ptr<Staging>> open_sqlite(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (failed)
    return error(Code::kFailedPrecondition, fmt::format("{}: {}", path, failed.message()));
  auto staging = std::make_unique<SqliteStaging>(path);
  TRY(staging->prepare());
  return staging;
}

}  // namespace tailrace::staging
