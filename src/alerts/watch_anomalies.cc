// Rules on anomalies: a hop's rate, or a query's number, against what it usually is at this time.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "alerts/observer.h"
#include "alerts/season.h"
#include "base/log.h"

namespace tailrace::alerts {
namespace {

class AnomalyWatch final : public Watch {
 public:
  AnomalyWatch(const RuleSpec& rule, Sight& sight, std::string project, const std::string& note)
      : rule_(rule), sight_(sight), project_(std::move(project)), model_(rule.season, rule.zone) {
    if (note.empty()) return;
    auto kept = SeasonModel::parse(rule.season, note, rule.zone);
    if (kept) {
      model_ = std::move(*kept);
    } else {
      LOG_OF(warn, log_of("rule", rule.name), "alerts: {} learns anew: {}", rule.name,
             kept.error().what);
    }
  }

  bool wants_hops() const override { return rule_.kind == RuleKind::kRate; }

  Status look(Ms now, const std::vector<pipeline::Hop>& hops, std::vector<Said>& said) override {
    if (rule_.kind == RuleKind::kValue) return value(now, said);
    // Buckets begin at whole multiples of `every`; the first one is not whole.
    const Ms bucket = now / rule_.every;
    const std::int64_t count = records(hops);
    if (bucket == bucket_) return {};
    const bool whole = bucket == bucket_ + 1 && whole_ && count >= count_;
    const auto more = static_cast<double>(count - count_);
    whole_ = bucket_ != 0;
    bucket_ = bucket;
    count_ = count;
    if (!whole) return {};
    const double per_minute = 60'000.0 / static_cast<double>(rule_.every);
    // Counts of what comes at random are spread by their root.
    judge(more * per_minute, now - rule_.every, std::sqrt(std::max(more, 1.0)) * per_minute, "/min",
          said);
    return {};
  }

 private:
  std::int64_t records(const std::vector<pipeline::Hop>& hops) const {
    std::int64_t count = 0;
    for (const pipeline::Hop& hop : hops)
      if (fits_glob(rule_.subject, hop.id)) count += hop.count;
    return count;
  }

  Status value(Ms now, std::vector<Said>& said) {
    if (now < next_) return trouble_;
    next_ = now + rule_.every;
    trouble_ = ask(now, said);
    return trouble_;
  }

  Status ask(Ms now, std::vector<Said>& said) {
    ASSIGN(const QueryRows rows, sight_.query(rule_.subject, 2));
    for (std::size_t i = 0; i < rows.columns.size() && !rows.rows.empty(); ++i) {
      if (!rows.columns[i].is_number) continue;
      const std::string& text = rows.rows[0][i];
      double number = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (code != std::errc() || !std::isfinite(number)) break;
      judge(number, now, 0, "", said);
      return {};
    }
    return error(Code::kFailedPrecondition, "the query gives no number: its first row is asked");
  }

  void judge(double value, Ms at, double floor, std::string_view unit, std::vector<Said>& said) {
    const SeasonModel::Verdict verdict = model_.add(value, at, rule_.limit, floor);
    Said one{.rule = &rule_};
    one.note = model_.json();
    if (verdict.anomaly) {
      const bool rate = rule_.kind == RuleKind::kRate;
      Seen seen{
          .labels = {{rate ? "hop" : "query", rule_.subject}},
          .value = number_text(value) + std::string(unit),
          .summary = fmt::format("{}: {}, {} deviations off", rate ? rule_.subject : rule_.name,
                                 verdict_text(verdict, value, unit),
                                 number_text(std::min(verdict.deviations, 999.0))),
          .look = rate ? "tailrace status " + project_
                       : fmt::format("tailrace sql {} -c '{}'", project_, rule_.subject),
          .link = rate ? "#/" : "#/sql"};
      seen.fields = {{"expected", fmt::format("{} ±{}{}", number_text(verdict.expected),
                                              number_text(verdict.spread), unit)},
                     {"season", verdict.of},
                     {"learnt from", fmt::format("{} values", verdict.learnt)}};
      one.seen.push_back(std::move(seen));
    }
    said.push_back(std::move(one));
  }

  const RuleSpec& rule_;
  Sight& sight_;
  std::string project_;
  SeasonModel model_;
  Ms bucket_ = 0, next_ = 0;
  std::int64_t count_ = 0;
  bool whole_ = false;
  Status trouble_;
};

}  // namespace

std::unique_ptr<Watch> make_anomaly_watch(const RuleSpec& rule, Sight& sight,
                                          const std::string& project, const std::string& note) {
  return std::make_unique<AnomalyWatch>(rule, sight, project, note);
}

}  // namespace tailrace::alerts
