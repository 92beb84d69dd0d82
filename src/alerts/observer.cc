#include "alerts/observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "yaml/file.h"

namespace tailrace::alerts {
namespace {

std::unique_ptr<Watch> make_watch(const RuleSpec& rule, Sight& sight, const std::string& project,
                                  const std::string& note) {
  switch (rule.kind) {
    case RuleKind::kEmpty:
    case RuleKind::kError:
    case RuleKind::kLag:
      return make_hop_watch(rule, project, note);
    case RuleKind::kExpectation:
      return make_expectation_watch(rule, sight, project);
    case RuleKind::kContract:
      return make_contract_watch(rule, sight, project);
    case RuleKind::kQuery:
      return make_query_watch(rule, sight, project);
    case RuleKind::kRunFailed:
    case RuleKind::kRunLate:
    case RuleKind::kRunSucceeded:
      return make_run_watch(rule, sight, project, note);
    case RuleKind::kRate:
    case RuleKind::kValue:
      return make_anomaly_watch(rule, sight, project, note);
  }
  return nullptr;
}

}  // namespace

bool fits_glob(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  name.remove_prefix(star);
  for (std::size_t from = 0; from <= name.size(); ++from)
    if (fits_glob(pattern, name.substr(from))) return true;
  return false;
}

Observer::Observer(const Settings& settings, const std::function<bool(const RuleSpec&)>& wanted,
                   Sight& sight, const std::string& project,
                   const std::function<std::string(const std::string& rule)>& note)
    : sight_(sight) {
  for (const RuleSpec& rule : settings.rules) {
    if (!wanted(rule)) continue;
    auto watch = make_watch(rule, sight, project, note(rule.name));
    wants_hops_ = wants_hops_ || watch->wants_hops();
    watches_.emplace_back(&rule, std::move(watch));
  }
}

std::vector<Said> Observer::look(Ms now) {
  std::vector<Said> said;
  const auto hops = wants_hops_ ? sight_.hops() : std::vector<pipeline::Hop>();
  trouble_.clear();
  for (auto& [rule, watch] : watches_)
    if (auto looked = watch->look(now, hops, said); !looked)
      trouble_[rule->name] = looked.error().what;
  return said;
}

Status check_subjects(const Settings& settings, Sight& sight) {
  std::vector<std::string> hops, expectations;
  for (const pipeline::Hop& hop : sight.hops()) hops.push_back(hop.id);
  for (const ExpectationCount& one : sight.expectations())
    expectations.push_back(one.table + "." + one.name);
  std::vector<std::string> rules;
  for (const ContractRuleSeen& one : sight.contract_rules())
    rules.push_back(one.table + "." + one.rule);
  const std::vector<std::string> dags = sight.dags();
  for (const RuleSpec& rule : settings.rules) {
    const auto* known = &hops;
    std::string_view what = "hop";
    switch (rule.kind) {
      case RuleKind::kExpectation:
        known = &expectations;
        what = "expectation";
        break;
      case RuleKind::kContract:
        known = &rules;
        what = "rule over all rows";
        break;
      case RuleKind::kRunFailed:
      case RuleKind::kRunLate:
      case RuleKind::kRunSucceeded:
        known = &dags;
        what = "workflow";
        break;
      case RuleKind::kQuery:
      case RuleKind::kValue:
        continue;
      default:
        break;
    }
    const auto is_it = [&](const std::string& name) { return fits_glob(rule.subject, name); };
    // A pattern may fit what comes later.
    if (rule.subject.find('*') != rule.subject.npos || std::ranges::any_of(*known, is_it)) continue;
    const std::vector<std::string_view> views(known->begin(), known->end());
    const std::string near = yaml::nearest(rule.subject, views);
    return error(
        Code::kInvalidArgument,
        fmt::format("{}: there is no {} `{}`{}", rule.place, what, rule.subject,
                    !near.empty()    ? "; did you mean `" + near + "`?"
                    : known->empty() ? fmt::format("; the project has no {}s", what)
                                     : fmt::format("; there are: {}", fmt::join(*known, ", "))));
  }
  return {};
}

}  // namespace tailrace::alerts
