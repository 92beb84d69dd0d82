// A console over made-up live data: `console_demo PORT [filled|empty|error|bare|many]`. For looking
// at the page and for tests/web; no part of the product.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <mutex>

#include "console/console.h"
#include "console/testing/made_up_log.h"
#include "console/testing/made_up_operations.h"
#include "console/testing/made_up_schemas.h"

namespace tailrace::console {
namespace {

using Clock = std::chrono::steady_clock;

class DemoBackend : public Backend {
 public:
  explicit DemoBackend(std::string scene)
      : scene_(std::move(scene)),
        log_(scene_ == "bare"   ? 0
             : scene_ == "many" ? 1000
                                : 3,
             scene_ != "bare"),
        schemas_(scene_ == "bare"    ? MadeUpSchemas::State::kEmpty
                 : scene_ == "empty" ? MadeUpSchemas::State::kOff
                 : scene_ == "error" ? MadeUpSchemas::State::kDown
                                     : MadeUpSchemas::State::kFilled,
                 scene_ == "many" ? 1000 : 0) {}

  Status status() override {
    Status out{.project = "random_users",
               .version = "0.1.0",
               .uptime_s = std::floor(age()),
               .state = "running",
               .ready = true,
               .first_empty_hop = {},
               .hops = {}};
    if (scene_ == "bare") {
      out.state = "starting";
      return out;
    }
    for (auto& hop : flow()) out.hops.push_back(std::move(hop));
    if (scene_ == "empty") break_flow(out);
    if (scene_ == "error") stop_silver(out);
    return out;
  }

  std::vector<TableInfo> tables() override {
    if (scene_ == "bare") return {};
    std::vector<Column> user{{"id", "STRING", "randomuser.me login uuid"},
                             {"first_name", "STRING", ""},
                             {"last_name", "STRING", ""},
                             {"country", "STRING", "as the API spells it"},
                             {"age", "INT", ""},
                             {"registered_date", "TIMESTAMP", ""}};
    std::vector<Column> raw{{"value", "STRING", "the record as it came"},
                            {"topic", "STRING", ""},
                            {"partition", "INT", ""},
                            {"offset", "BIGINT", ""}};
    std::vector<Column> count{
        {"country", "STRING", ""}, {"gender", "STRING", ""}, {"users", "BIGINT", ""}};
    auto n = records();
    return {
        table("users_created", "source", "topic", n, raw, {}),
        table("users_raw", "bronze", "streaming table", n - 12, raw, {}),
        table("users", "silver", "materialized view", n - 40, user, {"id"}),
        table("created_users", "silver", "materialized view", n - 40, user, {"id"}),
        table("users_by_country", "gold", "materialized view", 42, count, {"country", "gender"}),
        table("signups_per_minute", "gold", "streaming table", 960, count, {"country"})};
  }

  Result<Rows> read_table(std::string_view name, const RowRange& range) override {
    if (!known(name)) return error(Code::kNotFound, fmt::format("no table is named {}", name));
    int first = range.after.empty() ? 0 : std::atoi(range.after.c_str());
    int last = std::min(first + range.limit, 130);
    auto rows = users(first, last);
    if (last < 130) rows.next = std::to_string(last);
    return rows;
  }

  Result<Rows> get_row(std::string_view, const std::vector<std::string>& key) override {
    if (key.front() != "u0001") return error(Code::kNotFound, "no row has the key " + key.front());
    return users(1, 2);
  }

  Result<Rows> sql(std::string_view query, int) override {
    if (query.find("FORM") != query.npos) {
      return error(Code::kInvalidArgument, "expected FROM but found FORM at 1:10");
    }
    if (query.find("system.contract_rules") != query.npos) return contract_rules(query);
    return users(0, 12);
  }

  Result<Rows> sql_page(std::string_view) override {
    return error(Code::kNotFound, "every answer here is one page");
  }

  Result<DeadLetterPage> dead_letters(const DeadLetterFilter& filter) override;

  LogView& log_view() override { return log_; }
  SchemaView& schema_view() override { return schemas_; }
  Operations& operations() override { return operations_; }

  Result<std::int64_t> redrive(const RedriveSelection& selection) override {
    std::lock_guard lock(mutex_);
    auto before = letters_.size();
    std::erase_if(letters_, [&](const DeadLetter& letter) {
      bool named = std::ranges::find(selection.ids, letter.id) != selection.ids.end();
      bool matches = (selection.table.empty() || letter.table == selection.table) &&
                     (selection.reason.empty() || letter.reason == selection.reason);
      return selection.ids.empty() ? matches : named;
    });
    return static_cast<std::int64_t>(before - letters_.size());
  }

