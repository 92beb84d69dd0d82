// References, metadata and rule sets: merged, and checked as a registration asks for it.
#include "subjects/entities.h"

#include <algorithm>

namespace tailrace::subjects {
namespace {

template <typename Map>
Map merged_maps(const Map& first, const Map& second) {
  Map out = second;
  out.insert(first.begin(), first.end());  // what is there already stays
  return out;
}

std::vector<Rule> merged_rules(const std::vector<Rule>& first, const std::vector<Rule>& second) {
  std::vector<Rule> out;
  for (const Rule& rule : first) {
    if (std::ranges::none_of(second, [&](const Rule& s) { return s.name == rule.name; }))
      out.push_back(rule);
  }
  out.insert(out.end(), second.begin(), second.end());
  return out;
}

constexpr std::size_t kMaxRuleName = 256;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

std::string wrong_name(const std::optional<std::string>& name) {
  if (!name) return "Missing rule name";
  if (name->empty()) return "Empty rule name";
  if (name->size() > kMaxRuleName) return "Rule name too long";
  if (!is_letter(name->front()) && name->front() != '_')
    return "Illegal initial character in rule name: " + *name;
  const bool bad = std::ranges::any_of(*name, [](char c) {
    return !is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-';
  });
  return bad ? "Illegal character in rule name: " + *name : "";
}

bool migrates(const Rule& rule) {
  return rule.mode == "UPGRADE" || rule.mode == "DOWNGRADE" || rule.mode == "UPDOWN";
}

std::string wrong_rule(const Rule& rule) {
  if (std::string wrong = wrong_name(rule.name); !wrong.empty()) return wrong;
  if (!rule.type) return "Missing rule type";
  const bool both_ways = rule.mode == "WRITEREAD" || rule.mode == "UPDOWN";
  for (const auto& action : {rule.on_success, rule.on_failure}) {
    if (action && !both_ways && action->contains(','))
      return "Multiple actions only valid with WRITEREAD and UPDOWN";
  }
  return "";
}

std::string wrong_rules(const std::vector<Rule>& rules, bool migration, std::string_view modes,
                        std::set<std::string>& names) {
  for (const Rule& rule : rules) {
    if (rule.name && !names.insert(*rule.name).second)
      return "Found rule with duplicate name '" + *rule.name + "'";
    if (std::string wrong = wrong_rule(rule); !wrong.empty()) return wrong;
    if (migrates(rule) != migration) return std::string(modes);
  }
  return "";
}

}  // namespace

std::optional<Metadata> merged(const std::optional<Metadata>& first,
                               const std::optional<Metadata>& second) {
  if (!first || !second) return first ? first : second;
  return Metadata{merged_maps(first->tags, second->tags),
                  merged_maps(first->properties, second->properties),
                  merged_maps(first->sensitive, second->sensitive)};
}

std::optional<RuleSet> merged(const std::optional<RuleSet>& first,
                              const std::optional<RuleSet>& second) {
  if (!first || !second) return first ? first : second;
  return RuleSet{merged_rules(first->migration, second->migration),
                 merged_rules(first->domain, second->domain),
                 merged_rules(first->encoding, second->encoding),
                 second->enable_at ? second->enable_at : first->enable_at};
}

std::string what_is_wrong(const RuleSet& rules) {
  std::set<std::string> names;
  std::string wrong = wrong_rules(rules.migration, true,
                                  "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN", names);
  if (wrong.empty())
    wrong =
        wrong_rules(rules.domain, false, "Domain rules can only be WRITE, READ, WRITEREAD", names);
  if (wrong.empty())
    wrong = wrong_rules(rules.encoding, false, "Encoding rules can only be WRITE, READ, WRITEREAD",
                        names);
  return wrong;
}

}  // namespace tailrace::subjects
