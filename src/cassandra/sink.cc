#include "cassandra/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/log.h"
#include "rt/file.h"
#include "served/shape.h"

namespace tailrace::cassandra {

using pipeline::ServingSpec;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view kMark = "om";
constexpr std::string_view kChunks = "oc";
/// Of a chunk, about; one value of the store.
constexpr std::size_t kChunkBytes = 1 << 20;
/// A checkpoint is taken when so much waits for one.
constexpr std::size_t kTakenBytes = 8 << 20;
/// Steps wait when so much is on its way.
constexpr std::size_t kSentBytes = 32 << 20;
/// What a row on its way takes beside its bytes, about.
constexpr std::size_t kRowBytes = 160;
/// Of one batch: rows of one partition that are written at once.
constexpr std::size_t kBatchRows = 100, kBatchBytes = 32 << 10;
/// Rows on their way while a table is loaded.
constexpr std::size_t kLoadRows = 20'000;
constexpr milliseconds kLook{100}, kTryAgain{1'000};
constexpr std::size_t kMostPem = 1 << 20;

Result<std::string> pem_of(const pipeline::Project& project, const std::string& file) {
  if (file.empty()) return std::string();
  const auto path = std::filesystem::path(project.folder) / file;
  return rt::read_whole(rt::posix_files(), path.string(), kMostPem);
}

std::string chunk_key(std::uint64_t number) {
  std::string key(kChunks);
  append_be(key, number);
  return key;
}

}  // namespace

Result<cql_client::ClientConfig> config_of(const pipeline::Project& project) {
  const auto& spec = project.roles.remote_serving;
  const auto at = [&](Error why) { return std::unexpected(why.in(spec.place + ": serving")); };
  auto address = cql_client::parse_url(project.roles.serving);
  if (!address) return at(address.error());
  cql_client::ClientConfig config;
  config.hosts = std::move(address->hosts);
  config.user = spec.user;
  config.password = spec.password;
  config.tls = spec.tls;
  for (auto [file, pem] : {std::pair{&spec.ca_file, &config.trusted},
                           {&spec.certificate_file, &config.certificate},
                           {&spec.key_file, &config.key}}) {
    auto text = pem_of(project, *file);
    if (!text) return at(text.error());
    *pem = std::move(*text);
  }
  if (auto cluster = cql_client::check(config); !cluster) return at(cluster.error());
  return config;
}

Sink::Sink(const pipeline::Project& project, rt::Clock& clock,
           std::unique_ptr<cql_client::Cluster> cluster, std::string keyspace, std::string hosts)
    : project_(project),
      clock_(clock),
      cluster_(std::move(cluster)),
      keyspace_(std::move(keyspace)),
      hosts_(std::move(hosts)),
      comment_(fmt::format("served by Tailrace, project {}", project.name)) {}

Result<std::unique_ptr<Sink>> Sink::open(const pipeline::Project& project, rt::Clock& clock) {
  ASSIGN(auto config, config_of(project));
  ASSIGN(const auto address, cql_client::parse_url(project.roles.serving));
  std::string hosts;
  for (const auto& host : config.hosts) hosts += (hosts.empty() ? "" : ",") + host.text();
  ASSIGN(auto cluster, cql_client::Cluster::open(std::move(config)));
  return std::unique_ptr<Sink>(
      new Sink(project, clock, std::move(cluster), address.keyspace, std::move(hosts)));
}

Status Sink::open(const kv::Store& store) {
  ASSIGN(const auto mark, store.get(kMark));
  if (mark) {
    const auto json = nlohmann::json::parse(*mark, nullptr, false);
    if (!json.is_object())
      return error(Code::kDataLoss,
                   "what is kept of Cassandra in the state store is damaged; remove the state "
                   "folder: the tables are then made again from the log");
    next_number_ = json.value("next", std::uint64_t{0});
    last_timestamp_ = json.value("timestamp", std::int64_t{0});
    loaded_ = json.value("loaded", std::map<std::string, std::string>{});
  }
  Status read;
  TRY(store.scan(kChunks, kv::prefix_end(kChunks),
                 [&](std::string_view key, std::string_view text) {
                   auto chunk = Chunk::from_bytes(text);
                   if (!chunk) {
                     read = std::unexpected(chunk.error());
                     return false;
                   }
                   const auto number = load_be<std::uint64_t>(key.data() + kChunks.size());
                   const std::size_t taken = text.size() + chunk->rows.size() * kRowBytes;
                   sealed_.push_back({number, std::move(*chunk), taken});
                   return true;
                 }));
  return read;
}

Status Sink::set_tables(std::vector<std::shared_ptr<const table::KeyedTable>> tables) {
  std::vector<Target> targets;
  std::map<std::string, std::set<std::string>> taken;
  for (const ServingSpec& serving : project_.serving)
    for (const auto& table : tables) {
      if (table->schema().name != serving.name) continue;
      const auto naming = served::naming_of(serving.name, keyspace_, serving.partition_columns);
      auto definition = served::define(naming, table->schema(), taken[naming.keyspace]);
      if (!definition) return std::unexpected(definition.error().in(serving.place));
      targets.push_back(make_target(table, std::move(*definition)));
      if (const auto found = loaded_.find(serving.name); found != loaded_.end())
        targets.back().loaded = found->second;
    }
  for (Target& target : targets)
    for (Target& before : targets_)
      if (before.table->schema().name == target.table->schema().name && !target.loaded.empty())
        target.changes = std::move(before.changes);
  targets_ = std::move(targets);
  std::erase_if(loaded_, [&](const auto& one) {
    return std::ranges::none_of(
        targets_, [&](const Target& target) { return target.table->schema().name == one.first; });
  });
  ready_ = false;
  return {};
}

void Sink::forget(std::string_view table) {
  loaded_.erase(std::string(table));
  for (Target& target : targets_)
    if (target.table->schema().name == table) {
      target.loaded.clear();
      target.changes = {};
    }
}

// A table that was dropped while rows are on their way is made again.
bool Sink::is_ready() const {
  return ready_ && !cluster_->statement_is_refused();
}

Result<bool> Sink::ready(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Status made = make_ready(stop);
    if (!made && made.error().code == Code::kCancelled) return false;
    if (made) {
      say({});
      ready_ = true;
      return true;
    }
    const auto code = made.error().code;
    if (code != Code::kUnavailable && code != Code::kFailedPrecondition)
      return std::unexpected(made.error());
    say(made.error().what);
    for (milliseconds waited{0}; waited < kTryAgain && !stop.stop_requested(); waited += kLook)
      std::this_thread::sleep_for(kLook);
  }
  return false;
}

