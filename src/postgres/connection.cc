// libpq, never blocking: what it waits for is polled together with an eventfd that a stop token
// rings.
#include "postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"
#include "postgres/sqlstate.h"

namespace tailrace::postgres {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;
using Parameters = std::span<const std::optional<std::string>>;

constexpr std::size_t kMostNotices = 1000;
constexpr std::size_t kCopyPiece = 256 << 10;
/// A statement that was told to stop has so long to end; then the connection is given up.
constexpr milliseconds kCancelWait{3000};

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, Clear>;

/// What a stop token rings.
class Bell {
 public:
  Bell() : file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(file_ >= 0); }
  ~Bell() { ::close(file_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  int file() const { return file_; }
  void ring() const { (void)!::write(file_, &kOne, sizeof kOne); }
  void hush() const {
    std::uint64_t count = 0;
    (void)!::read(file_, &count, sizeof count);
  }

 private:
  static constexpr std::uint64_t kOne = 1;
  int file_;
};

class LibpqConnection final : public Connection {
 public:
  LibpqConnection(PGconn* connection, std::string url)
      : connection_(connection), url_(std::move(url)) {
    PQsetNoticeReceiver(connection_, &LibpqConnection::take_notice, this);
  }
  ~LibpqConnection() override {
    if (copy_ != nullptr) PQfreemem(copy_);
    PQfinish(connection_);
  }

  Status connect(milliseconds timeout, std::stop_token stop);
  Result<Rows> query(const std::string& sql, Parameters parameters, std::stop_token stop) override;
  Result<Rows> run(const std::string& sql, std::stop_token stop) override;
  Result<std::vector<Rows>> together(std::span<const Step> steps, std::stop_token stop) override;
  Status copy_in(const std::string& sql, std::string_view rows, std::stop_token stop) override;
  std::vector<std::string> notices() override { return std::exchange(notices_, {}); }
  int server_version() const override { return PQserverVersion(connection_); }
  Status start_stream(const std::string& command, std::stop_token stop) override;
  Result<std::optional<std::string_view>> receive(milliseconds wait, std::stop_token stop) override;
  Status send(std::string_view message, std::stop_token stop) override;
  Status end_stream(std::stop_token stop) override;

 private:
  static void take_notice(void* self, const PGresult* result);
  Error failure() const;
  Error failure(const PGresult* result) const;
  Error cut() const;
  /// True: something happened on the socket; false: the deadline; kCancelled.
  Result<bool> wait(bool write, std::optional<Steady::time_point> deadline, std::stop_token stop);
  Status flush(std::stop_token stop);
  Status read_more(std::stop_token stop);
  Result<PgResult> next_result(std::stop_token stop);
  Result<PgResult> results(std::stop_token stop);
  Status send_together(std::span<const Step> steps, std::vector<std::string>& preparing);
  Result<std::vector<Rows>> read_together(std::size_t count,
                                          const std::vector<std::string>& preparing,
                                          std::stop_token stop);
  Result<Rows> rows(Result<PgResult> result, std::stop_token stop);
  void cancel();
  void give_up() { given_up_ = true; }

  PGconn* connection_;
  const std::string url_;
  std::unordered_map<std::string, std::string> prepared_;  ///< their names by their texts
  int names_ = 0;
  Bell bell_;
  std::vector<std::string> notices_;
  char* copy_ = nullptr;
  bool given_up_ = false;
};

void LibpqConnection::take_notice(void* self, const PGresult* result) {
  auto& notices = static_cast<LibpqConnection*>(self)->notices_;
  if (notices.size() < kMostNotices) notices.push_back(sentence(PQresultErrorMessage(result)));
}

Error LibpqConnection::failure() const {
  const std::string_view message = PQerrorMessage(connection_);
  const std::string_view state = sqlstate_in(message);
  const std::string told = without_password(sentence(message), url_);
  return {code_of(state), state.empty() ? fmt::format("PostgreSQL: {}", told)
                                        : fmt::format("PostgreSQL: {} ({})", told, state)};
}

Error LibpqConnection::failure(const PGresult* result) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) {
    const std::string told = sentence(PQresultErrorMessage(result));
    return {PQstatus(connection_) == CONNECTION_BAD ? Code::kUnavailable : Code::kInternal,
            fmt::format("PostgreSQL: {}", without_password(told, url_))};
  }
  const auto field = [&](int which) {
    const char* text = PQresultErrorField(result, which);
    return sentence(text == nullptr ? "" : text);
  };
  std::string told = fmt::format("PostgreSQL: {} ({})", field(PG_DIAG_MESSAGE_PRIMARY), state);
  for (const int more : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT})
    if (const std::string text = field(more); !text.empty()) told += "; " + text;
  return {code_of(state), told};
}

