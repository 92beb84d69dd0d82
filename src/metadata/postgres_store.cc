// The tables in a schema of a PostgreSQL database.
//
// The table `owner` has one row: the version of the tables; the epoch, which each opening raises;
// the number of the last step that was kept. A write is one transaction that begins with a look at
// the epoch, so whoever was shut out keeps nothing, and notes its number, so that after a cut it is
// known whether it is done.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "metadata/store.h"
#include "metadata/tables.h"
#include "postgres/connection.h"

namespace tailrace::metadata {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
using postgres::Rows;
using postgres::Step;
using Steady = std::chrono::steady_clock;

constexpr auto kFirstPause = 100ms;
constexpr auto kMostPause = 2s;
/// A server that is still starting is waited for when the program starts.
constexpr auto kStartPatience = 30s;
constexpr auto kConnectTimeout = 10s;
constexpr std::string_view kDivisionByZero = "(22012)";

/// `?` and `?1` as PostgreSQL numbers them.
std::string numbered(std::string_view sql) {
  std::string out;
  int last = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    quoted ^= sql[i] == '\'';
    if (quoted || sql[i] != '?') {
      out += sql[i];
      continue;
    }
    out += '$';
    const bool named = i + 1 < sql.size() && sql[i + 1] >= '0' && sql[i + 1] <= '9';
    if (!named) out += std::to_string(++last);
  }
  return out;
}