 private:
  /// As the page of a table asks for them.
  static Rows contract_rules(std::string_view query) {
    Rows rules;
    for (const char* name :
         {"name", "measured", "value", "must", "unit", "state", "severity", "error", "judged_ms"})
      rules.columns.push_back({name, "STRING", ""});
    const auto add = [&](const char* name, const char* measured, double value, const char* must,
                         const char* unit, const char* state) {
      Row row;
      for (const char* text : {name, measured, "", must, unit, state, "error", ""})
        row.push_back({std::string(text)});
      row[2] = {value};
      row.push_back({std::int64_t{1'700'000'000'000}});
      rules.rows.push_back(std::move(row));
    };
    if (query.find("'users'") == query.npos) return rules;
    add("id_unique", "values of `id` that occur more than once", 0, "mustBe: 0", "", "holds");
    add("nameless", "percent of rows that break `name` IS NOT NULL", 2.5, "mustBeLessThan: 1",
        "percent", "broken");
    return rules;
  }

  double age() const { return std::chrono::duration<double>(Clock::now() - start_).count() + 754; }
  std::int64_t records() const { return static_cast<std::int64_t>(age() * 1000); }
  double wave(double phase) const {
    return 1000 + 140 * std::sin(age() / 3 + phase) + 60 * std::sin(age() * 2.1);
  }

  Hop hop(std::string id, HopKind kind, std::int64_t less, double phase, std::string detail) const {
    auto title = id.substr(id.find('.') + 1);
    Hop out;
    out.id = std::move(id);
    out.title = std::move(title);
    out.kind = kind;
    out.state = HopState::kOk;
    out.count = std::max<std::int64_t>(0, records() - less);
    out.rate_per_s = wave(phase);
    out.bytes = out.count * 1040;
    out.detail = std::move(detail);
    return out;
  }

  std::vector<Hop> flow() const {
    auto rejected =
        hop("rejected.users_created", HopKind::kRejected, records() - 28, 0, "dead letters");
    rejected.rate_per_s = 0.2;
    rejected.rejected = 28;
    rejected.reasons = {{"decode", 12}, {"expectation valid_age", 11}, {"late", 5}};
    auto silver = hop("silver.users", HopKind::kSilver, 40, 1.5, "materialized view");
    silver.lag_records = 28;
    silver.lag_s = 0.028;
    auto countries = hop("gold.users_by_country", HopKind::kGold, records() - 42, 1.8, "42 groups");
    auto minutes =
        hop("gold.signups_per_minute", HopKind::kGold, records() - 960, 2, "window 1 minute");
    minutes.state = HopState::kWaiting;
    minutes.why =
        "The first window closes 1 minute after its last record: the watermark is at 12:31:40.";
    minutes.count = 0;
    minutes.rate_per_s = 0;
    return {hop("fetched.fake_users", HopKind::kFetched, 0, 0, "generator, 1,000 records/s"),
            hop("appended.users_created", HopKind::kAppended, 0, 0.3, "topic, 4 partitions"),
            hop("decoded.users_created", HopKind::kDecoded, 12, 0.6, "JSON"),
            rejected,
            hop("bronze.users_raw", HopKind::kBronze, 12, 1, "streaming table"),
            silver,
            countries,
            minutes,
            hop("lake.delta", HopKind::kLake, 90, 2.2, "version 126, 5 tables"),
            hop("served.created_users", HopKind::kServed, 40, 2.4, "by id")};
  }

  static void empty_from(Status& out, std::size_t first, HopState state) {
    for (std::size_t i = first; i < out.hops.size(); ++i) {
      auto& hop = out.hops[i];
      hop.count = hop.bytes = hop.rejected = hop.lag_records = 0;
      hop.rate_per_s = hop.lag_s = 0;
      hop.reasons.clear();
      hop.state = state;
      hop.why = i == first ? "" : "Nothing has come from the hop before.";
    }
  }

  static void break_flow(Status& out) {
    out.first_empty_hop =
        "fetched is empty: connection refused by 127.0.0.1:8088 (http://127.0.0.1:8088/api); "
        "trying again in 8 s. Start that server or change ingest.url in tailrace.yml.";
    out.ready = false;
    empty_from(out, 0, HopState::kWaiting);
    out.hops[0].state = HopState::kEmpty;
    out.hops[0].detail = "http://127.0.0.1:8088/api every 5 s";
    out.hops[0].why = "Connection refused by 127.0.0.1:8088; trying again in 8 s.";
    out.hops[0].last_error = "connection refused by 127.0.0.1:8088";
    out.hops[0].last_error_ms = 1795236300000;
  }

  static void stop_silver(Status& out) {
    out.first_empty_hop =
        "silver users stopped: expectation has_id (ON VIOLATION FAIL UPDATE) is broken by "
        "users_created-2@18233: id is null. Fix the source or the rule, then redrive.";
    auto& silver = out.hops[5];
    silver.state = HopState::kError;
    silver.rate_per_s = 0;
    silver.lag_records = 15210;
    silver.lag_s = 15.2;
    silver.last_error = "expectation has_id failed at users_created-2@18233: id is null";
    silver.last_error_ms = 1795236300000;
  }