Error LibpqConnection::cut() const {
  if (given_up_ || *PQerrorMessage(connection_) == 0)
    return {Code::kUnavailable, "PostgreSQL: the connection is closed"};
  Error why = failure();
  return {Code::kUnavailable, why.what};
}

Result<bool> LibpqConnection::wait(bool write, std::optional<Steady::time_point> deadline,
                                   std::stop_token stop) {
  if (stop.stop_requested()) return error(Code::kCancelled, "PostgreSQL: stopped");
  bell_.hush();
  std::stop_callback ring(stop, [this] { bell_.ring(); });
  const short events = write ? POLLIN | POLLOUT : POLLIN;
  std::array<pollfd, 2> files{{{PQsocket(connection_), events, 0}, {bell_.file(), POLLIN, 0}}};
  int most = -1;
  if (deadline)
    most = static_cast<int>(std::clamp<std::int64_t>(
        std::chrono::ceil<milliseconds>(*deadline - Steady::now()).count(), 0, INT32_MAX));
  const int ready = ::poll(files.data(), files.size(), most);
  if (stop.stop_requested()) return error(Code::kCancelled, "PostgreSQL: stopped");
  return ready > 0;
}

Status LibpqConnection::connect(milliseconds timeout, std::stop_token stop) {
  if (PQstatus(connection_) == CONNECTION_BAD) {
    Error why = failure();
    if (why.what.starts_with("PostgreSQL: invalid")) why.code = Code::kInvalidArgument;
    return std::unexpected(why);
  }
  // The only way to a SQLSTATE while connecting: in the message.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  const auto deadline = Steady::now() + timeout;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    ASSIGN(const bool ready, wait(next == PGRES_POLLING_WRITING, deadline, stop));
    if (!ready && Steady::now() >= deadline)
      return error(Code::kUnavailable, fmt::format("PostgreSQL: {} has not answered within {} s",
                                                   PQhost(connection_), timeout.count() / 1000.0));
    next = PQconnectPoll(connection_);
    if (next == PGRES_POLLING_FAILED) return std::unexpected(failure());
  }
  PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
  CHECK(PQsetnonblocking(connection_, 1) == 0);
  return {};
}

Status LibpqConnection::flush(std::stop_token stop) {
  while (true) {
    const int left = PQflush(connection_);
    if (left == 0) return {};
    if (left < 0) return std::unexpected(cut());
    TRY(wait(true, std::nullopt, stop));
    if (PQconsumeInput(connection_) == 0) return std::unexpected(cut());
  }
}

Status LibpqConnection::read_more(std::stop_token stop) {
  TRY(wait(false, std::nullopt, stop));
  if (PQconsumeInput(connection_) == 0) return std::unexpected(cut());
  return {};
}

Result<PgResult> LibpqConnection::next_result(std::stop_token stop) {
  while (PQisBusy(connection_) != 0) TRY(read_more(stop));
  return PgResult(PQgetResult(connection_));
}

// Of several statements the last; the first that failed. Reads to the end, so that the next
// statement may follow.
Result<PgResult> LibpqConnection::results(std::stop_token stop) {
  PgResult last;
  bool failed = false;
  while (true) {
    ASSIGN(PgResult one, next_result(stop));
    if (!one) return last;
    const ExecStatusType status = PQresultStatus(one.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH || status == PGRES_COPY_OUT) {
      last = std::move(one);
      return last;
    }
    if (failed) continue;
    failed = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
    last = std::move(one);
  }
}

