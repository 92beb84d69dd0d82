#include "connect/postgres_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"

namespace tailrace::connect {
namespace {

using postgres::Connection;
using postgres::quoted_name;
using postgres::quoted_text;
using postgres::Rows;
using Parameter = std::optional<std::string>;

constexpr int kOldestVersion = 140000;
constexpr std::size_t kLongestName = 63;

// Values must read the same whoever set up the server, and names must be whole.
constexpr const char* kSession =
    "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'; "
    "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET search_path = 'pg_catalog'; "
    "SET statement_timeout = 0; SET lock_timeout = '10s'; SET idle_session_timeout = 0; "
    "SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = 'local'";

constexpr const char* kSlot =
    "SELECT plugin, database, confirmed_flush_lsn, coalesce(wal_status, '') "
    "FROM pg_replication_slots WHERE slot_name = $1";

class Setup {
 public:
  Setup(const PostgresSettings& settings, PostgresPosition& position, std::stop_token stop)
      : settings_(settings), position_(position), stop_(std::move(stop)) {}
  Result<PostgresConnections> open();

 private:
  Result<std::unique_ptr<Connection>> connect(bool replication);
  Status identify();
  Status find_tables();
  Status publish(const std::string& name, const std::vector<PostgresTableName>& tables,
                 const std::string& what, bool slot_is_there);
  Status open_slot();
  Status check_slot(const Rows& slot);
  Result<Rows> query(const std::string& sql, std::initializer_list<Parameter> given) {
    return made_.sql->query(sql, std::span(given.begin(), given.size()), stop_);
  }
  std::string begin_again() const {
    return fmt::format(
        "What changed meanwhile is lost to this source. Give it another `slot` in tailrace.yml, "
        "and it begins again with all rows; SELECT pg_drop_replication_slot({}) frees the old one",
        quoted_text(settings_.slot));
  }