Status Sink::make_ready(const std::stop_token& stop) {
  cluster_->forget_refused_statement();
  std::vector<There> there;
  for (const Target& target : targets_) {
    ASSIGN(auto one, make_there({*cluster_, stop}, target, comment_));
    if (one.must_load) loaded_.erase(target.table->schema().name);
    there.push_back(std::move(one));
  }
  send_sealed();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (there[i].must_load) TRY(load(targets_[i], there[i], stop));
    targets_[i].loaded = there[i].id;
    loaded_[targets_[i].table->schema().name] = there[i].id;
  }
  return {};
}

Status Sink::load(Target& target, const There& there, const std::stop_token& stop) {
  TRY(await(0, stop));
  const std::string& name = target.table->schema().name;
  if (there.must_empty) {
    LOG(info, "cassandra: {} is emptied, and loaded from `{}`", target.name(), name);
    TRY(asked({*cluster_, stop}, "TRUNCATE " + target.name()));
  }
  Chunk chunk{
      .timestamp = next_timestamp(),
      .table = name,
      .insert = target.insert,
      .remove = target.remove,
      .partition_columns = static_cast<std::size_t>(target.definition.table.partition_columns)};
  Status waited;
  const auto visit = [&](const Batch& rows) -> Result<bool> {
    waited = await(kLoadRows, stop);
    if (!waited) return false;
    Changes changes;
    TRY(changes.take(target.definition, *target.table->schema().columns, {rows, {}}));
    note_left_out(name, changes);
    changes.drain(chunk.partition_columns, std::numeric_limits<std::size_t>::max(),
                  [&](std::vector<ChangedRow> part) {
                    chunk.rows = std::move(part);
                    write(chunk, nullptr);
                  });
    return true;
  };
  TRY(target.table->scan_all(visit));
  TRY(Status(waited));
  return await(0, stop);
}

Status Sink::await(std::size_t rows, const std::stop_token& stop) const {
  while (!cluster_->wait_below(rows, kLook))
    if (stop.stop_requested()) return error(Code::kCancelled, "stopped");
  return {};
}

std::int64_t Sink::next_timestamp() {
  last_timestamp_ = std::max(last_timestamp_ + 1, clock_.now().value * 1000);
  return last_timestamp_;
}

Status Sink::take(const table::KeyedTable& table, const Delta& delta) {
  for (Target& target : targets_)
    if (target.table->id() == table.id() && !target.loaded.empty()) {
      TRY(target.changes.take(target.definition, *target.table->schema().columns, delta));
      note_left_out(target.table->schema().name, target.changes);
    }
  return {};
}

void Sink::note_left_out(const std::string& table, Changes& changes) {
  const std::int64_t more = changes.take_left_out();
  if (more == 0) return;
  const std::lock_guard lock(mutex_);
  left_out_[table] += more;
}

