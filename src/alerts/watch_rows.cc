// Rules on rows: an expectation's failure rate, what contracts ask of tables, a query's rows.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "alerts/matcher_text.h"
#include "alerts/observer.h"
#include "alerts/season.h"
#include "net/http_message.h"

namespace tailrace::alerts {
namespace {

constexpr std::size_t kExamples = 3, kExampleBytes = 300;
/// Counts kept of a window.
constexpr Ms kSamples = 60;

std::string percent(double share) {
  return fmt::format("{:.3g} %", share * 100);
}

/// A text within a shell's double quotes.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
    out += c;
  }
  return out + "\"";
}

class ExpectationWatch final : public Watch {
 public:
  ExpectationWatch(const RuleSpec& rule, Sight& sight, std::string project)
      : rule_(rule), sight_(sight), project_(std::move(project)) {}

  Status look(Ms now, const std::vector<pipeline::Hop>&, std::vector<Said>& said) override {
    Said one{.rule = &rule_};
    for (const ExpectationCount& count : sight_.expectations()) {
      if (!fits_glob(rule_.subject, count.table + "." + count.name)) continue;
      see(count, now, one);
    }
    said.push_back(std::move(one));
    return {};
  }

 private:
  struct Sample {
    Ms at = 0;
    std::int64_t passed = 0, failed = 0;
  };

  void see(const ExpectationCount& count, Ms now, Said& one) {
    auto& samples = samples_[count.table + "." + count.name];
    const Sample present{now, count.passed, count.failed};
    // A flow that began anew, or fell back to its checkpoint, counts again.
    if (!samples.empty() &&
        (count.passed < samples.back().passed || count.failed < samples.back().failed))
      samples.clear();
    if (samples.empty() || now - samples.back().at >= rule_.window / kSamples)
      samples.push_back(present);
    while (samples.size() > 1 && samples[1].at <= now - rule_.window) samples.pop_front();
    const Sample& begin = samples.front();
    const std::int64_t failed = count.failed - begin.failed;
    const std::int64_t rows = failed + count.passed - begin.passed;
    const Labels labels = {{"table", count.table}, {"expectation", count.name}};
    // While nothing comes, nothing is known to be better.
    if (rows < std::max<std::int64_t>(1, rule_.at_least)) {
      one.unknown.push_back(labels);
      return;
    }
    const double rate = static_cast<double>(failed) / static_cast<double>(rows);
    if (rate <= rule_.limit) {
      examples_.erase(count.table + "." + count.name);
      return;
    }
    one.seen.push_back(seen(count, labels, rate, rows, begin));
  }

  Seen seen(const ExpectationCount& count, const Labels& labels, double rate, std::int64_t rows,
            const Sample& begin) {
    const std::string reason = "expectation " + count.name;
    const std::int64_t before = begin.passed + begin.failed;
    const std::string was =
        before == 0 ? "no rows before"
                    : percent(static_cast<double>(begin.failed) / static_cast<double>(before));
    Seen seen{.labels = labels,
              .value = percent(rate),
              .summary = fmt::format(
                  "{} of {} rows of {} broke `{}` within {}; the limit is {}, before it was {}",
                  percent(rate), number_text(static_cast<double>(rows)), count.table, count.name,
                  duration_text(rule_.window), percent(rule_.limit), was),
              .look = fmt::format(
                  "tailrace sql {} -c {}", project_,
                  quoted(fmt::format("SELECT origin, detail FROM system.dead_letters WHERE flow = "
                                     "'{}' AND reason = '{}'",
                                     count.table, reason))),
              .link = "#/dead-letters/" + net::percent_encode(reason)};
    seen.fields = {{"failure rate", percent(rate)},
                   {"before", was},
                   {"rows", number_text(static_cast<double>(rows))},
                   {"condition", count.condition}};
    // Asked for once, when the rate begins to be too high: reading dead letters has its price.
    auto [at, is_new] = examples_.try_emplace(count.table + "." + count.name);
    if (is_new)
      for (const std::string& line : sight_.broken(count.table, count.name, kExamples))
        at->second += line.substr(0, kExampleBytes) + "\n";
    seen.details = at->second;
    return seen;
  }

  const RuleSpec& rule_;
  Sight& sight_;
  std::string project_;
  std::map<std::string, std::deque<Sample>> samples_;
  std::map<std::string, std::string> examples_;
};