  const PostgresSettings& settings_;
  PostgresPosition& position_;
  const std::stop_token stop_;
  PostgresConnections made_;
  std::vector<PostgresTableName> whole_, inserts_;
  std::string system_;
};

Result<std::unique_ptr<Connection>> Setup::connect(bool replication) {
  ASSIGN(auto connection, Connection::open({.url = settings_.url,
                                            .password = settings_.password,
                                            .application = "tailrace " + settings_.name,
                                            .replication = replication},
                                           stop_));
  if (connection->server_version() < kOldestVersion)
    return error(Code::kUnimplemented,
                 fmt::format("this is PostgreSQL {}; changes are read from version 14 on",
                             connection->server_version() / 10000));
  TRY(connection->run(kSession, stop_));
  return connection;
}

Status Setup::identify() {
  ASSIGN(const Rows rows, made_.stream->run("IDENTIFY_SYSTEM", stop_));
  system_ = rows.cell(0, 0).value_or("");
  made_.server_end = postgres::parse_lsn(rows.cell(0, 2).value_or("")).value_or(postgres::Lsn());
  made_.database = rows.cell(0, 3).value_or("");
  ASSIGN(const Rows version, made_.sql->run("SHOW server_version", stop_));
  made_.version = version.cell(0, 0).value_or("");
  if (position_.empty()) return {};
  if (position_.system != system_)
    return error(
        Code::kDataLoss,
        fmt::format("another PostgreSQL answers at {} (system {}) than the one that was "
                    "read so far (system {}). {}",
                    postgres::shown_url(settings_.url), system_, position_.system, begin_again()));
  if (position_.lsn > made_.server_end)
    return error(Code::kDataLoss,
                 fmt::format("PostgreSQL's log ends at {}, but was read up to {}: the server was "
                             "restored to an earlier time. {}",
                             text(made_.server_end), text(position_.lsn), begin_again()));
  return {};
}

Status Setup::find_tables() {
  PostgresCatalog catalog(*made_.sql);
  ASSIGN(const auto found, catalog.tables(settings_.tables, stop_));
  if (found.empty())
    return error(Code::kUnavailable,
                 fmt::format("database {} has no table that `tables` names; it is waited for",
                             made_.database));
  const bool done = settings_.snapshot == PostgresSettings::Snapshot::kNever;
  for (const PostgresTableName& table : found) {
    (table.identity ? whole_ : inserts_).push_back(table);
    position_.tables.try_emplace(table.full(), SnapshotProgress{.done = done});
  }
  return {};
}

// A table that is put into a publication later must have no change under way: what is written
// before is then seen by its snapshot, and what is written after is published.
Status Setup::publish(const std::string& name, const std::vector<PostgresTableName>& tables,
                      const std::string& what, bool slot_is_there) {
  const auto listed = [](const std::vector<PostgresTableName>& some, std::string_view only) {
    std::string list;
    for (const PostgresTableName& table : some)
      list += fmt::format("{}{}{}.{}", list.empty() ? "" : ", ",
                          table.partitioned ? std::string_view() : only, quoted_name(table.schema),
                          quoted_name(table.name));
    return list;
  };
  ASSIGN(const Rows there,
         query("SELECT puballtables FROM pg_publication WHERE pubname = $1", {name}));
  if (there.size() == 0) {
    std::string sql = fmt::format(
        "CREATE PUBLICATION {} FOR TABLE {} WITH (publish = {}, publish_via_partition_root)",
        quoted_name(name), listed(tables, "ONLY "), quoted_text(what));
    if (slot_is_there)
      sql = fmt::format("BEGIN; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; {}; COMMIT",
                        listed(tables, "ONLY "), sql);
    TRY(made_.sql->run(sql, stop_));
    LOG_OF(info, log_of("source", settings_.name), "ingest {}: publication {} is made",
           settings_.name, name);
    return {};
  }
  if (there.cell(0, 0) == "t") return {};
  ASSIGN(const Rows has, query("SELECT schemaname || '.' || tablename FROM pg_publication_tables "
                               "WHERE pubname = $1",
                               {name}));
  std::set<std::string, std::less<>> known;
  for (int i = 0; i < has.size(); ++i) known.emplace(has.cell(i, 0).value_or(""));
  for (const PostgresTableName& table : tables) {
    if (known.contains(table.full())) continue;
    const std::string one = listed({table}, "ONLY ");
    TRY(made_.sql->run(fmt::format("BEGIN; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; ALTER "
                                   "PUBLICATION {} ADD TABLE {}; COMMIT",
                                   one, quoted_name(name), one),
                       stop_));
    LOG_OF(info, log_of("source", settings_.name, "table", table.full()),
           "ingest {}: table {} is added to publication {}", settings_.name, table.full(), name);
  }
  return {};
}

Status Setup::check_slot(const Rows& slot) {
  const std::string_view plugin = slot.cell(0, 0).value_or(""),
                         database = slot.cell(0, 1).value_or("");
  if (plugin != "pgoutput" || database != made_.database)
    return error(Code::kFailedPrecondition,
                 fmt::format("slot {} is of plugin {:?} and database {:?}; give the source another "
                             "`slot`",
                             settings_.slot, plugin, database));
  if (slot.cell(0, 3) == "lost")
    return error(Code::kDataLoss,
                 fmt::format("PostgreSQL has dropped the log that slot {} was kept for "
                             "(max_slot_wal_keep_size). {}",
                             settings_.slot, begin_again()));
  const auto confirmed = postgres::parse_lsn(slot.cell(0, 2).value_or("0/0"));
  if (position_.empty()) {
    position_.start = position_.lsn = confirmed.value_or(postgres::Lsn());
  } else if (confirmed && *confirmed > position_.lsn) {
    return error(Code::kDataLoss,
                 fmt::format("slot {} stands at {}, but this source at {}: somebody else has read "
                             "from it, or the source's folder is an older copy. {}",
                             settings_.slot, text(*confirmed), text(position_.lsn), begin_again()));
  }
  return {};
}

Status Setup::open_slot() {
  ASSIGN(const Rows slot, query(kSlot, {settings_.slot}));
  const bool there = slot.size() == 1;
  if (!there && !position_.empty())
    return error(Code::kDataLoss, fmt::format("slot {} is gone from database {}. {}",
                                              settings_.slot, made_.database, begin_again()));
  if (there) TRY(check_slot(slot));
  if (!whole_.empty())
    TRY(publish(settings_.publication, whole_, "insert, update, delete, truncate", there));
  if (!inserts_.empty()) {
    TRY(publish(settings_.publication + "_inserts", inserts_, "insert, truncate", there));
    made_.inserts_publication = true;
    for (const PostgresTableName& table : inserts_)
      LOG_OF(warn, log_of("source", settings_.name, "table", table.full()),
             "ingest {}: table {} has no primary key: its updates and deletes are not read; ALTER "
             "TABLE {} REPLICA IDENTITY FULL changes that, from the next start on",
             settings_.name, table.full(), table.full());
  }
  if (!there) {
    ASSIGN(const Rows made,
           query("SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput')",
                 {settings_.slot}));
    position_.start = position_.lsn =
        postgres::parse_lsn(made.cell(0, 0).value_or("")).value_or(postgres::Lsn());
    LOG_OF(info, log_of("source", settings_.name), "ingest {}: slot {} is made, at {}",
           settings_.name, settings_.slot, text(position_.lsn));
  }
  position_.system = system_;
  return {};
}

Result<PostgresConnections> Setup::open() {
  ASSIGN(made_.sql, connect(false));
  ASSIGN(made_.stream, connect(true));
  TRY(identify());
  TRY(find_tables());
  TRY(open_slot());
  std::string publications = quoted_name(settings_.publication);
  if (whole_.empty()) publications.clear();
  if (made_.inserts_publication)
    publications += (whole_.empty() ? "" : ",") + quoted_name(settings_.publication + "_inserts");
  const std::string command = fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '2', streaming 'on', messages 'true', "
      "publication_names {})",
      quoted_name(settings_.slot), text(position_.lsn), quoted_text(publications));
  TRY(made_.stream->start_stream(command, stop_));
  return std::move(made_);
}

}  // namespace

Result<PostgresConnections> open_postgres(const PostgresSettings& settings,
                                          PostgresPosition& position, std::stop_token stop) {
  PostgresPosition next = position;
  auto opened = Setup(settings, next, std::move(stop)).open();
  if (opened) position = std::move(next);
  return opened;
}

std::string slot_name(const std::string& value) {
  std::string name;
  for (const char c : value.substr(0, kLongestName)) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '_';
    name += plain ? low : '_';
  }
  return name;
}

}  // namespace tailrace::connect