std::size_t Sink::taken() const {
  std::size_t bytes = 0;
  for (const Target& target : targets_) bytes += target.changes.size_bytes();
  return bytes;
}

bool Sink::wants_checkpoint() const {
  return taken() > kTakenBytes;
}

Status Sink::seal(kv::WriteBatch& batch) {
  while (!sent_.empty() && sent_.front().open.expired()) {
    batch.erase(chunk_key(sent_.front().number));
    sent_.pop_front();
  }
  std::int64_t timestamp = 0;
  for (Target& target : targets_) {
    if (target.changes.size_bytes() == 0) continue;
    if (timestamp == 0) timestamp = next_timestamp();
    Chunk chunk{
        .timestamp = timestamp,
        .table = target.table->schema().name,
        .insert = target.insert,
        .remove = target.remove,
        .partition_columns = static_cast<std::size_t>(target.definition.table.partition_columns)};
    target.changes.drain(chunk.partition_columns, kChunkBytes, [&](std::vector<ChangedRow> rows) {
      chunk.rows = std::move(rows);
      const std::string bytes = chunk.to_bytes();
      batch.put(chunk_key(next_number_), bytes);
      const std::size_t taken = bytes.size() + chunk.rows.size() * kRowBytes;
      sealed_.push_back({next_number_++, std::move(chunk), taken});
      chunk.timestamp = timestamp;
      chunk.table = target.table->schema().name;
      chunk.insert = target.insert;
      chunk.remove = target.remove;
    });
  }
  const nlohmann::json mark = {
      {"next", next_number_}, {"timestamp", last_timestamp_}, {"loaded", loaded_}};
  batch.put(kMark, mark.dump());
  return {};
}

void Sink::send() {
  if (ready_) send_sealed();
}

void Sink::send_sealed() {
  for (Sealed& one : sealed_) {
    // A table that is loaded anew has these rows then.
    const auto token = std::make_shared<const int>(0);
    sent_.push_back({one.number, one.bytes, token});
    if (loaded_.contains(one.chunk.table)) write(one.chunk, token);
  }
  sealed_.clear();
}

std::size_t Sink::statement(const std::string& text) {
  const auto [found, fresh] = statements_.try_emplace(text);
  if (fresh) found->second = cluster_->statement(text);
  return found->second;
}

void Sink::write(const Chunk& chunk, const std::shared_ptr<const void>& token) {
  const std::size_t insert = statement(chunk.insert), remove = statement(chunk.remove);
  cql_client::Write write;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (write.parts.empty()) return;
    write.timestamp = chunk.timestamp;
    write.token = token;
    cluster_->write(std::exchange(write, {}));
    bytes = 0;
  };
  for (const ChangedRow& row : chunk.rows) {
    std::string partition = partition_of(row.key, chunk.partition_columns);
    if (partition != write.partition || write.parts.size() >= kBatchRows || bytes >= kBatchBytes)
      flush();
    write.partition = std::move(partition);
    bytes += row.key.size() + row.rest.size();
    write.parts.push_back({row.removed ? remove : insert, row.key + row.rest});
  }
  flush();
}

std::size_t Sink::on_their_way() const {
  std::size_t bytes = taken();
  for (const Sealed& one : sealed_) bytes += one.bytes;
  for (const Sent& one : sent_)
    if (!one.open.expired()) bytes += one.bytes;
  return bytes;
}

bool Sink::is_full() const {
  full_ = on_their_way() > kSentBytes;
  return full_;
}

bool Sink::wait(milliseconds patience) const {
  return cluster_->wait_below(0, patience);
}

void Sink::say(std::string trouble) const {
  const bool told = !cluster_->health().empty();  // what nobody answers is the cluster's to say
  const std::lock_guard lock(mutex_);
  if (!trouble.empty() && trouble_.empty() && !told) LOG(warn, "serving: {}", trouble);
  trouble_ = std::move(trouble);
}

std::string Sink::waits() const {
  std::string why = cluster_->health();
  if (!why.empty())
    return "serving: cassandra " + why + (full_ ? "; steps wait, for 32 MB are on their way" : "");
  const std::lock_guard lock(mutex_);
  return trouble_.empty() ? std::string() : "serving: cassandra: " + trouble_;
}

std::string Sink::place(std::string_view table) const {
  const auto naming = served::naming_of(table, keyspace_, 1);
  std::string at = fmt::format("cassandra {} {}.{}", hosts_, naming.keyspace, naming.table);
  const std::lock_guard lock(mutex_);
  if (const auto found = left_out_.find(table); found != left_out_.end())
    at += fmt::format(
        "; {} rows left out, whose key it cannot have (a null, nothing, parts of a millisecond)",
        found->second);
  return at;
}

}  // namespace tailrace::cassandra
