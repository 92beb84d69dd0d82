#include "app/backend.h"

#include <charconv>
#include <limits>

#include "app/open_answers.h"
#include "app/operations.h"
#include "app/served_tables.h"
#include "console/arrow_rows.h"
#include "pipeline/names.h"

namespace tailrace::app {
namespace {

console::DeadLetter shown(const pipeline::DeadLetter& letter) {
  return {std::to_string(letter.id),
          letter.origin,
          letter.flow,
          letter.reason,
          letter.detail,
          letter.bytes,
          letter.time_ms};
}

/// A page token that is a number; 0 for none: before the first.
Result<std::uint64_t> number_of(std::string_view text) {
  constexpr auto kLast =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - console::kMaxQueryRows;
  std::uint64_t value = 0;
  if (text.empty()) return value;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || value > kLast || end != text.data() + text.size())
    return error(Code::kInvalidArgument,
                 "after must be `next` of the page before, not " + std::string(text));
  return value;
}

std::int64_t count(const pipeline::LetterCounts& waiting, const console::DeadLetterFilter& filter) {
  std::int64_t total = 0;
  for (const auto& [flow, reasons] : waiting)
    for (const auto& [reason, letters] : reasons)
      if ((filter.table.empty() || filter.table == flow) &&
          (filter.reason.empty() || filter.reason == reason))
        total += letters;
  return total;
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
    status.ready = instance_.stopped_by().empty() && !instance_.read_only();
    status.state = status.ready ? "running" : "stopped";
    status.hops = instance_.hops();
    rate(status.hops);
    status.first_empty_hop = pipeline::explain_first_empty(status.hops);
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
    if (!keyed) return unkeyed_rows(name, range);
    ASSIGN(auto page, keyed->scan({range.from, range.to}, range.limit, range.after));
    console::Rows rows;
    console::append_rows(page.rows, rows);
    rows.next = page.next;
    return rows;
  }

  Result<console::Rows> get_row(std::string_view table,
                                const std::vector<std::string>& key) override {
    const auto keyed = instance_.runner().served(serving_name(table));
    if (!keyed && instance_.runner().graph()->table_index(table) >= 0) return no_key(table);
    if (!keyed) return error(Code::kNotFound, "there is no table `" + std::string(table) + "`");
    ASSIGN(const auto row, keyed->get(key));
    if (!row) return error(Code::kNotFound, "no row of `" + std::string(table) + "` has that key");
    console::Rows rows;
    console::append_rows(*row, rows);
    return rows;
  }

  Result<console::Rows> sql(std::string_view query, int limit) override {
    ASSIGN(auto result, pipeline::run_query(query, query_relations(instance_),
                                            rt::system_clock().now().value * 1000, limit));
    return answers_.begin(std::move(result));
  }

  void write_metrics(MetricsText& out) override {
    instance_.write_metrics(out);
    write_contract_metrics(out);
  }

  Result<console::Rows> sql_page(std::string_view next) override { return answers_.page(next); }

  Result<console::DeadLetterPage> dead_letters(const console::DeadLetterFilter& filter) override {
    const pipeline::DeadLetters& letters = instance_.runner().dead_letters();
    ASSIGN(const std::uint64_t after, number_of(filter.after));
    console::DeadLetterPage page;
    page.total = count(letters.totals().waiting, filter);
    if (page.total == 0) return page;
    TRY(letters.scan(after, [&](const pipeline::DeadLetter& letter) {
      if (letter.redriven || !matches(letter, filter.table, filter.reason)) return true;
      if (static_cast<int>(page.letters.size()) == filter.limit) {
        page.next = page.letters.back().id;
        return false;
      }
      page.letters.push_back(shown(letter));
      return true;
    }));
    return page;
  }

  Result<std::int64_t> redrive(const console::RedriveSelection& selection) override {
    const auto select = [&](const pipeline::DeadLetter& letter) {
      if (!selection.ids.empty())
        return std::ranges::find(selection.ids, std::to_string(letter.id)) != selection.ids.end();
      return matches(letter, selection.table, selection.reason);
    };
    return instance_.runner().redrive(select, [this](const auto& letter) -> Result<bool> {
      if (HooksService* hooks = instance_.hooks()) {
        ASSIGN(const bool sent, hooks->send_back(letter));
        if (sent) return true;
      }
      StagedFlows* staged = instance_.staged();
      return staged != nullptr ? staged->send_back(letter) : Result<bool>(false);
    });
  }

