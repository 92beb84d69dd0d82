#include "workflows/airflow_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/log.h"
#include "calendar/zone.h"
#include "dags/read.h"
#include "net/http_message.h"
#include "sched/assets.h"
#include "workflows/reading.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// Between tries at an Airflow that is away, the last one for ever.
constexpr std::chrono::milliseconds kPauses[] = {500ms, 1s, 2s, 5s, 10s};
/// Within it a batch's time is seen to be over.
constexpr auto kLook = 200ms;
constexpr std::int64_t kPage = 100;
/// Clocks differ: events are looked for from so long before ours was on its way.
constexpr std::int64_t kClocksDifferMs = 86'400'000;

ToldTogether together_of(const dags::AssetCondition& condition) {
  const sched::AssetBatch batch = sched::batch_of(condition);
  ToldTogether made{.events = batch.events};
  if (batch.within) made.within_ms = *batch.within / 1000;
  return made;
}

ToldTogether smaller(const ToldTogether& a, const ToldTogether& b) {
  ToldTogether made{.events = std::min(a.events, b.events), .within_ms = a.within_ms};
  if (b.within_ms) made.within_ms = std::min(a.within_ms.value_or(*b.within_ms), *b.within_ms);
  return made;
}

/// Airflow's own words about what it refuses.
std::string detail_of(const net::HttpResponse& answer) {
  const auto body = json::parse(answer.body, nullptr, false);
  std::string said = body.is_object() && body.contains("detail") ? body["detail"].dump() : "";
  if (said.size() > 300) said.resize(300);
  return fmt::format("{} {}{}{}", answer.status, answer.reason, said.empty() ? "" : ": ", said);
}

}  // namespace

Result<std::unique_ptr<AirflowEvents>> AirflowEvents::open(Options options, AirflowAddress airflow,
                                                           rt::Clock& clock) {
  while (airflow.url.ends_with('/')) airflow.url.pop_back();
  ASSIGN(auto outbox, AirflowOutbox::open(options.data + "/airflow/events.db"));
  std::unique_ptr<AirflowEvents> made(
      new AirflowEvents(std::move(options), std::move(airflow), clock, std::move(outbox)));
  TRY(made->read_dags());
  TRY(made->note_beginnings());
  return made;
}

/// What is wrong with the files is that Airflow's to say, and `tailrace check`'s; what is sound is
/// listened to.
Status AirflowEvents::read_dags() {
  const std::string folder = options_.folder + "/dags";
  files_ = dag_files(folder);
  ASSIGN(const auto reading, dags::read(folder, dags::operators_of_an_airflow()));
  if (const std::string fatal = lines_of(reading.findings, true); !fatal.empty())
    LOG(error, "DAG files that the Airflow runs have a fault: {}", fatal);
  ASSIGN(auto sources, all_sources(reading.dags, options_));
  std::map<std::string, ToldTogether> together;
  for (const auto& dag : reading.dags) {
    if (!dag->assets) continue;
    ASSIGN(const auto own, sources_of(*dag->assets, options_));
    const ToldTogether declared = together_of(*dag->assets);
    for (const AssetSource& source : own) {
      const auto [at, is_new] = together.try_emplace(source.uri, declared);
      if (!is_new) at->second = smaller(at->second, declared);
    }
  }
  const std::lock_guard lock(mutex_);
  sources_ = std::move(sources);
  together_ = std::move(together);
  return {};
}

/// Topics that are listened to for the first time are told from here on, before anything else of
/// the project runs.
Status AirflowEvents::note_beginnings() {
  ASSIGN(const auto cursors, outbox_->cursors());
  std::vector<metadata::Cursor> first;
  for (const AssetSource& source : sources_) {
    if (source.kind != AssetSource::Kind::kTopic || !options_.log) continue;
    if (std::ranges::find(cursors, source.uri, &metadata::Cursor::source) != cursors.end())
      continue;
    ASSIGN(log::Log* const log, options_.log());
    ASSIGN(auto some, beginnings(*log, source));
    first.insert(first.end(), some.begin(), some.end());
  }
  return outbox_->keep(first);
}

Status AirflowEvents::start() {
  looks_.emplace(options_.folder + "/dags", files_, [this] {
    auto read = read_dags();
    if (read) read = watch();
    if (!read) LOG(error, "DAG files that the Airflow runs have changed: {}", read.error().what);
  });
  teller_ = std::jthread([this](const std::stop_token& stop) { tell_all(stop); });
  return watch();
}

void AirflowEvents::stop() {
  {
    const std::lock_guard lock(watch_mutex_);
    stopping_ = true;
    topics_.reset();
    file_events_.reset();
  }
  looks_.reset();
  teller_.request_stop();
  if (teller_.joinable()) teller_.join();
}