void LibpqConnection::cancel() {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> key(PQgetCancel(connection_),
                                                               &PQfreeCancel);
  std::array<char, 256> why{};
  if (!key || PQcancel(key.get(), why.data(), why.size()) == 0) return give_up();
  const auto deadline = Steady::now() + kCancelWait;
  while (Steady::now() < deadline) {
    if (PQisBusy(connection_) == 0) {
      if (!PgResult(PQgetResult(connection_))) return;
      continue;
    }
    (void)wait(false, deadline, {});
    if (PQconsumeInput(connection_) == 0) return give_up();
  }
  give_up();
}

Result<Rows> LibpqConnection::rows(Result<PgResult> result, std::stop_token stop) {
  if (!result) {
    if (result.error().code == Code::kCancelled && stop.stop_requested()) cancel();
    return std::unexpected(result.error());
  }
  if (!*result) return std::unexpected(cut());
  switch (PQresultStatus(result->get())) {
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      return Rows(result->release());
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      give_up();
      return error(Code::kInvalidArgument, "PostgreSQL: COPY is no statement to be run here");
    default:
      return std::unexpected(failure(result->get()));
  }
}

Result<Rows> LibpqConnection::query(const std::string& sql, Parameters parameters,
                                    std::stop_token stop) {
  if (given_up_) return std::unexpected(cut());
  std::vector<const char*> values;
  for (const auto& one : parameters) values.push_back(one ? one->c_str() : nullptr);
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0)
    return std::unexpected(cut());
  if (auto flushed = flush(stop); !flushed) return rows(std::unexpected(flushed.error()), stop);
  return rows(results(stop), stop);
}

Result<Rows> LibpqConnection::run(const std::string& sql, std::stop_token stop) {
  if (given_up_ || PQsendQuery(connection_, sql.c_str()) == 0) return std::unexpected(cut());
  if (auto flushed = flush(stop); !flushed) return rows(std::unexpected(flushed.error()), stop);
  return rows(results(stop), stop);
}

/// `preparing`: for each command of the batch the text that it prepares, or "".
Status LibpqConnection::send_together(std::span<const Step> steps,
                                      std::vector<std::string>& preparing) {
  std::vector<const char*> values;
  for (const Step& step : steps) {
    const auto [at, is_new] = prepared_.try_emplace(step.sql);
    if (is_new) {
      at->second = fmt::format("s{}", ++names_);
      if (PQsendPrepare(connection_, at->second.c_str(), step.sql.c_str(), 0, nullptr) == 0)
        return std::unexpected(cut());
      preparing.push_back(step.sql);
    }
    values.clear();
    for (const auto& one : step.parameters) values.push_back(one ? one->c_str() : nullptr);
    if (PQsendQueryPrepared(connection_, at->second.c_str(), static_cast<int>(values.size()),
                            values.data(), nullptr, nullptr, 0) == 0)
      return std::unexpected(cut());
    preparing.emplace_back();
  }
  if (PQpipelineSync(connection_) == 0) return std::unexpected(cut());
  return {};
}

Result<std::vector<Rows>> LibpqConnection::read_together(std::size_t count,
                                                         const std::vector<std::string>& preparing,
                                                         std::stop_token stop) {
  std::vector<Rows> all;
  all.reserve(count);
  std::optional<Error> why;
  for (const std::string& text : preparing) {
    ASSIGN(PgResult one, next_result(stop));
    if (!one) return std::unexpected(cut());
    const ExecStatusType status = PQresultStatus(one.get());
    const bool fine = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!fine && !text.empty()) prepared_.erase(text);
    if (status == PGRES_FATAL_ERROR && !why) why = failure(one.get());
    if (fine && text.empty()) all.emplace_back(one.release());
    if (PQstatus(connection_) == CONNECTION_BAD) return std::unexpected(why ? *why : cut());
    ASSIGN(const PgResult end, next_result(stop));
    if (end) return std::unexpected(cut());
  }
  ASSIGN(const PgResult sync, next_result(stop));
  if (!sync) return std::unexpected(cut());
  // A transaction's end may fail, too: of constraints that are checked then.
  if (!why && PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) why = failure(sync.get());
  if (PQexitPipelineMode(connection_) == 0) give_up();
  if (why) return std::unexpected(std::move(*why));
  return all;
}

