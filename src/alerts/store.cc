#include "alerts/store.h"

#include <fmt/format.h>

#include "alerts/json.h"
#include "sqlite/database.h"

namespace tailrace::alerts {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

std::string_view sv(std::string_view text) {
  return text;
}

constexpr int kVersion = 1;
constexpr const char* kTables = R"(
CREATE TABLE alert (key TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outgoing (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, state TEXT NOT NULL,
  group_key TEXT NOT NULL, made INTEGER NOT NULL, attempts INTEGER NOT NULL, next INTEGER NOT NULL,
  over INTEGER NOT NULL, said TEXT NOT NULL, reference TEXT NOT NULL, json TEXT NOT NULL);
CREATE INDEX outgoing_open ON outgoing (channel, id) WHERE over = 0;
CREATE INDEX outgoing_group ON outgoing (channel, group_key, id);
CREATE TABLE history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, rule TEXT NOT NULL,
  labels TEXT NOT NULL, was TEXT NOT NULL, became TEXT NOT NULL, value TEXT NOT NULL,
  summary TEXT NOT NULL);
CREATE TABLE silence (id TEXT PRIMARY KEY, matchers TEXT NOT NULL, ends INTEGER NOT NULL,
  comment TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
)";
#define OUTGOING_COLUMNS "id, channel, state, made, attempts, next, over, said, reference, json"

Result<Outgoing> outgoing_of(Statement& row) {
  Outgoing one{.id = row.integer(0),
               .channel = row.text(1),
               .state = row.text(2),
               .message = {},
               .attempts = static_cast<int>(row.integer(4)),
               .made = row.integer(3),
               .next = row.integer(5),
               .over = row.integer(6),
               .said = row.text(7),
               .reference = row.text(8)};
  ASSIGN(one.message, message_of(row.text(9)));
  return one;
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Status prepare_tables() {
    const auto version = [&]() -> Result<std::int64_t> {
      auto statement = database_->prepare("PRAGMA user_version");
      ASSIGN(const bool row, statement.step());
      return row ? statement.integer(0) : 0;
    };
    ASSIGN(const std::int64_t found, version());
    if (found > kVersion)
      return error(Code::kFailedPrecondition,
                   "alerts.db is of a newer program: run that one, or move the file away");
    if (found == kVersion) return {};
    ASSIGN(auto transaction, Transaction::begin(*database_));
    TRY(database_->execute(kTables));
    return transaction.commit();
  }

  Result<std::vector<Alert>> alerts() override {
    const std::lock_guard lock(mutex_);
    std::vector<Alert> all;
    auto rows = database_->prepare("SELECT json FROM alert");
    for (;;) {
      ASSIGN(const bool more, rows.step());
      if (!more) return all;
      ASSIGN(auto alert, alert_of(rows.text(0)));
      all.push_back(std::move(alert));
    }
  }

  Status keep(const Step& step, const std::vector<std::pair<std::string, std::string>>& notes,
              Ms now) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(auto transaction, Transaction::begin(*database_));
    for (const auto& [key, alert] : step.changed) {
      const std::string json = dump(json_of(alert));
      TRY(database_->prepare("INSERT OR REPLACE INTO alert VALUES (?, ?)")
              .bind(sv(key))
              .bind(sv(json))
              .run());
    }
    for (const std::string& key : step.gone)
      TRY(database_->prepare("DELETE FROM alert WHERE key = ?").bind(sv(key)).run());
    for (const auto& [name, json] : notes)
      TRY(database_->prepare("INSERT OR REPLACE INTO note VALUES (?, ?)")
              .bind(sv(name))
              .bind(sv(json))
              .run());
    for (const Message& message : step.messages) TRY(put(message, now));
    for (const Transition& one : step.history) TRY(put(one));
    if (!step.history.empty()) TRY(forget());
    return transaction.commit();
  }

  Result<std::optional<std::string>> note(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    auto row = database_->prepare("SELECT json FROM note WHERE name = ?");
    ASSIGN(const bool found, row.bind(sv(name)).step());
    return found ? std::optional(row.text(0)) : std::nullopt;
  }

  Result<std::vector<Silence>> silences(Ms now) override {
    const std::lock_guard lock(mutex_);
    TRY(database_->prepare("DELETE FROM silence WHERE ends <= ?").bind(now).run());
    std::vector<Silence> all;
    auto rows = database_->prepare("SELECT id, matchers, ends, comment FROM silence ORDER BY ends");
    for (;;) {
      ASSIGN(const bool more, rows.step());
      if (!more) return all;
      Silence one{
          .id = rows.text(0), .matchers = {}, .ends = rows.integer(2), .comment = rows.text(3)};
      const Json texts = Json::parse(rows.text(1), nullptr, false);
      for (const Json& text : texts) {
        ASSIGN(auto matcher, Matcher::parse(text.get<std::string>()));
        one.matchers.push_back(std::move(matcher));
      }
      all.push_back(std::move(one));
    }
  }

