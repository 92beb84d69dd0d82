// Staging in a PostgreSQL database. Its changes are read by logical replication.
//
// A COMMIT whose answer is lost is known by the position that is kept: when it has moved, it was
// this one.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "postgres/connection.h"
#include "staging/postgres_capture.h"
#include "staging/postgres_text.h"
#include "staging/rows.h"
#include "staging/staging.h"

namespace tailrace::staging {
namespace {

namespace text = postgres_text;
using Parameters = std::vector<std::optional<std::string>>;

postgres::Settings settings_of(const PostgresStaging& config) {
  return {.url = postgres::with_user(config.url, config.user), .password = config.password};
}

class PostgresTable final : public Table {
 public:
  PostgresTable(const PostgresStaging& config, TableSpec spec, std::string writer)
      : settings_(settings_of(config)),
        followed_(config.followed),
        spec_(std::move(spec)),
        writer_(std::move(writer)) {}

  Status prepare();
  Result<std::string> position() override;
  Status write(std::span<const Record> records, const Position& position,
               std::stop_token stop) override;

 private:
  Result<postgres::Connection*> connection(std::stop_token stop);
  Result<Layout> read_layout(postgres::Connection& database, std::stop_token stop) const;
  Status evolve(postgres::Connection& database, const Layout& present, const Layout& wanted,
                std::stop_token stop);
  Result<std::string> kept_position(postgres::Connection& database, std::stop_token stop) const;
  Status write_once(std::span<const Record> records, const Position& position,
                    std::stop_token stop);
  Status make_ready(postgres::Connection& database, std::span<const Record> records,
                    std::stop_token stop);
  Status watch_truncates(postgres::Connection& database, std::stop_token stop) const;
  Status say_trace(postgres::Connection& database, std::stop_token stop);
  Status put_rows(postgres::Connection& database, const Batch& batch, std::stop_token stop);
  Status put_position(postgres::Connection& database, const std::string& position,
                      std::stop_token stop) const;