/// What DAGs listen to now; what they listen to no more is forgotten.
Status AirflowEvents::watch() {
  const std::lock_guard lock(watch_mutex_);
  if (stopping_) return {};
  std::vector<AssetSource> topics, files;
  std::set<std::string> uris;
  {
    const std::lock_guard known(mutex_);
    for (const AssetSource& source : sources_) {
      uris.insert(source.uri);
      (source.kind == AssetSource::Kind::kTopic ? topics : files).push_back(source);
    }
  }
  topics_.reset();
  file_events_.reset();
  ASSIGN(const auto cursors, outbox_->cursors());
  std::vector<metadata::Cursor> gone;
  for (const auto& cursor : cursors)
    if (!uris.contains(cursor.source)) gone.push_back({cursor.source, cursor.part, std::nullopt});
  TRY(outbox_->keep(gone));
  if (options_.log && !topics.empty()) {
    ASSIGN(log::Log* const log, options_.log());
    topics_ = std::make_unique<TopicEvents>(*log, *this);
    topics_->start(std::move(topics), cursors);
  }
  if (files.empty()) return {};
  file_events_ = std::make_unique<FileEvents>(options_.lake, *this);
  return file_events_->start(std::move(files), cursors);
}

ToldTogether AirflowEvents::together(const std::string& uri) {
  const std::lock_guard lock(mutex_);
  const auto found = together_.find(uri);
  return found == together_.end() ? ToldTogether() : found->second;
}

void AirflowEvents::wake() {
  const std::lock_guard lock(mutex_);
  ++came_;
  some_.notify_all();
}

Result<Offset> AirflowEvents::records(const AssetSource& source, std::int32_t partition,
                                      const std::vector<Records>& records, Offset next) {
  ASSIGN(const Offset came, outbox_->records(source, partition, records, next, together(source.uri),
                                             clock_.now().value));
  wake();
  return came;
}

Status AirflowEvents::happened(const AssetSource& source, std::optional<jinja::Value> extra,
                               std::vector<metadata::Cursor> cursors) {
  std::optional<nlohmann::ordered_json> told;
  if (extra) {
    ASSIGN(const std::string text, jinja::to_json(*extra));
    told = nlohmann::ordered_json::parse(text);
  }
  TRY(outbox_->happened(source, std::move(told), cursors, together(source.uri),
                        clock_.now().value));
  wake();
  return {};
}

// --- the teller ----------------------------------------------------------------------------------

void AirflowEvents::tell_all(const std::stop_token& stop) {
  stop_ = stop;
  std::size_t failures = 0;
  std::string said;
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = came_;
    }
    const auto went = tell_some();
    if (stop.stop_requested()) return;
    if (!went) {
      if (std::exchange(said, went.error().what) != went.error().what)
        LOG(warn, "asset events for the Airflow at {} wait: {}", airflow_.url, went.error().what);
      std::unique_lock lock(mutex_);
      some_.wait_for(lock, stop, kPauses[std::min(failures++, std::size(kPauses) - 1)],
                     [] { return false; });
      continue;
    }
    failures = 0;
    if (!said.empty()) LOG(info, "asset events go to the Airflow at {} again", airflow_.url);
    said.clear();
    if (*went) continue;
    std::unique_lock lock(mutex_);
    some_.wait_for(lock, stop, kLook, [&] { return came_ != seen; });
  }
}

/// Those of an asset that this Airflow does not know yet wait, and hold up no others.
Result<bool> AirflowEvents::tell_some() {
  ASSIGN(const auto due, outbox_->due([this](const std::string& uri) { return together(uri); },
                                      clock_.now().value));
  std::optional<Error> unknown;
  std::set<std::string> waiting;
  for (const WaitingEvent& event : due) {
    if (waiting.contains(event.uri)) continue;
    auto told = tell(event);
    if (!told && told.error().code != Code::kNotFound) return std::unexpected(told.error());
    if (!told) {
      waiting.insert(event.uri);
      unknown = told.error();
    }
  }
  if (unknown) return std::unexpected(*unknown);
  return !due.empty();
}

Status AirflowEvents::tell(const WaitingEvent& event) {
  ASSIGN(const std::int64_t asset, asset_id(event.uri));
  if (event.asked_ms) {
    ASSIGN(const bool there, is_there(asset, event));
    if (there) return outbox_->told(event.id);
  }
  TRY(outbox_->asked(event.id, clock_.now().value));
  const nlohmann::ordered_json body = {{"asset_id", asset}, {"extra", event.extra}};
  const auto answer = ask("POST", "/api/v2/assets/events", body.dump());
  if (!answer) {
    if (answer.error().code == Code::kNotFound) ids_.erase(event.uri);
    return std::unexpected(answer.error());
  }
  return outbox_->told(event.id);
}