  Status add_silence(const Silence& silence) override {
    const std::lock_guard lock(mutex_);
    Json texts = Json::array();
    for (const Matcher& matcher : silence.matchers) texts.push_back(matcher.text());
    const std::string matchers = dump(texts);
    return database_->prepare("INSERT OR REPLACE INTO silence VALUES (?, ?, ?, ?)")
        .bind(sv(silence.id))
        .bind(sv(matchers))
        .bind(silence.ends)
        .bind(sv(silence.comment))
        .run();
  }

  Result<bool> end_silence(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    TRY(database_->prepare("DELETE FROM silence WHERE id = ?").bind(sv(id)).run());
    return database_->changes() > 0;
  }

  Result<std::optional<Outgoing>> next(const std::string& channel) override {
    const std::lock_guard lock(mutex_);
    auto row =
        database_->prepare("SELECT " OUTGOING_COLUMNS
                           " FROM outgoing WHERE channel = ? AND over = 0 ORDER BY id LIMIT 1");
    ASSIGN(const bool found, row.bind(sv(channel)).step());
    if (!found) return std::nullopt;
    ASSIGN(auto one, outgoing_of(row));
    return one;
  }

  Status set(const Outgoing& one) override {
    const std::lock_guard lock(mutex_);
    return database_
        ->prepare(
            "UPDATE outgoing SET state = ?, attempts = ?, next = ?, over = ?, said = ?, "
            "reference = ? WHERE id = ?")
        .bind(sv(one.state))
        .bind(one.attempts)
        .bind(one.next)
        .bind(one.over)
        .bind(sv(one.said))
        .bind(sv(one.reference))
        .bind(one.id)
        .run();
  }

  Result<std::optional<std::string>> reference(const std::string& channel,
                                               const std::string& group) override {
    const std::lock_guard lock(mutex_);
    auto row = database_->prepare(
        "SELECT reference FROM outgoing WHERE channel = ? AND group_key = ? AND state = 'sent' "
        "AND reference <> '' ORDER BY id DESC LIMIT 1");
    ASSIGN(const bool found, row.bind(sv(channel)).bind(sv(group)).step());
    return found ? std::optional(row.text(0)) : std::nullopt;
  }

  Result<std::vector<Outgoing>> messages(std::int64_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<Outgoing> all;
    auto rows =
        database_->prepare("SELECT " OUTGOING_COLUMNS " FROM outgoing ORDER BY id DESC LIMIT ?");
    rows.bind(limit);
    for (;;) {
      ASSIGN(const bool more, rows.step());
      if (!more) return all;
      ASSIGN(auto one, outgoing_of(rows));
      all.push_back(std::move(one));
    }
  }

  Result<std::vector<Transition>> history(std::string_view rule, std::int64_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<Transition> all;
    auto rows = database_->prepare(
        "SELECT at, rule, labels, was, became, value, summary FROM history "
        "WHERE ? = '' OR rule = ? ORDER BY id DESC LIMIT ?");
    rows.bind(sv(rule)).bind(sv(rule)).bind(limit);
    for (;;) {
      ASSIGN(const bool more, rows.step());
      if (!more) return all;
      Transition one{.at = rows.integer(0),
                     .rule = rows.text(1),
                     .labels = {},
                     .from = rows.text(3),
                     .to = rows.text(4),
                     .value = rows.text(5),
                     .summary = rows.text(6)};
      const Json labels = Json::parse(rows.text(2), nullptr, false);
      for (const auto& [label, value] : labels.items())
        one.labels[label] = value.is_string() ? value.get<std::string>() : value.dump();
      all.push_back(std::move(one));
    }
  }

  Result<std::int64_t> waiting(const std::string& channel) override {
    const std::lock_guard lock(mutex_);
    auto row = database_->prepare("SELECT count(*) FROM outgoing WHERE channel = ? AND over = 0");
    ASSIGN(const bool found, row.bind(sv(channel)).step());
    return found ? row.integer(0) : 0;
  }

 private:
  Status put(const Message& message, Ms now) {
    const std::string json = dump(json_of(message));
    for (const std::string& channel : message.channels)
      TRY(database_
              ->prepare(
                  "INSERT INTO outgoing (channel, state, group_key, made, attempts, next, "
                  "over, said, reference, json) VALUES (?, 'waiting', ?, ?, 0, 0, 0, '', '', ?)")
              .bind(sv(channel))
              .bind(sv(message.group))
              .bind(now)
              .bind(sv(json))
              .run());
    return {};
  }

  Status put(const Transition& one) {
    const std::string labels = dump(json_of(one.labels));
    return database_
        ->prepare(
            "INSERT INTO history (at, rule, labels, was, became, value, summary) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(one.at)
        .bind(sv(one.rule))
        .bind(sv(labels))
        .bind(sv(one.from))
        .bind(sv(one.to))
        .bind(sv(one.value))
        .bind(sv(one.summary))
        .run();
  }

  Status forget() {
    TRY(database_->prepare("DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?")
            .bind(kHistory)
            .run());
    return database_
        ->prepare(
            "DELETE FROM outgoing WHERE over > 0 AND id <= (SELECT max(id) FROM outgoing) - ?")
        .bind(kHistory)
        .run();
  }

  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  ASSIGN(auto database, Database::open(path));
  auto store = std::make_unique<SqliteStore>(std::move(database));
  TRY(store->prepare_tables());
  return store;
}

}  // namespace tailrace::alerts