class ContractWatch final : public Watch {
 public:
  ContractWatch(const RuleSpec& rule, Sight& sight, std::string project)
      : rule_(rule), sight_(sight), project_(std::move(project)) {}

  Status look(Ms, const std::vector<pipeline::Hop>&, std::vector<Said>& said) override {
    Said one{.rule = &rule_};
    for (const ContractRuleSeen& asked : sight_.contract_rules()) {
      if (!fits_glob(rule_.subject, asked.table + "." + asked.rule)) continue;
      const Labels labels = {{"table", asked.table}, {"rule", asked.rule}};
      if (!asked.known)
        one.unknown.push_back(labels);
      else if (asked.broken)
        one.seen.push_back(seen(asked, labels));
    }
    said.push_back(std::move(one));
    return {};
  }

 private:
  Seen seen(const ContractRuleSeen& asked, const Labels& labels) const {
    Seen seen{.labels = labels,
              .value = asked.value,
              .summary = fmt::format("`{}` of {} is {}; contract {} says {}", asked.rule,
                                     asked.table, asked.value, asked.contract, asked.must),
              .look = fmt::format("tailrace sql {} -c {}", project_,
                                  quoted("SELECT * FROM system.contract_rules WHERE state = "
                                         "'broken'")),
              .link = "#/tables/" + net::percent_encode(asked.table)};
    seen.fields = {{"measured", asked.measured}, {"must", asked.must}};
    if (!asked.severity.empty())
      seen.fields.emplace_back("severity in the contract", asked.severity);
    return seen;
  }

  const RuleSpec& rule_;
  Sight& sight_;
  std::string project_;
};

class QueryWatch final : public Watch {
 public:
  QueryWatch(const RuleSpec& rule, Sight& sight, std::string project)
      : rule_(rule), sight_(sight), project_(std::move(project)) {}

  Status look(Ms now, const std::vector<pipeline::Hop>&, std::vector<Said>& said) override {
    if (now < next_) return trouble_;
    next_ = now + rule_.every;
    const auto rows = sight_.query(rule_.subject, kMostOfRule);
    // What could not be asked is neither so nor over.
    trouble_ = rows ? Status() : std::unexpected(rows.error());
    if (!rows) return trouble_;
    Said one{.rule = &rule_};
    for (const auto& row : rows->rows) one.seen.push_back(seen(*rows, row));
    said.push_back(std::move(one));
    if (rows->truncated)
      trouble_ = error(Code::kResourceExhausted,
                       fmt::format("more than {} rows: the rest are not looked at", kMostOfRule));
    return trouble_;
  }

 private:
  bool is_label_column(const QueryRows::Column& column) const {
    if (rule_.labels_of_rows.empty()) return !column.is_number;
    return std::ranges::find(rule_.labels_of_rows, column.name) != rule_.labels_of_rows.end();
  }

  Seen seen(const QueryRows& rows, const std::vector<std::string>& row) const {
    Seen seen;
    std::string all;
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      const QueryRows::Column& column = rows.columns[i];
      if (is_label_column(column)) {
        seen.labels[as_label(column.name)] = row[i];
      } else {
        if (seen.value.empty()) seen.value = row[i];
        seen.fields.emplace_back(column.name, row[i]);
      }
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", column.name, row[i]);
    }
    if (seen.value.empty()) seen.value = "a row";
    seen.summary = all;
    seen.look = fmt::format("tailrace sql {} -c {}", project_, quoted(rule_.subject));
    seen.link = "#/sql";
    return seen;
  }

  const RuleSpec& rule_;
  Sight& sight_;
  std::string project_;
  Ms next_ = 0;
  Status trouble_;
};

}  // namespace

std::unique_ptr<Watch> make_expectation_watch(const RuleSpec& rule, Sight& sight,
                                              const std::string& project) {
  return std::make_unique<ExpectationWatch>(rule, sight, project);
}

std::unique_ptr<Watch> make_contract_watch(const RuleSpec& rule, Sight& sight,
                                           const std::string& project) {
  return std::make_unique<ContractWatch>(rule, sight, project);
}

std::unique_ptr<Watch> make_query_watch(const RuleSpec& rule, Sight& sight,
                                        const std::string& project) {
  return std::make_unique<QueryWatch>(rule, sight, project);
}

}  // namespace tailrace::alerts