  bool known(std::string_view name) {
    auto all = tables();
    return std::ranges::any_of(all, [&](const auto& info) { return info.name == name; });
  }

  static TableInfo table(std::string name, std::string layer, std::string kind, std::int64_t rows,
                         std::vector<Column> columns, std::vector<std::string> key) {
    TableInfo out;
    out.served = !key.empty();
    out.name = std::move(name);
    out.layer = std::move(layer);
    out.kind = std::move(kind);
    out.rows = rows;
    out.bytes = rows * 240;
    out.columns = std::move(columns);
    out.key = std::move(key);
    if (out.name == "users") {
      out.comment = "One row a user, cleaned and typed";
      out.expectations = {{"valid_age", "age BETWEEN 0 AND 120", "drop", rows, 11},
                          {"known_country", "country IS NOT NULL", "warn", rows - 3, 3},
                          {"has_id", "id IS NOT NULL", "fail", rows, 0}};
    }
    return out;
  }

  static Rows users(int first, int last) {
    static constexpr const char* kFirst[] = {"Ada", "Björn", "Chiara", "Deniz", "Emeka", "Farah"};
    static constexpr const char* kLast[] = {"Okafor", "Lindqvist", "Rossi", "Yılmaz", "Haddad"};
    static constexpr const char* kCountry[] = {"Sweden", "Italy", "Türkiye", "Nigeria"};
    Rows out;
    out.columns = {{"id", "STRING", ""},        {"first_name", "STRING", ""},
                   {"last_name", "STRING", ""}, {"country", "STRING", ""},
                   {"age", "INT", ""},          {"registered_date", "TIMESTAMP", ""},
                   {"picture", "STRING", ""}};
    for (std::int64_t i = first; i < last; ++i) {
      Value picture;
      if (i % 5) picture = {fmt::format("https://example.test/portraits/{}.jpg", i)};
      out.rows.push_back({{fmt::format("u{:04}", i)},
                          {std::string(kFirst[i % 6])},
                          {std::string(kLast[i % 5])},
                          {std::string(kCountry[i % 4])},
                          {18 + i * 7 % 60},
                          {fmt::format("2026-11-{:02} 12:{:02}:09", 1 + i % 28, i % 60)},
                          picture});
    }
    return out;
  }

  static std::vector<DeadLetter> make_letters(bool some) {
    std::vector<DeadLetter> out;
    for (int i = 0; some && i < 28; ++i) {
      bool decode = i % 3 == 0;
      bool late = i % 7 == 1;
      out.push_back(
          {.id = std::to_string(i),
           .origin = fmt::format("users_created-{}@{}", i % 4, 18200 + i * 37),
           .table = decode ? "users_raw" : "users",
           .reason = decode ? "decode"
                     : late ? "late"
                            : "expectation valid_age",
           .message = decode ? "not valid JSON: unexpected end at byte 61"
                             : "age BETWEEN 0 AND 120 is false: age = 203",
           .bytes =
               decode
                   ? std::string(
                         "{\"gender\":\"female\",\"name\":{\"title\":\"Ms\",\"first\":\"Ad\xff\x01")
                   : R"({"gender":"male","name":{"first":"Emeka"},"dob":{"age":203}})",
           .time_ms = 1795236300000 - i * 61'000LL});
    }
    return out;
  }

  std::string scene_;
  MadeUpLog log_;
  MadeUpOperations operations_;
  MadeUpSchemas schemas_;
  Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::vector<DeadLetter> letters_ = make_letters(scene_ != "bare" && scene_ != "empty");
};

Result<DeadLetterPage> DemoBackend::dead_letters(const DeadLetterFilter& filter) {
  std::lock_guard lock(mutex_);
  DeadLetterPage page;
  std::size_t skip =
      filter.after.empty() ? 0 : static_cast<std::size_t>(std::atoi(filter.after.c_str()));
  for (const auto& letter : letters_) {
    if (!filter.table.empty() && letter.table != filter.table) continue;
    if (!filter.reason.empty() && letter.reason != filter.reason) continue;
    auto at = static_cast<std::size_t>(page.total++);
    auto limit = static_cast<std::size_t>(filter.limit);
    if (at >= skip && page.letters.size() < limit) page.letters.push_back(letter);
    if (at == skip + limit) page.next = std::to_string(at);
  }
  return page;
}

}  // namespace
}  // namespace tailrace::console

int main(int argc, char** argv) {
  using namespace tailrace::console;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  DemoBackend backend(argc > 2 ? argv[2] : "filled");
  ConsoleConfig config;
  config.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  auto console = Console::start(config, backend);
  if (!console) {
    fmt::print(stderr, "{}\n", console.error().what);
    return 1;
  }
  fmt::print("{}\n", (*console)->url());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}