  console::LogView& log_view() override { return instance_.log_view(); }
  console::Operations& operations() override { return *operations_; }
  console::SchemaView& schema_view() override { return instance_.schema_view(); }
  workflows::Workflows* workflows() override { return instance_.workflows(); }
  alerts::Alerts* alerts() override { return instance_.alerts(); }

 private:
  /// A served table by its own name, as CQL's clients call it, or by the table it follows.
  std::string serving_name(std::string_view name) const {
    const pipeline::Project& project = instance_.project();
    for (const pipeline::ServingSpec& serving : project.serving)
      if (pipeline::same_name(serving.name, name)) return serving.name;
    if (name.contains('.')) {
      const auto graph = instance_.runner().graph();
      for (const pipeline::ServingSpec& serving : project.serving)
        if (pipeline::same_name(served_names(project, serving, *graph).front(), name))
          return serving.name;
    }
    for (const pipeline::ServingSpec& serving : project.serving)
      if (pipeline::same_name(serving.table, name)) return serving.name;
    return std::string(name);
  }

  /// A table without key is read in the order of its files; the token counts rows.
  Result<console::Rows> unkeyed_rows(std::string_view name, const console::RowRange& range) {
    if (!range.from.empty() || !range.to.empty()) return no_key(name);
    ASSIGN(const std::uint64_t after, number_of(range.after));
    console::Rows rows;
    std::int64_t skip = static_cast<std::int64_t>(after), left = range.limit;
    const Error enough{Code::kCancelled, ""};
    auto done = instance_.runner().scan_table(name, [&](const Batch& batch) -> Status {
      const std::int64_t first = std::min(skip, batch->num_rows());
      const std::int64_t some = std::min(left, batch->num_rows() - first);
      console::append_rows(batch->Slice(first, some), rows);
      skip -= first, left -= some;
      if (left > 0 || first + some == batch->num_rows()) return {};
      rows.next = std::to_string(after + static_cast<std::uint64_t>(range.limit));
      return std::unexpected(enough);
    });
    if (!done && done.error().code != Code::kCancelled) return std::unexpected(done.error());
    const auto graph = instance_.runner().graph();
    const int index = graph->table_index(name);
    if (rows.columns.empty() && index >= 0)
      rows.columns = console::columns_of(graph->tables[static_cast<std::size_t>(index)].schema);
    return rows;
  }

  static std::unexpected<Error> no_key(std::string_view table) {
    return error(Code::kFailedPrecondition,
                 "`" + std::string(table) +
                     "` has no key: name it under `serving` in tailrace.yml to read rows by key");
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

  void write_contract_metrics(MetricsText& out) const {
    const auto rules = instance_.judge().rules();
    if (rules.empty()) return;
    using State = pipeline::Verdict::State;
    const auto family = [&](std::string_view name, std::string_view help, auto value) {
      out.family(name, MetricType::kGauge, help);
      for (const auto& [measure, verdict] : rules)
        if (verdict.state != State::kNone && (verdict.value || name != kRuleValue))
          out.add({{"contract", measure->contract},
                   {"table", measure->table},
                   {"rule", measure->name},
                   {"severity", measure->severity}},
                  value(verdict));
    };
    family(kRuleValue, "What a contract's rule counted in a table.",
           [](const pipeline::Verdict& verdict) { return *verdict.value; });
    family(
        "tailrace_contract_rule_broken", "1 when a contract's rule does not hold.",
        [](const pipeline::Verdict& verdict) { return verdict.state == State::kBroken ? 1 : 0; });
    family(
        "tailrace_contract_rule_failed", "1 when a contract's rule could not be judged.",
        [](const pipeline::Verdict& verdict) { return verdict.state == State::kFailed ? 1 : 0; });
    family(
        "tailrace_contract_rule_judged_timestamp_seconds", "When a rule was judged last.",
        [](const pipeline::Verdict& verdict) { return static_cast<double>(verdict.at_ms) / 1000; });
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

  static constexpr std::string_view kRuleValue = "tailrace_contract_rule_value";

  Instance& instance_;
  std::unique_ptr<console::Operations> operations_ = make_operations(instance_);
  OpenAnswers answers_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::map<std::string, std::pair<std::int64_t, double>> rates_;
};

}  // namespace

std::unique_ptr<console::Backend> make_backend(Instance& instance) {
  return std::make_unique<InstanceBackend>(instance);
}

}  // namespace tailrace::app