/// Whether an earlier try arrived, though its answer did not.
Result<bool> AirflowEvents::is_there(std::int64_t asset, const WaitingEvent& event) {
  const calendar::Moment earliest{.instant = (*event.asked_ms - kClocksDifferMs) * 1000,
                                  .zone = calendar::Zone::utc()};
  const std::string since = calendar::strftime(earliest, "%Y-%m-%dT%H:%M:%SZ");
  for (std::int64_t from = 0;; from += kPage) {
    ASSIGN(const json page,
           ask("GET", fmt::format("/api/v2/assets/events?asset_id={}&timestamp_gte={}&order_by="
                                  "-timestamp&limit={}&offset={}",
                                  asset, since, kPage, from)));
    const json& events = page.value("asset_events", json::array());
    for (const json& one : events) {
      const json extra = one.value("extra", json::object());
      if (extra.is_object() &&
          extra.value("tailrace_event", json()) == event.extra["tailrace_event"])
        return true;
    }
    if (static_cast<std::int64_t>(events.size()) < kPage) return false;
  }
}

/// kNotFound: no DAG that this Airflow has read names the asset.
Result<std::int64_t> AirflowEvents::asset_id(const std::string& uri) {
  if (const auto known = ids_.find(uri); known != ids_.end()) return known->second;
  for (std::int64_t from = 0;; from += kPage) {
    ASSIGN(const json page,
           ask("GET", fmt::format("/api/v2/assets?uri_pattern={}&limit={}&offset={}",
                                  net::percent_encode(uri), kPage, from)));
    const json& assets = page.value("assets", json::array());
    for (const json& one : assets)
      if (one.value("uri", "") == uri) return ids_[uri] = one.at("id").get<std::int64_t>();
    if (static_cast<std::int64_t>(assets.size()) < kPage) break;
  }
  return error(
      Code::kNotFound,
      fmt::format("it has no asset {}: none of the DAGs that it has read waits for it", uri));
}

Status AirflowEvents::log_in() {
  token_.clear();
  if (!airflow_.token.empty()) {
    token_ = airflow_.token;
    return {};
  }
  const bool named = !airflow_.user.empty();
  std::optional<std::string> body;
  if (named) body = json{{"username", airflow_.user}, {"password", airflow_.password}}.dump();
  ASSIGN(const auto answer, send(named ? "POST" : "GET", "/auth/token", body));
  const auto given = json::parse(answer.body, nullptr, false);
  const bool has_token =
      given.is_object() && given.contains("access_token") && given["access_token"].is_string();
  if (answer.status / 100 == 2 && has_token) {
    token_ = given["access_token"].get<std::string>();
    return {};
  }
  // Its details may repeat what was sent.
  return error(Code::kPermissionDenied,
               named ? fmt::format("it does not let `{}` in: {}", airflow_.user, answer.status)
                     : fmt::format("it wants to know who asks ({}): write `schedule: {{url: {}, "
                                   "user: NAME, password: \"${{NAME}}\"}}`, or a `token`",
                                   answer.status, airflow_.url));
}

/// An old token is replaced once.
Result<json> AirflowEvents::ask(const std::string& method, const std::string& path,
                                const std::optional<std::string>& body) {
  const bool fresh = token_.empty();
  if (fresh) TRY(log_in());
  ASSIGN(auto answer, send(method, path, body));
  if (answer.status == 401 && !fresh) {
    TRY(log_in());
    ASSIGN(answer, send(method, path, body));
  }
  if (answer.status / 100 == 2) {
    auto said = json::parse(answer.body, nullptr, false);
    if (said.is_object()) return said;
    return error(Code::kUnavailable, fmt::format("{} {}: no JSON came", method, path));
  }
  if (answer.status == 401) token_.clear();
  const Code code = answer.status == 404 ? Code::kNotFound : Code::kUnavailable;
  return error(code,
               fmt::format("{} {}: {}", method, path.substr(0, path.find('?')), detail_of(answer)));
}

Result<net::HttpResponse> AirflowEvents::send(const std::string& method, const std::string& path,
                                              const std::optional<std::string>& body) {
  net::HttpOptions options{.timeout_ms = 30'000,
                           .follow_redirects = false,
                           .at_most_once = method == "POST",
                           .stop = stop_};
  options.headers.emplace_back("Content-Type", "application/json");
  if (!token_.empty()) options.headers.emplace_back("Authorization", "Bearer " + token_);
  const auto sent = body ? std::optional<std::string_view>(*body) : std::nullopt;
  return http_.request(method, airflow_.url + path, sent, options);
}

}  // namespace tailrace::workflows