Result<std::vector<Rows>> LibpqConnection::together(std::span<const Step> steps,
                                                    std::stop_token stop) {
  if (given_up_ || PQenterPipelineMode(connection_) == 0) return std::unexpected(cut());
  std::vector<std::string> preparing;
  Status sent = send_together(steps, preparing);
  if (sent) sent = flush(stop);
  auto all = sent ? read_together(steps.size(), preparing, stop)
                  : Result<std::vector<Rows>>(std::unexpected(sent.error()));
  // What was broken off in the middle cannot go on.
  if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF) give_up();
  return all;
}

Status LibpqConnection::copy_in(const std::string& sql, std::string_view bytes,
                                std::stop_token stop) {
  if (given_up_ || PQsendQuery(connection_, sql.c_str()) == 0) return std::unexpected(cut());
  TRY(flush(stop));
  ASSIGN(const PgResult begun, results(stop));
  if (!begun) return std::unexpected(cut());
  const ExecStatusType status = PQresultStatus(begun.get());
  if (status == PGRES_FATAL_ERROR) return std::unexpected(failure(begun.get()));
  if (status != PGRES_COPY_IN) {
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) give_up();
    return error(Code::kInvalidArgument, "PostgreSQL: no COPY … FROM STDIN: " + sql);
  }
  Status sent;
  while (sent && !bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kCopyPiece);
    const int put = PQputCopyData(connection_, piece.data(), static_cast<int>(piece.size()));
    if (put < 0) return std::unexpected(cut());
    if (put > 0) bytes.remove_prefix(piece.size());
    sent = flush(stop);
    // The server may have refused already; what it says comes with the results.
    if (PQconsumeInput(connection_) == 0) return std::unexpected(cut());
  }
  if (!sent && sent.error().code != Code::kCancelled) return sent;
  while (true) {
    const int put = PQputCopyEnd(connection_, sent ? nullptr : "stopped");
    if (put < 0) return std::unexpected(cut());
    if (put > 0) break;
    TRY(flush({}));
  }
  if (auto flushed = flush(sent ? stop : std::stop_token()); !flushed) {
    give_up();
    return flushed;
  }
  ASSIGN(const Rows done, rows(results(sent ? stop : std::stop_token()), stop));
  return sent;
}

Status LibpqConnection::start_stream(const std::string& command, std::stop_token stop) {
  if (given_up_ || PQsendQuery(connection_, command.c_str()) == 0) return std::unexpected(cut());
  TRY(flush(stop));
  ASSIGN(const PgResult begun, next_result(stop));
  if (!begun) return std::unexpected(cut());
  if (PQresultStatus(begun.get()) == PGRES_COPY_BOTH) return {};
  const Error why = failure(begun.get());
  TRY(results(stop));
  return std::unexpected(why);
}

Result<std::optional<std::string_view>> LibpqConnection::receive(milliseconds most,
                                                                 std::stop_token stop) {
  if (given_up_) return std::unexpected(cut());
  if (copy_ != nullptr) PQfreemem(std::exchange(copy_, nullptr));
  const auto deadline = Steady::now() + most;
  while (true) {
    const int size = PQgetCopyData(connection_, &copy_, 1);
    if (size > 0) return std::string_view(copy_, static_cast<std::size_t>(size));
    if (size == -2) return std::unexpected(cut());
    if (size == -1) {
      // The stream is over: the server says why.
      ASSIGN(const PgResult end, next_result(stop));
      give_up();
      if (end && PQresultStatus(end.get()) == PGRES_FATAL_ERROR)
        return std::unexpected(failure(end.get()));
      return error(Code::kUnavailable, "PostgreSQL: the server has ended the stream");
    }
    ASSIGN(const bool ready, wait(false, deadline, stop));
    if (!ready && Steady::now() >= deadline) return std::nullopt;
    if (PQconsumeInput(connection_) == 0) return std::unexpected(cut());
  }
}

