#include "connect/postgres_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "connect/options.h"
#include "connect/postgres_changes.h"
#include "connect/secrets.h"

namespace tailrace::connect {
namespace {

using postgres::Lsn;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr OptionRow kOptions[] = {
    {"url", "needed",
     "`postgresql://USER@HOST:PORT/DATABASE?sslmode=…`, as libpq takes it; the user may create "
     "publications and replicate"},
    {"password", "", "`${NAME}` or `file:PATH`"},
    {"tables", "public.*",
     "a list of `schema.table`, with `*` and `?`; `table` alone is of schema public. Tables that "
     "come later are taken from the next connection on"},
    {"slot", "tailrace_PROJECT_NAME", "of this source alone; made where it is not there"},
    {"publication", "",
     "as `slot`; made where it is not there; tables are added to it. Column lists and row filters "
     "of one that is there are kept"},
    {"snapshot", "initial",
     "the rows that are there, too; `never`: changes only; `only`: ends when all rows were read"},
    {"chunk_rows", "4096", "rows of the snapshot at once"},
    {"envelope", "flat",
     "the row, with `__op`, `__deleted`, `__table`, `__schema`, `__lsn`, `__txId`, "
     "`__source_ts_ms`; `debezium`: before, after, source, op (postgres_records.h)"},
    {"tombstones", "false", "after a delete a record of the key without a value"},
    {"truncates", "true", "a TRUNCATE is a record `t` without a key"},
    {"heartbeat", "10s", "so often the slot follows a log in which nothing is for this source"},
};

constexpr std::size_t kChunkRecords = 4096;
constexpr std::size_t kChunkBytes = 4 << 20;
constexpr milliseconds kIdleWait{200};
constexpr milliseconds kFirstBackoff{200};
constexpr milliseconds kMostBackoff{30'000};
constexpr milliseconds kStatusEvery{10'000};
/// The server answers when it is asked; when it does not for so long, the connection is dead.
constexpr milliseconds kSilence{60'000};
constexpr milliseconds kLagEvery{1000};
/// Read again when rows were needed that changed meanwhile; then they are taken as they come.
constexpr int kMostReadings = 10;

class PostgresSource final : public Source {
 public:
  PostgresSource(PostgresSettings settings, PostgresRecordWriter::Settings records, Secrets secrets,
                 rt::Clock& clock)
      : settings_(std::move(settings)),
        records_(std::move(records)),
        secrets_(std::move(secrets)),
        clock_(clock) {}

  Status next(std::string_view text, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return true; }
  void noted(std::string_view position) override;
  std::string fingerprint() const override { return "postgres " + settings_.slot; }
  std::string describe() const override {
    return fmt::format("{}, slot {}", shown(settings_.url), settings_.slot);
  }

 private:
  /// What ends with a connection.
  struct Session {
    PostgresConnections connections;
    PostgresCatalog catalog;
    PostgresRecordWriter writer;
    PostgresChanges changes;
    Lsn target;      // the server's end when it was opened
    Lsn server_end;  // as the stream says
    Steady::time_point asked, advanced, lag_asked;
    std::optional<Steady::time_point> unanswered;  // asked, and nothing was heard since
    std::int64_t behind_bytes = 0;

    Session(PostgresSource& source, PostgresConnections opened,
            PostgresRecordWriter::Settings records);
  };

  std::string shown(const std::string& url) const {
    return secrets_.shown_url(postgres::shown_url(url));
  }
  std::string prefix() const { return "tailrace." + settings_.slot; }
  Status open(Chunk& chunk, std::stop_token stop);
  Status pump(Chunk& chunk, std::stop_token stop);
  Status receive(Chunk& chunk, std::stop_token stop, bool& more);
  Status keepalive(const postgres::StreamFrame& frame, Chunk& chunk);
  Status quiet(Chunk& chunk, std::stop_token stop);
  Status send_status(bool answer_now);
  Status snapshot(Chunk& chunk, std::stop_token stop);
  Status emit(const SnapshotChunk& read, Chunk& chunk);
  const std::string* pending_table() const;
  bool caught_up() const;
  bool has_finished() const;
  static void finish(Chunk& chunk);
  Status failed(const Error& why, Chunk& chunk, std::stop_token stop);
  void describe_progress(Chunk& chunk, std::stop_token stop);
  std::string snapshot_progress() const;

  const PostgresSettings settings_;
  const PostgresRecordWriter::Settings records_;
  const Secrets secrets_;
  rt::Clock& clock_;
  PostgresPosition position_;
  std::string position_text_;
  EmittedTransactions emitted_;
  std::unique_ptr<Session> session_;
  Lsn noted_;
  int tries_ = 0;
  int readings_ = 0;  // of the same chunk
  std::int64_t watermarks_ = 0;
  std::int64_t estimate_ = 0;
};

PostgresSource::Session::Session(PostgresSource& source, PostgresConnections opened,
                                 PostgresRecordWriter::Settings records)
    : connections(std::move(opened)),
      catalog(*connections.sql),
      writer(std::move(records)),
      changes(source.settings_, source.position_, catalog, writer, source.emitted_,
              source.prefix()),
      target(connections.server_end),
      asked(Steady::now()),
      advanced(asked),
      lag_asked(asked - kLagEvery) {}

Status PostgresSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  if (!session_ || text != position_text_) {
    session_.reset();
    ASSIGN(position_, parse_postgres_position(text));
    position_text_ = text;
  }
  chunk.place = settings_.slot;
  chunk.separator = '@';
  if (!session_ && has_finished()) {
    chunk.position = text;
    finish(chunk);
    return {};
  }
  Status done = session_ ? Status() : open(chunk, stop);
  if (done) done = pump(chunk, stop);
  if (!done) TRY(failed(done.error(), chunk, stop));
  if (!chunk.once && !chunk.finished && session_) describe_progress(chunk, stop);
  position_text_ = position_.empty() ? "" : encode_postgres_position(position_);
  chunk.position = position_text_;
  return {};
}

Status PostgresSource::open(Chunk& chunk, std::stop_token stop) {
  ASSIGN(auto opened, open_postgres(settings_, position_, stop));
  PostgresRecordWriter::Settings records = records_;
  records.database = opened.database;
  records.version = opened.version;
  session_ = std::make_unique<Session>(*this, std::move(opened), std::move(records));
  readings_ = 0;
  // Where it begins, and the tables that are new.
  chunk.note_first = encode_postgres_position(position_) != position_text_;
  return {};
}

// A failure that may pass leaves what was emitted; the stream begins again behind it.
Status PostgresSource::failed(const Error& why, Chunk& chunk, std::stop_token stop) {
  session_.reset();
  const std::string what = secrets_.shown_text(why.what, settings_.url);
  const bool passes = why.code == Code::kUnavailable || why.code == Code::kAborted ||
                      why.code == Code::kCancelled || why.code == Code::kResourceExhausted ||
                      why.code == Code::kNotFound || why.code == Code::kInternal;
  if (!passes) return error(why.code, what);
  if (stop.stop_requested()) return {};
  const auto wait = std::min(kFirstBackoff * (1 << std::min(tries_, 10)), kMostBackoff);
  ++tries_;
  chunk.idle = true;
  chunk.wait = wait;
  chunk.error = fmt::format("{}; tries again in {} s", what, wait.count() / 1000.0);
  chunk.why = chunk.error;
  return {};
}

const std::string* PostgresSource::pending_table() const {
  for (const auto& [name, progress] : position_.tables)
    if (!progress.done && progress.until.empty()) return &name;
  return nullptr;
}

Status PostgresSource::pump(Chunk& chunk, std::stop_token stop) {
  if (chunk.note_first) return {};
  PostgresChanges& changes = session_->changes;
  if (const auto due = changes.take_due()) {
    // What is needed was changed meanwhile, and the change does not hold all of it.
    const bool again = due->must_be_read_again() && ++readings_ < kMostReadings;
    if (!again) return emit(*due, chunk);
  }
  const bool pending = pending_table() != nullptr;
  changes.want_snapshot(pending);
  if (pending && !changes.awaits() && changes.between_transactions()) {
    TRY(snapshot(chunk, stop));
    if (chunk.once) return {};
  }
  bool more = true;
  while (more && chunk.size() < kChunkRecords && chunk.size_bytes() < kChunkBytes) {
    if (changes.replaying()) {
      TRY(changes.step(chunk, stop));
    } else {
      TRY(receive(chunk, stop, more));
    }
    if (changes.stop_here()) break;
  }
  return {};
}

// One message; `more`: another may be had without waiting.
Status PostgresSource::receive(Chunk& chunk, std::stop_token stop, bool& more) {
  const milliseconds wait = chunk.empty() ? kIdleWait : milliseconds(0);
  ASSIGN(const auto bytes, session_->connections.stream->receive(wait, stop));
  if (!bytes) {
    more = false;
    return chunk.empty() ? quiet(chunk, stop) : Status();
  }
  ASSIGN(const postgres::StreamFrame frame, postgres::parse_frame(*bytes));
  session_->server_end = std::max(session_->server_end, frame.server_end);
  session_->unanswered.reset();
  if (frame.keepalive) {
    TRY(keepalive(frame, chunk));
    more = !chunk.note_first;
    return {};
  }
  tries_ = 0;
  return session_->changes.take(frame, chunk, stop);
}

// All that was committed before a keepalive's place has come before it.
Status PostgresSource::keepalive(const postgres::StreamFrame& frame, Chunk& chunk) {
  const auto now = Steady::now();
  tries_ = 0;
  const bool idle = session_->changes.between_transactions();
  const bool due = now - session_->advanced >= milliseconds(settings_.heartbeat_ms);
  if (idle && frame.server_end > position_.lsn && (due || frame.answer_now)) {
    position_.lsn = frame.server_end;
    session_->advanced = now;
    // A server that shuts down waits until all is confirmed.
    if (frame.answer_now) chunk.note_first = true;
  }
  return frame.answer_now ? send_status(false) : Status();
}

Status PostgresSource::quiet(Chunk& chunk, std::stop_token stop) {
  const auto now = Steady::now();
  if (session_->unanswered && now - *session_->unanswered > kSilence)
    return error(Code::kUnavailable,
                 fmt::format("PostgreSQL has said nothing for {} s", kSilence.count() / 1000));
  const bool done = caught_up();
  if (!done || now - session_->asked >= kStatusEvery) TRY(send_status(true));
  chunk.idle = done && pending_table() == nullptr && session_->changes.between_transactions();
  if (chunk.idle) chunk.wait = milliseconds(1);
  if (!chunk.idle || settings_.snapshot != PostgresSettings::Snapshot::kOnly) return {};
  // All of it is noted: nobody reads from the slot any more, and it must not hold the log.
  session_->connections.stream.reset();
  const std::optional<std::string> slot[] = {settings_.slot};
  TRY(session_->connections.sql->query("SELECT pg_drop_replication_slot($1)", slot, stop));
  finish(chunk);
  return {};
}

bool PostgresSource::has_finished() const {
  return settings_.snapshot == PostgresSettings::Snapshot::kOnly && !position_.tables.empty() &&
         std::ranges::all_of(position_.tables, [](const auto& one) { return one.second.done; });
}

void PostgresSource::finish(Chunk& chunk) {
  chunk.finished = true;
  chunk.why = "all rows were read";
}

bool PostgresSource::caught_up() const {
  return std::max(session_->server_end, position_.lsn) >= session_->target;
}

Status PostgresSource::send_status(bool answer_now) {
  if (answer_now) {
    session_->asked = Steady::now();
    if (!session_->unanswered) session_->unanswered = session_->asked;
  }
  const std::int64_t now_us = clock_.now().value * 1000;
  return session_->connections.stream->send(
      postgres::encode_status(std::max(position_.lsn, noted_), noted_, now_us, answer_now));
}

void PostgresSource::noted(std::string_view text) {
  const auto position = parse_postgres_position(text);
  if (!position || position->lsn <= noted_) return;
  noted_ = position->lsn;
  // A cut connection is found by the next receive().
  if (session_) (void)send_status(false);
}

Status PostgresSource::snapshot(Chunk& chunk, std::stop_token stop) {
  const std::string full = *pending_table();
  const auto dot = full.find('.');
  const PostgresConnections& connections = session_->connections;
  SnapshotChunk::Wanted wanted{
      .schema = full.substr(0, dot),
      .name = full.substr(dot + 1),
      .progress = position_.tables[full],
      .publications = {settings_.publication, settings_.publication + "_inserts"},
      .most_rows = settings_.chunk_rows,
      .prefix = prefix(),
      .watermark = {}};
  while (true) {
    wanted.watermark = fmt::format("{}.{}", clock_.now().value, ++watermarks_);
    ASSIGN(auto read, SnapshotChunk::read(*connections.sql, wanted, stop));
    if (!read) {
      LOG_OF(info, log_of("source", settings_.name, "table", full),
             "ingest {}: table {} is gone before it was read", settings_.name, full);
      position_.tables[full].done = true;
      return {};
    }
    if (session_->changes.ahead_of(read->seen())) {
      if (stop.stop_requested()) return error(Code::kCancelled, "stopped");
      continue;
    }
    estimate_ = read->estimate();
    if (read->keyed()) {
      session_->changes.await(std::make_unique<SnapshotChunk>(std::move(*read)));
      return {};
    }
    TRY(emit(*read, chunk));
    session_->changes.leave_out(full, read->seen(), read->watermark());
    return {};
  }
}

Status PostgresSource::emit(const SnapshotChunk& read, Chunk& chunk) {
  const PostgresTransaction of{{}, position_.start, clock_.now().value * 1000};
  read.emit(session_->writer, of, chunk);
  position_.tables[read.table().full_name()] = read.after();
  readings_ = 0;
  chunk.once = true;
  // Also when no row is left: it is not to be read again.
  chunk.note_first = true;
  chunk.why = snapshot_progress();
  return {};
}

std::string PostgresSource::snapshot_progress() const {
  const auto done =
      std::ranges::count_if(position_.tables, [](const auto& one) { return one.second.done; });
  const std::string* pending = pending_table();
  if (pending == nullptr) return "";
  return fmt::format("snapshot: {} of {} tables, {} rows of about {} of {}", done,
                     position_.tables.size(), position_.tables.at(*pending).rows,
                     std::max(estimate_, position_.tables.at(*pending).rows), *pending);
}

void PostgresSource::describe_progress(Chunk& chunk, std::stop_token stop) {
  const auto now = Steady::now();
  if (chunk.idle) {
    session_->behind_bytes = 0;
    chunk.behind.emplace();
    chunk.why = "has all changes; 0 bytes, 0 s behind";
    return;
  }
  if (now - session_->lag_asked >= kLagEvery) {
    session_->lag_asked = now;
    const auto rows = session_->connections.sql->run("SELECT pg_current_wal_flush_lsn()", stop);
    const auto end =
        rows ? postgres::parse_lsn(rows->cell(0, 0).value_or("")) : std::optional<Lsn>();
    if (end)
      session_->behind_bytes =
          *end > position_.lsn ? static_cast<std::int64_t>(end->value - position_.lsn.value) : 0;
  }
  const std::int64_t last_us = session_->changes.last_commit_us();
  const double behind_s =
      last_us == 0 ? 0
                   : std::max(0.0, static_cast<double>(clock_.now().value - last_us / 1000) / 1000);
  chunk.behind = {session_->behind_bytes, behind_s};
  const std::string rows = snapshot_progress();
  chunk.why = fmt::format("{}{}{} bytes, {:.1f} s behind", rows, rows.empty() ? "" : "; ",
                          session_->behind_bytes, behind_s);
}

}  // namespace

Result<std::unique_ptr<Source>> make_postgres_source(const SourceSpec& spec, rt::Clock& clock) {
  using Snapshot = PostgresSettings::Snapshot;
  Options options(spec, kOptions);
  PostgresSettings settings;
  PostgresRecordWriter::Settings records;
  settings.name = records.source = spec.name;
  settings.url = options.text("url");
  settings.password = options.text("password");
  settings.tables = options.words("tables");
  const std::string project = std::filesystem::path(spec.folder).filename().string();
  const std::string name = slot_name(fmt::format("tailrace_{}_{}", project, spec.name));
  settings.slot = options.given("slot").value_or(name);
  settings.publication = options.given("publication").value_or(settings.slot);
  settings.chunk_rows = static_cast<int>(options.number("chunk_rows", 1, 1'000'000));
  settings.heartbeat_ms = options.duration_ms("heartbeat");
  settings.truncates = options.truth("truncates");
  settings.scratch = spec.scratch;
  records.tombstones = options.truth("tombstones");
  constexpr Snapshot kSnapshots[] = {Snapshot::kInitial, Snapshot::kNever, Snapshot::kOnly};
  settings.snapshot = kSnapshots[options.choice("snapshot", {"initial", "never", "only"})];
  constexpr Envelope kEnvelopes[] = {Envelope::kFlat, Envelope::kDebezium};
  records.envelope = kEnvelopes[options.choice("envelope", {"flat", "debezium"})];
  TRY(options.finish());
  const auto wrong = [&](const char* option, const std::string& given, const char* known) {
    return error(Code::kInvalidArgument, fmt::format("ingest {}: option {}: {}, not \"{}\"",
                                                     spec.name, option, known, given));
  };
  if (settings.slot != slot_name(settings.slot) || settings.slot.empty())
    return wrong("slot", settings.slot, "at most 63 of a-z, 0-9 and _");
  if (!settings.url.starts_with("postgresql://") && !settings.url.starts_with("postgres://"))
    return wrong("url", postgres::shown_url(settings.url), "postgresql://USER@HOST:PORT/DATABASE");
  Secrets secrets(spec.secrets, settings.url);
  return std::make_unique<PostgresSource>(std::move(settings), std::move(records),
                                          std::move(secrets), clock);
}

constinit const SourceType kPostgresSource{
    .type = "postgres",
    .what =
        "reads the rows and then each change of a PostgreSQL's tables (version 14 and newer, "
        "`wal_level = logical`)",
    .options = kOptions,
    .make = [](const SourceSpec& spec) { return make_postgres_source(spec); },
};

}  // namespace tailrace::connect