/// PostgreSQL takes neither zero bytes nor what is not UTF-8: U+FFFD stands for them.
std::string storable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0 || lead > 0xF4 || size > text.size()) size = 0;
    for (std::size_t i = 1; i < size; ++i)
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) size = 0;
    if (size > 2) {  // overlong forms, surrogates, beyond U+10FFFF
      const auto second = static_cast<unsigned char>(text[1]);
      if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
          (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
        size = 0;
    }
    out += size == 0 ? "\xEF\xBF\xBD" : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::int64_t number_in(const Rows& rows, int row, int column) {
  const std::string_view text = rows.cell(row, column).value_or("0");
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class PostgresStore final : public Store {
 public:
  PostgresStore(Place place, bool is_owner) : place_(std::move(place)), is_owner_(is_owner) {}

  Statement prepare(const char* sql) override;
  Status begin() override {
    CHECK(!batch_);
    batch_.emplace();
    return {};
  }
  Status commit() override {
    std::vector<Step> steps = std::move(*batch_);
    batch_.reset();
    return steps.empty() ? Status() : write(std::move(steps));
  }
  void roll_back() override { batch_.reset(); }

  void give_up() override {
    const std::lock_guard lock(waiting_mutex_);
    given_up_ = true;
    waiting_.notify_all();
  }
  std::string trouble() override {
    const std::lock_guard lock(waiting_mutex_);
    return trouble_;
  }

  Result<Rows> ask(const Step& step) {
    ASSIGN(auto rows, carry({&step, 1}, false));
    return std::move(rows.at(0));
  }
  Status defer_or_write(Step step) {
    if (!batch_) return write({std::move(step)});
    batch_->push_back(std::move(step));
    return {};
  }
  Status open();

 private:
  Status write(std::vector<Step> steps);
  Result<std::vector<Rows>> carry(std::span<const Step> steps, bool numbered_step);
  Status connect();
  Status take_over();
  Status look_at_owner();
  Error taken() const;
  Status prepare_session();
  bool wait(const Error& why);
  void is_back();

  const Place place_;
  const bool is_owner_;
  std::unique_ptr<Connection> connection_;
  std::map<const char*, std::string> texts_;
  std::optional<std::vector<Step>> batch_;
  std::int64_t epoch_ = 0;       ///< 0: not opened yet
  std::int64_t step_ = 0;        ///< the last that this program began
  std::int64_t kept_step_ = -1;  ///< that the database says after a reconnect
  std::optional<Steady::time_point> away_since_;
  std::chrono::milliseconds pause_ = kFirstPause;
  std::mutex waiting_mutex_;
  std::condition_variable waiting_;
  bool given_up_ = false;
  std::string trouble_;
};

class PostgresWork final : public Statement::Work {
 public:
  PostgresWork(PostgresStore& store, const std::string& sql) : store_(store), step_{sql, {}} {}

  void bind(std::optional<std::int64_t> value) override {
    step_.parameters.push_back(value ? std::optional(std::to_string(*value)) : std::nullopt);
  }
  void bind(std::optional<std::string_view> text) override {
    step_.parameters.push_back(text ? std::optional(storable(*text)) : std::nullopt);
  }
  Result<bool> step() override {
    if (!rows_) {
      ASSIGN(rows_, store_.ask(step_));
    }
    return ++at_ < rows_->size();
  }
  Status run() override { return rows_ ? Status() : store_.defer_or_write(std::move(step_)); }
  std::optional<std::int64_t> integer(int column) const override {
    if (!rows_->cell(at_, column)) return std::nullopt;
    return number_in(*rows_, at_, column);
  }
  std::optional<std::string> text(int column) const override {
    const auto cell = rows_->cell(at_, column);
    return cell ? std::optional(std::string(*cell)) : std::nullopt;
  }

 private:
  PostgresStore& store_;
  Step step_;
  std::optional<Rows> rows_;
  int at_ = -1;
};

Statement PostgresStore::prepare(const char* sql) {
  const auto [at, is_new] = texts_.try_emplace(sql);
  if (is_new) at->second = numbered(sql);
  return Statement(std::make_unique<PostgresWork>(*this, at->second));
}

Error PostgresStore::taken() const {
  return {
      Code::kFailedPrecondition,
      fmt::format("another tailrace has taken over the workflows in schema {} of {}: stop one of "
                  "the two, or name another `schema` for it",
                  place_.schema, postgres::shown_url(place_.url))};
}

Status PostgresStore::write(std::vector<Step> steps) {
  if (is_owner_) {
    const std::optional<std::string> owner[] = {std::to_string(++step_), std::to_string(epoch_)};
    steps.insert(steps.begin(), Step{"UPDATE owner SET step = $1::bigint / (epoch = $2)::int",
                                     {std::begin(owner), std::end(owner)}});
  }
  auto done = carry(steps, is_owner_);
  if (done) return {};
  if (is_owner_ && done.error().what.find(kDivisionByZero) != std::string::npos)
    return std::unexpected(taken());
  return std::unexpected(done.error());
}

/// The same steps again and again, while the server is away.
Result<std::vector<Rows>> PostgresStore::carry(std::span<const Step> steps, bool numbered_step) {
  bool fresh = false;
  while (true) {
    Status connected;
    if (!connection_) {
      fresh = true;
      connected = connect();
      if (connected && numbered_step && kept_step_ == step_) return std::vector<Rows>();
    }
    Error why = connected ? Error{} : connected.error();
    if (connected) {
      auto rows = connection_->together(steps);
      if (rows) {
        is_back();
        return rows;
      }
      why = rows.error();
      if (why.code != Code::kUnavailable) return std::unexpected(why);
    } else if (why.code == Code::kFailedPrecondition) {
      return std::unexpected(why);
    }
    connection_.reset();
    // A connection from before the server's restart says so at its first use only.
    if (!is_owner_ && !fresh) continue;
    if (!is_owner_ || !wait(why))
      return error(Code::kUnavailable, "metadata of workflows: " + why.what);
  }
}

/// False: nobody waits any more.
bool PostgresStore::wait(const Error& why) {
  if (!away_since_) {
    away_since_ = Steady::now();
    LOG(warn, "workflows wait, for their metadata is out of reach: {}", why.what);
  }
  std::unique_lock lock(waiting_mutex_);
  trouble_ = why.what;
  waiting_.wait_for(lock, pause_, [&] { return given_up_; });
  pause_ = std::min<std::chrono::milliseconds>(2 * pause_, kMostPause);
  return !given_up_;
}

void PostgresStore::is_back() {
  if (!away_since_) return;
  const auto away = std::chrono::duration<double>(Steady::now() - *away_since_).count();
  LOG(info, "workflows go on: their metadata is back after {:.1f} s", away);
  away_since_.reset();
  pause_ = kFirstPause;
  const std::lock_guard lock(waiting_mutex_);
  trouble_.clear();
}

Status PostgresStore::connect() {
  postgres::Settings settings{.url = postgres::with_user(place_.url, place_.user),
                              .password = place_.password};
  settings.application = "tailrace workflows";
  settings.connect_timeout = kConnectTimeout;
  ASSIGN(connection_, Connection::open(settings));
  Status ready = prepare_session();
  if (ready && is_owner_) ready = epoch_ == 0 ? take_over() : look_at_owner();
  if (!ready) connection_.reset();
  return ready;
}

Status PostgresStore::prepare_session() {
  const std::string path = "SET search_path = " + postgres::quoted_name(place_.schema);
  // What is kept is on the disk, also where the server's default says otherwise.
  TRY(connection_->run("SET client_min_messages = warning; " + path +
                       "; SELECT set_config('synchronous_commit', 'on', false) "
                       "WHERE current_setting('synchronous_commit') = 'off'"));
  return {};
}

Status PostgresStore::take_over() {
  const std::string schema = postgres::quoted_name(place_.schema);
  const std::optional<std::string> name[] = {place_.schema};
  TRY(connection_->run("BEGIN"));
  TRY(connection_->query("SELECT pg_advisory_xact_lock(hashtextextended('tailrace ' || $1, 0))",
                         name));
  ASSIGN(const Rows there,
         connection_->query("SELECT 1 FROM pg_namespace WHERE nspname = $1", name));
  if (there.size() == 0) TRY(connection_->run("CREATE SCHEMA " + schema));
  ASSIGN(const Rows made,
         connection_->run("CREATE TABLE IF NOT EXISTS owner (version BIGINT NOT NULL, epoch "
                          "BIGINT NOT NULL, step BIGINT NOT NULL); SELECT version FROM owner"));
  if (made.size() == 0) TRY(connection_->run("INSERT INTO owner VALUES (0, 0, 0)"));
  const int version = made.size() == 0 ? 0 : static_cast<int>(number_in(made, 0, 0));
  auto more = tables_since(version);
  if (!more)
    return std::unexpected(more.error().in(
        fmt::format("schema {} of {}", place_.schema, postgres::shown_url(place_.url))));
  if (!more->empty()) TRY(connection_->run(in_postgres(*more)));
  ASSIGN(const Rows owner,
         connection_->run(fmt::format("UPDATE owner SET version = {}, epoch = epoch + 1 RETURNING "
                                      "epoch, step",
                                      kTablesVersion)));
  TRY(connection_->run("COMMIT"));
  epoch_ = number_in(owner, 0, 0);
  step_ = kept_step_ = number_in(owner, 0, 1);
  return {};
}

Status PostgresStore::look_at_owner() {
  ASSIGN(const Rows owner, connection_->run("SELECT epoch, step FROM owner"));
  if (owner.size() != 1 || number_in(owner, 0, 0) != epoch_) return std::unexpected(taken());
  kept_step_ = number_in(owner, 0, 1);
  return {};
}

Status PostgresStore::open() {
  const auto deadline = Steady::now() + kStartPatience;
  while (true) {
    auto connected = connect();
    if (connected) {
      is_back();
      return {};
    }
    if (connected.error().code != Code::kUnavailable || Steady::now() >= deadline)
      return std::unexpected(connected.error().in("metadata of workflows"));
    wait(connected.error());
  }
}

}  // namespace

Result<std::unique_ptr<Store>> open_postgres(const Place& place) {
  auto store = std::make_unique<PostgresStore>(place, true);
  TRY(store->open());
  return store;
}

std::unique_ptr<Store> postgres_beside(const Place& place) {
  return std::make_unique<PostgresStore>(place, false);
}

}  // namespace tailrace::metadata