Status LibpqConnection::send(std::string_view message, std::stop_token stop) {
  if (given_up_) return std::unexpected(cut());
  while (true) {
    const int put = PQputCopyData(connection_, message.data(), static_cast<int>(message.size()));
    if (put < 0) return std::unexpected(cut());
    if (put > 0) return flush(stop);
    TRY(flush(stop));
  }
}

Status LibpqConnection::end_stream(std::stop_token stop) {
  if (given_up_) return std::unexpected(cut());
  if (PQputCopyEnd(connection_, nullptr) < 0) return std::unexpected(cut());
  TRY(flush(stop));
  while (true) {
    if (copy_ != nullptr) PQfreemem(std::exchange(copy_, nullptr));
    const int size = PQgetCopyData(connection_, &copy_, 1);
    if (size == -2) return std::unexpected(cut());
    if (size == -1) break;
    if (size == 0) TRY(read_more(stop));
  }
  TRY(results(stop));
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Settings& settings,
                                                     std::stop_token stop) {
  char* why = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(settings.url.c_str(), &why);
  if (parsed == nullptr) {
    const std::string told = sentence(why == nullptr ? "out of memory" : why);
    PQfreemem(why);
    return error(Code::kInvalidArgument, fmt::format("this is no URL of a PostgreSQL: {}",
                                                     without_password(told, settings.url)));
  }
  PQconninfoFree(parsed);
  // A server that is gone without a word is noticed within a minute; the URL may say otherwise.
  std::vector<const char*> names{"keepalives_idle", "keepalives_interval",       "tcp_user_timeout",
                                 "dbname",          "fallback_application_name", "client_encoding"};
  std::vector<const char*> values{
      "30", "10", "60000", settings.url.c_str(), settings.application.c_str(), "UTF8"};
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  if (!settings.password.empty()) add("password", settings.password.c_str());
  if (settings.replication) add("replication", "database");
  add(nullptr, nullptr);
  PGconn* started = PQconnectStartParams(names.data(), values.data(), 1);
  if (started == nullptr) return error(Code::kResourceExhausted, "PostgreSQL: out of memory");
  auto connection = std::make_unique<LibpqConnection>(started, settings.url);
  TRY(connection->connect(settings.connect_timeout, stop));
  return connection;
}

Rows::Rows(void* result)
    : result_(result, [](void* held) { PQclear(static_cast<PGresult*>(held)); }) {
  const auto* held = static_cast<const PGresult*>(result);
  for (int i = 0; i < PQnfields(held); ++i)
    columns_.push_back({PQfname(held, i), PQftype(held, i), PQfmod(held, i)});
}

int Rows::size() const {
  return result_ ? PQntuples(static_cast<const PGresult*>(result_.get())) : 0;
}

std::optional<std::string_view> Rows::cell(int row, int column) const {
  const auto* held = static_cast<const PGresult*>(result_.get());
  CHECK(row < size() && column < static_cast<int>(columns_.size()));
  if (PQgetisnull(held, row, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(held, row, column),
                          static_cast<std::size_t>(PQgetlength(held, row, column)));
}

std::int64_t Rows::affected() const {
  if (!result_) return 0;
  return std::atoll(PQcmdTuples(static_cast<PGresult*>(result_.get())));
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string quoted_text(std::string_view text) {
  const bool escaped = text.find('\\') != std::string_view::npos;
  std::string quoted = escaped ? " E'" : "'";
  for (const char c : text) quoted.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return quoted + "'";
}

std::string with_user(std::string url, std::string_view user) {
  if (user.empty()) return url;
  url += url.find('?') == std::string::npos ? "?user=" : "&user=";
  for (const unsigned char c : user)
    url += std::isalnum(c) != 0 ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  return url;
}

std::string shown_url(std::string_view url) {
  return without_password(std::string(url), url);
}

}  // namespace tailrace::postgres
