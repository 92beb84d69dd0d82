#include "app/backend.h"

#include <charconv>

#include "console/arrow_rows.h"
#include "pipeline/names.h"

namespace tailrace::app {
namespace {

console::HopKind hop_kind(pipeline::HopKind kind) {
  switch (kind) {
    case pipeline::HopKind::kFetched:
      return console::HopKind::kFetched;
    case pipeline::HopKind::kAppended:
      return console::HopKind::kAppended;
    case pipeline::HopKind::kDecoded:
      return console::HopKind::kDecoded;
    case pipeline::HopKind::kRejected:
      return console::HopKind::kRejected;
    case pipeline::HopKind::kBronze:
      return console::HopKind::kBronze;
    case pipeline::HopKind::kSilver:
      return console::HopKind::kSilver;
    case pipeline::HopKind::kGold:
      return console::HopKind::kGold;
    case pipeline::HopKind::kLake:
      return console::HopKind::kLake;
    case pipeline::HopKind::kServed:
      return console::HopKind::kServed;
  }
  return console::HopKind::kServed;
}

console::HopState hop_state(pipeline::HopState state) {
  switch (state) {
    case pipeline::HopState::kOk:
      return console::HopState::kOk;
    case pipeline::HopState::kWaiting:
      return console::HopState::kWaiting;
    case pipeline::HopState::kEmpty:
      return console::HopState::kEmpty;
    case pipeline::HopState::kError:
      return console::HopState::kError;
  }
  return console::HopState::kError;
}

console::Hop shown(const pipeline::Hop& hop) {
  console::Hop out;
  out.id = hop.id;
  out.title = hop.title;
  out.kind = hop_kind(hop.kind);
  out.state = hop_state(hop.state);
  out.count = hop.count;
  out.rate_per_s = hop.rate_per_s;
  out.bytes = hop.bytes;
  out.lag_records = hop.lag_records;
  out.lag_s = hop.lag_s;
  out.rejected = hop.rejected;
  out.reasons = hop.reasons;
  out.detail = hop.detail;
  out.why = hop.why;
  out.last_error = hop.last_error;
  out.last_error_ms = hop.last_error_ms;
  return out;
}

console::DeadLetter shown(const pipeline::DeadLetter& letter) {
  return {std::to_string(letter.id),
          letter.origin,
          letter.flow,
          letter.reason,
          letter.detail,
          letter.bytes,
          letter.time_ms};
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool matches(const pipeline::DeadLetter& letter, const std::string& table,
             const std::string& reason) {
  return (table.empty() || letter.flow == table) && (reason.empty() || letter.reason == reason);
}

class InstanceBackend final : public console::Backend {
 public:
  explicit InstanceBackend(Instance& instance) : instance_(instance) {}

  console::Status status() override {
    console::Status status;
    status.project = instance_.project().name;
    status.version = TAILRACE_VERSION;
    status.uptime_s = instance_.uptime_s();
    const std::string stopped = instance_.stopped_by();
    status.state = stopped.empty() ? "running" : "stopped";
    status.ready = stopped.empty();
    std::vector<pipeline::Hop> hops = instance_.hops();
    rate(hops);
    status.first_empty_hop = pipeline::explain_first_empty(hops);
    for (const pipeline::Hop& hop : hops) status.hops.push_back(shown(hop));
    return status;
  }

  std::vector<console::TableInfo> tables() override {
    std::vector<console::TableInfo> all;
    for (const pipeline::TableStatus& table : instance_.runner().tables())
      all.push_back(info(table));
    return all;
  }

  Result<console::Rows> read_table(std::string_view name, const console::RowRange& range) override {
    const auto keyed = instance_.runner().served(serving_name(name));
    if (!keyed) return first_rows(name, range.limit);
    table::KeyRange keys{range.prefix, range.prefix};
    if (range.from) keys.from = {*range.from};
    if (range.to) keys.to = {*range.to};
    ASSIGN(auto page, keyed->scan(keys, range.limit, range.after));
    console::Rows rows;
    console::append_rows(page.rows, rows);
    rows.next = page.next;
    return rows;
  }

  Result<console::Rows> get_row(std::string_view table,
                                const std::vector<std::string>& key) override {
    const auto keyed = instance_.runner().served(serving_name(table));
    if (!keyed)
      return error(Code::kNotFound, "`" + std::string(table) +
                                        "` has no key: name it under `serving` in tailrace.yml");
    ASSIGN(const auto row, keyed->get(key));
    if (!row) return error(Code::kNotFound, "no row of `" + std::string(table) + "` has that key");
    console::Rows rows;
    console::append_rows(*row, rows);
    return rows;
  }

  Result<console::Rows> sql(std::string_view query) override { return instance_.sql(query); }

  Result<console::DeadLetterPage> dead_letters(const console::DeadLetterFilter& filter) override {
    console::DeadLetterPage page;
    const std::uint64_t after = number(filter.after);
    TRY(instance_.runner().dead_letters().scan(0, [&](const pipeline::DeadLetter& letter) {
      if (letter.redriven || !matches(letter, filter.table, filter.reason)) return true;
      ++page.total;
      if (letter.id <= after) return true;
      if (static_cast<int>(page.letters.size()) < filter.limit)
        page.letters.push_back(shown(letter));
      else if (page.next.empty())
        page.next = page.letters.back().id;
      return true;
    }));
    return page;
  }

  Result<std::int64_t> redrive(const console::RedriveSelection& selection) override {
    return instance_.runner().redrive([&](const pipeline::DeadLetter& letter) {
      if (!selection.ids.empty())
        return std::ranges::find(selection.ids, std::to_string(letter.id)) != selection.ids.end();
      return matches(letter, selection.table, selection.reason);
    });
  }

 private:
  /// A served table by its own name, or by the name of the table it follows.
  std::string serving_name(std::string_view name) const {
    for (const pipeline::ServingSpec& serving : instance_.project().serving)
      if (pipeline::same_name(serving.name, name)) return serving.name;
    for (const pipeline::ServingSpec& serving : instance_.project().serving)
      if (pipeline::same_name(serving.table, name)) return serving.name;
    return std::string(name);
  }

  Result<console::Rows> first_rows(std::string_view name, int limit) {
    console::Rows rows;
    const Error enough{Code::kCancelled, ""};
    auto done = instance_.runner().scan_table(name, [&](const Batch& batch) -> Status {
      const auto left = limit - static_cast<std::int64_t>(rows.rows.size());
      console::append_rows(batch->Slice(0, std::min(left, batch->num_rows())), rows);
      if (static_cast<int>(rows.rows.size()) >= limit) return std::unexpected(enough);
      return {};
    });
    if (!done && done.error().code != Code::kCancelled) return std::unexpected(done.error());
    return rows;
  }

  console::TableInfo info(const pipeline::TableStatus& table) const {
    console::TableInfo out;
    out.name = table.name;
    out.layer = layer_name(table.layer);
    out.kind = table.streaming ? "streaming table" : "materialized view";
    out.comment = table.comment;
    out.rows = table.rows;
    out.columns = console::columns_of(table.schema);
    for (const pipeline::ServingSpec& serving : instance_.project().serving)
      if (pipeline::same_name(serving.table, table.name)) out.key = serving.key, out.served = true;
    out.state = !table.failed.empty() ? console::HopState::kError
                : table.rows > 0      ? console::HopState::kOk
                                      : console::HopState::kWaiting;
    out.why = table.failed;
    for (const auto& e : table.expectations)
      out.expectations.push_back({e.name, e.condition, e.action, e.passed, e.failed});
    return out;
  }

  /// Rates from the counts of two calls at least half a second apart.
  void rate(std::vector<pipeline::Hop>& hops) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    const bool renew = seconds >= 0.5;
    for (pipeline::Hop& hop : hops) {
      auto& [count, per_s] = rates_[hop.id];
      if (renew) {
        per_s = static_cast<double>(std::max<std::int64_t>(0, hop.count - count)) / seconds;
        count = hop.count;
      }
      hop.rate_per_s = per_s;
    }
    if (renew) last_ = now;
  }

  Instance& instance_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::map<std::string, std::pair<std::int64_t, double>> rates_;
};

}  // namespace

std::unique_ptr<console::Backend> make_backend(Instance& instance) {
  return std::make_unique<InstanceBackend>(instance);
}

Result<console::Rows> Instance::sql(std::string_view query) {
  const std::int64_t now_us = rt::system_clock().now().value * 1000;
  ASSIGN(const auto result, pipeline::run_query(query, query_relations(*this), now_us));
  console::Rows rows;
  rows.columns = console::columns_of(result.schema);
  for (const Batch& batch : result.rows) console::append_rows(batch, rows);
  rows.truncated = result.truncated;
  return rows;
}

}  // namespace tailrace::app
