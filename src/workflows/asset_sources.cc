// URIs of assets, and the records of topics.
#include "workflows/asset_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/log.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadBytes = 1 << 20;
/// So many records are told at most before another partition has its turn.
constexpr std::int64_t kMostRecords = 10'000;
/// While a DAG has more runs waiting than it may.
constexpr auto kFullWait = 20ms;
/// Within it a stop is seen.
constexpr auto kStopWait = 200ms;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<AssetSource> file_source(const std::string& uri, std::string path,
                                const std::string& folder) {
  if (path.find('?') != std::string::npos)
    return error(Code::kInvalidArgument, fmt::format("{}: `?` begins a query in a URI", uri));
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  std::string where = slash == std::string::npos ? "" : path.substr(0, slash);
  if (where.find('*') != std::string::npos)
    return error(Code::kInvalidArgument,
                 fmt::format("{}: `*` may stand in the last part only", uri));
  if (name.empty()) return error(Code::kInvalidArgument, fmt::format("{} names no file", uri));
  if (!path.starts_with('/')) where = where.empty() ? folder : folder + "/" + where;
  return AssetSource{.kind = AssetSource::Kind::kFile,
                     .uri = uri,
                     .name = name,
                     .folder = where.empty() ? "/" : where};
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<std::optional<AssetSource>> asset_source(const std::string& uri, const std::string& folder,
                                                const std::vector<std::string>& brokers) {
  constexpr std::string_view kOurs = "tailrace://", kFile = "file://", kKafka = "kafka://";
  if (uri.starts_with(kFile)) {
    ASSIGN(auto source, file_source(uri, uri.substr(kFile.size()), folder));
    return source;
  }
  if (uri.starts_with(kKafka)) {
    const auto slash = uri.find('/', kKafka.size());
    if (slash == std::string::npos) return std::nullopt;
    const std::string broker = uri.substr(kKafka.size(), slash - kKafka.size());
    const std::string topic = uri.substr(slash + 1);
    if (topic.empty() || std::ranges::find(brokers, broker) == brokers.end()) return std::nullopt;
    return AssetSource{.kind = AssetSource::Kind::kTopic, .uri = uri, .name = topic, .folder = {}};
  }
  if (!uri.starts_with(kOurs)) return std::nullopt;
  const std::string rest = uri.substr(kOurs.size());
  const auto slash = rest.find('/');
  const std::string kind = rest.substr(0, slash);
  const std::string name = slash == std::string::npos ? "" : rest.substr(slash + 1);
  const bool is_topic = kind == "topics", is_table = kind == "tables";
  if ((!is_topic && !is_table) || name.empty() || name.find('/') != std::string::npos)
    return error(
        Code::kInvalidArgument,
        fmt::format(
            "{}: an asset of Tailrace is tailrace://topics/TOPIC or tailrace://tables/TABLE", uri));
  return AssetSource{.kind = is_topic ? AssetSource::Kind::kTopic : AssetSource::Kind::kTable,
                     .uri = uri,
                     .name = name,
                     .folder = {}};
}

// --- records of topics ---------------------------------------------------------------------------

Result<std::vector<metadata::Cursor>> beginnings(log::Log& log, const AssetSource& source) {
  std::vector<metadata::Cursor> first{{source.uri, "", "begun"}};
  const auto topic = log.topic(source.name);
  const int partitions = topic ? topic->settings.partitions : 0;
  for (std::int32_t p = 0; p < partitions; ++p) {
    ASSIGN(const auto partition, log.partition(source.name, PartitionId(p)));
    first.push_back(
        {source.uri, std::to_string(p), std::to_string(partition->high_watermark().value)});
  }
  return first;
}

void TopicEvents::start(std::vector<AssetSource> sources,
                        const std::vector<metadata::Cursor>& cursors) {
  watched_.clear();
  for (AssetSource& source : sources) {
    Watched watched{
        .source = std::move(source), .begun = false, .next = {}, .partitions = {}, .failing = {}};
    for (const metadata::Cursor& cursor : cursors) {
      if (cursor.source != watched.source.uri) continue;
      watched.begun = true;
      const auto partition = number(cursor.part), next = number(cursor.value.value_or(""));
      if (partition && next) watched.next[static_cast<std::int32_t>(*partition)] = Offset(*next);
    }
    watched_.push_back(std::move(watched));
  }
  if (watched_.empty()) return;
  // What is appended from now on is told, so the ends are kept before start() returns.
  for (Watched& watched : watched_) {
    if (const auto opened = open(watched); !opened)
      LOG(warn, "events of {}: {}", watched.source.uri, opened.error().what);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void TopicEvents::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void TopicEvents::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t seen = log_.appends();
    bool on = false, full = false;
    for (Watched& watched : watched_) {
      const auto went = advance(watched);
      const std::string failing = went ? "" : went.error().what;
      if (failing != watched.failing && !failing.empty() && !stop.stop_requested())
        LOG(warn, "events of {} wait: {}", watched.source.uri, failing);
      watched.failing = failing;
      on = on || (went && *went == Went::kOn);
      full = full || (went && *went == Went::kFull);
    }
    if (on) continue;
    if (full) {
      std::this_thread::sleep_for(kFullWait);
    } else {
      (void)log_.wait_for_append(seen, kStopWait);
    }
  }
}

/// Its partitions, as far as they are there; the first time they begin at their ends.
Status TopicEvents::open(Watched& watched) {
  const auto topic = log_.topic(watched.source.name);
  const int partitions = topic ? topic->settings.partitions : 0;
  std::vector<metadata::Cursor> first;
  for (std::int32_t p = 0; p < partitions; ++p) {
    if (watched.partitions.contains(p)) continue;
    ASSIGN(watched.partitions[p], log_.partition(watched.source.name, PartitionId(p)));
    if (watched.next.contains(p)) continue;
    const Offset from = watched.begun ? watched.partitions[p]->log_start()
                                      : watched.partitions[p]->high_watermark();
    watched.next[p] = from;
    first.push_back({watched.source.uri, std::to_string(p), std::to_string(from.value)});
  }
  if (!watched.begun) first.push_back({watched.source.uri, "", "begun"});
  if (first.empty()) return {};
  auto kept = sink_.happened(watched.source, std::nullopt, first);
  if (kept) {
    watched.begun = true;
    return {};
  }
  for (const auto& cursor : first) {
    const auto partition = static_cast<std::int32_t>(number(cursor.part).value_or(-1));
    watched.partitions.erase(partition);
    watched.next.erase(partition);
  }
  return kept;
}

Result<TopicEvents::Went> TopicEvents::advance(Watched& watched) {
  TRY(open(watched));
  Went went = Went::kIdle;
  for (const auto& [partition, log] : watched.partitions) {
    ASSIGN(const Went one, advance(watched, partition));
    went = std::max(went, one);
  }
  return went;
}

Result<TopicEvents::Went> TopicEvents::advance(Watched& watched, std::int32_t id) {
  log::Partition& partition = *watched.partitions[id];
  Offset& next = watched.next[id];
  const Offset stable = partition.last_stable_offset();
  const Status read = partition.read(next, kReadBytes, buffer_);
  if (!read && read.error().code == Code::kOutOfRange) {
    const Offset start = partition.log_start();
    LOG(warn, "events of {}: partition {} has no offset {} any more, they go on at {}",
        watched.source.uri, id, next.value, start.value);
    if (start == next) return std::unexpected(read.error());
    next = start;
    return Went::kOn;
  }
  if (!read) return std::unexpected(read.error());
  if (buffer_.empty() || next >= stable) return Went::kIdle;
  ASSIGN(auto aborted, partition.aborted_transactions(next, stable));
  log::CommittedFilter filter(std::move(aborted));
  std::vector<Records> found;
  std::int64_t count = 0;
  Offset after = next;
  const auto add = [&](Offset first, std::int64_t many) {
    const std::int64_t below = std::max<std::int64_t>(next.value - first.value, 0);
    if (many <= below) return;
    first = first + below;
    many -= below;
    count += many;
    if (!found.empty() && found.back().first + found.back().count == first) {
      found.back().count += many;
    } else {
      found.push_back({first, many});
    }
  };
  log::BatchReader batches = buffer_.batches();
  log::BatchView batch;
  while (count < kMostRecords && batches.next(batch) && batch.base_offset() < stable) {
    after = std::max(after, batch.next_offset());
    if (filter.hides(batch)) continue;
    if (batch.record_count() == batch.last_offset_delta() + 1) {
      add(batch.base_offset(), batch.record_count());
      continue;
    }
    ASSIGN(auto records, batch.records(plain_));
    log::RecordView record;
    while (records.next(record)) add(record.offset, 1);
    TRY(records.status());
  }
  if (found.empty()) {
    const bool moved = after > next;
    next = after;
    return moved ? Went::kOn : Went::kIdle;
  }
  if (partition.durable_end() < after) TRY(partition.sync());
  ASSIGN(const Offset came, sink_.records(watched.source, id, found, after));
  const bool moved = came > next;
  next = came;
  return moved ? Went::kOn : Went::kFull;
}

jinja::Value records_extra(const std::string& topic, std::int32_t partition, Offset first,
                           std::int64_t count) {
  using jinja::Value;
  jinja::Dict extra;
  extra.set(Value("topic"), Value(topic));
  extra.set(Value("partition"), Value(std::int64_t{partition}));
  extra.set(Value("offset"), Value(first.value));
  extra.set(Value("last_offset"), Value(first.value + count - 1));
  extra.set(Value("records"), Value(count));
  return Value(std::move(extra));
}

}  // namespace tailrace::workflows