  const postgres::Settings settings_;
  const std::function<Status(const std::string&, std::stop_token)> followed_;
  const TableSpec spec_;
  const std::string writer_;
  bool ready_ = false;  // the table is there, and its changes are followed
  std::unique_ptr<postgres::Connection> connection_;
  std::string incoming_;  // the SQL that made this connection's temporary table
  std::string known_;     // the position as this writer left it
  bool unsure_ = false;   // whether the last commit happened
};

Result<postgres::Connection*> PostgresTable::connection(std::stop_token stop) {
  if (!connection_) {
    incoming_.clear();
    ASSIGN(connection_, postgres::Connection::open(settings_, stop));
    TRY(connection_->run("SET TIME ZONE 'UTC'; SET client_min_messages = warning", stop));
  }
  return connection_.get();
}

Status PostgresTable::prepare() {
  ASSIGN(postgres::Connection * database, connection({}));
  TRY(
      database->run("CREATE TABLE IF NOT EXISTS tailrace_positions "
                    "(writer text PRIMARY KEY, position text NOT NULL)"));
  ASSIGN(const Layout present, read_layout(*database, {}));
  ASSIGN(auto wanted, wanted_layout(spec_, present));
  const auto own = own_key(spec_);
  // Its changes are followed from its first row on.
  if (wanted.columns.empty() && own) wanted.columns.push_back(*own);
  if (!wanted.columns.empty()) TRY(evolve(*database, present, wanted, {}));
  return watch_truncates(*database, {});
}

/// A table that is another's, and lets nobody make triggers, is truncated unheard.
Status PostgresTable::watch_truncates(postgres::Connection& database, std::stop_token stop) const {
  const auto watched = database.run(text::watch_truncates(spec_), stop);
  if (watched) return {};
  if (watched.error().code != Code::kPermissionDenied) return std::unexpected(watched.error());
  LOG(warn, "staging {}: a TRUNCATE of the table will not be heard: {}", spec_.name,
      watched.error().what);
  return {};
}

Result<std::string> PostgresTable::kept_position(postgres::Connection& database,
                                                 std::stop_token stop) const {
  ASSIGN(const auto rows,
         database.query("SELECT position FROM tailrace_positions WHERE writer = $1 FOR UPDATE",
                        Parameters{writer_}, stop));
  return rows.size() == 0 ? std::string() : std::string(rows.cell(0, 0).value_or(""));
}

Result<std::string> PostgresTable::position() {
  ASSIGN(postgres::Connection * database, connection({}));
  ASSIGN(known_, kept_position(*database, {}));
  return known_;
}

Result<Layout> PostgresTable::read_layout(postgres::Connection& database,
                                          std::stop_token stop) const {
  ASSIGN(
      const auto rows,
      database.query("SELECT a.attname, format_type(a.atttypid, a.atttypmod), "
                     "array_position(i.indkey::int2[], a.attnum) "
                     "FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid "
                     "AND i.indisprimary "
                     "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped "
                     "ORDER BY a.attnum",
                     Parameters{postgres::quoted_name(spec_.name)}, stop));
  Layout layout;
  std::map<int, std::string> key;
  for (int row = 0; row < rows.size(); ++row) {
    const std::string name(rows.cell(row, 0).value_or(""));
    layout.columns.push_back({name, text::type_of_name(rows.cell(row, 1).value_or(""))});
    if (const auto place = rows.cell(row, 2)) key.emplace(std::stoi(std::string(*place)), name);
  }
  for (auto& [place, name] : key) layout.key.push_back(name);
  return layout;
}

Status PostgresTable::evolve(postgres::Connection& database, const Layout& present,
                             const Layout& wanted, std::stop_token stop) {
  const std::string sql = present.columns.empty() ? text::create_table(spec_, wanted)
                                                  : text::alter_table(spec_, present, wanted);
  if (!sql.empty()) TRY(database.run(sql, stop));
  return {};
}

Status PostgresTable::write(std::span<const Record> records, const Position& position,
                            std::stop_token stop) {
  auto written = write_once(records, position, stop);
  // What is left of the transaction goes with its connection.
  if (!written) connection_.reset();
  return written;
}

// In a transaction of its own: what follows the changes has to see the table.
Status PostgresTable::make_ready(postgres::Connection& database, std::span<const Record> records,
                                 std::stop_token stop) {
  ASSIGN(const Layout present, read_layout(database, stop));
  ASSIGN(auto wanted, wanted_layout(spec_, present));
  const Batch batch(spec_, std::move(wanted), records);
  if (batch.rows().empty()) return {};
  if (present.columns.empty()) {
    TRY(evolve(database, present, batch.layout(), stop));
    TRY(watch_truncates(database, stop));
  }
  if (followed_) TRY(followed_(spec_.name, stop));
  ready_ = true;
  return {};
}

Status PostgresTable::write_once(std::span<const Record> records, const Position& position,
                                 std::stop_token stop) {
  ASSIGN(postgres::Connection * database, connection(stop));
  if (!ready_) TRY(make_ready(*database, records, stop));
  TRY(database->run("BEGIN", stop));
  ASSIGN(const std::string kept, kept_position(*database, stop));
  ASSIGN(const Layout present, read_layout(*database, stop));
  ASSIGN(auto wanted, wanted_layout(spec_, present));
  const Batch batch(spec_, std::move(wanted), records);
  std::string next = position(batch.misfits());
  if (kept != known_) {
    if (!unsure_)
      return error(
          Code::kFailedPrecondition,
          fmt::format("somebody else writes to table {} as {}: does the project run twice?",
                      spec_.name, writer_));
    known_ = kept;
    unsure_ = false;
    TRY(database->run("ROLLBACK", stop));
    return {};
  }
  if (!batch.rows().empty()) {
    TRY(evolve(*database, present, batch.layout(), stop));
    TRY(say_trace(*database, stop));
    TRY(put_rows(*database, batch, stop));
  }
  TRY(put_position(*database, next, stop));
  unsure_ = true;
  TRY(database->run("COMMIT", stop));
  unsure_ = false;
  known_ = std::move(next);
  return {};
}

// Before the rows: the stream has it where their trace is needed.
Status PostgresTable::say_trace(postgres::Connection& database, std::stop_token stop) {
  if (trace_.empty()) return {};
  const std::vector<std::optional<std::string>> said = {std::string(kTracePrefix), trace_};
  TRY(database.query("SELECT pg_logical_emit_message(true, $1, $2)", said, stop));
  return {};
}

Status PostgresTable::put_rows(postgres::Connection& database, const Batch& batch,
                               std::stop_token stop) {
  const Layout& layout = batch.layout();
  if (std::string sql = text::create_incoming(spec_, layout); sql != incoming_) {
    TRY(database.run(sql, stop));
    incoming_ = std::move(sql);
  }
  const text::Incoming rows = text::incoming(spec_, batch);
  TRY(database.copy_in(text::copy_incoming(spec_, layout), rows.rows, stop));
  for (int round = 0; round < rows.rounds; ++round)
    TRY(database.run(text::upsert(spec_, layout, round), stop));
  return {};
}

Status PostgresTable::put_position(postgres::Connection& database, const std::string& position,
                                   std::stop_token stop) const {
  TRY(
      database.query("INSERT INTO tailrace_positions AS t (writer, position) VALUES ($1, $2) "
                     "ON CONFLICT (writer) DO UPDATE SET position = excluded.position",
                     Parameters{writer_, position}, stop));
  return {};
}

class PostgresStagingStore final : public Staging {
 public:
  explicit PostgresStagingStore(const PostgresStaging& config)
      : config_(config), where_(postgres::shown_url(config.url)) {}

  Result<std::unique_ptr<Table>> table(const TableSpec& spec, const std::string& writer) override {
    auto table = std::make_unique<PostgresTable>(config_, spec, writer);
    TRY(table->prepare());
    return table;
  }
  Result<std::unique_ptr<Changes>> changes(const TableSpec&) override {
    return error(Code::kUnimplemented, "PostgreSQL's changes come by logical replication");
  }
  std::string where() const override { return where_; }

 private:
  const PostgresStaging config_;
  const std::string where_;
};

}  // namespace

Result<Capture> capture_of(const PostgresStaging& config, const TableSpec& spec) {
  const postgres::Settings settings = settings_of(config);
  ASSIGN(const auto database, postgres::Connection::open(settings));
  ASSIGN(const auto rows, database->query("SELECT current_schema()"));
  const std::string schema(rows.cell(0, 0).value_or("public"));
  return Capture{settings.url, settings.password, schema + "." + spec.name};
}

Result<std::string> place_behind_all(const PostgresStaging& config) {
  ASSIGN(const auto database, postgres::Connection::open(settings_of(config)));
  ASSIGN(const auto rows,
         database->query("SELECT pg_logical_emit_message(true, 'tailrace.place', '')"));
  return std::string(rows.cell(0, 0).value_or(""));
}

Result<std::unique_ptr<Staging>> open_postgres(const PostgresStaging& config) {
  return std::make_unique<PostgresStagingStore>(config);
}

}  // namespace tailrace::staging
