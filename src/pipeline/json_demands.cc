#include "pipeline/json_demands.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace tailrace::pipeline {
namespace {

using engine::JsonDemand;
using namespace schema::json_schema;
using schema::Json;

// Integers that a DOUBLE has all of.
constexpr std::int64_t kExact = std::int64_t{1} << 53;
constexpr int kMaxDepth = 100;

class Compiler {
 public:
  explicit Compiler(std::deque<JsonDemand>& all) : all_(all) {}

  /// Null when there is no demand that is as strict.
  JsonDemand* of(const Rule& rule, int depth) {
    const auto [place, added] = made_.try_emplace(&rule, nullptr);
    if (!added) return place->second;
    if (depth > kMaxDepth) return nullptr;
    if (rule.combined) return keep(rule, combined(rule, depth));
    JsonDemand* const made = &all_.emplace_back();
    keep(rule, made);  // it may be in itself
    open_.insert(made);
    const bool filled = fill(rule, *made, depth);
    open_.erase(made);
    return filled ? made : nullptr;
  }

 private:
  JsonDemand* keep(const Rule& rule, JsonDemand* made) { return made_[&rule] = made; }

  bool fill(const Rule& rule, JsonDemand& to, int depth) {
    to.kinds = rule.nothing ? 0 : rule.types;
    if (to.kinds & kNumberBit) to.kinds |= engine::kJsonInteger;
    if (rule.constant || (rule.choice && !choice(*rule.choice, to))) return false;
    if (rule.number && !number(*rule.number, to)) return false;
    if (rule.string && !string(*rule.string, to)) return false;
    if (rule.array && !array(*rule.array, to, depth)) return false;
    return !rule.object || object(*rule.object, to, depth);
  }

  static bool choice(const ValueRule& rule, JsonDemand& to) {
    if (!std::ranges::all_of(rule.values, [](const Json* one) { return one->text(); }))
      return false;
    to.others_than_text = false;
    to.fits = [texts = &rule.texts](std::string_view text) { return texts->contains(text); };
    return true;
  }

  static bool bound(const Json* limit, int beyond, std::int64_t& to) {
    if (!limit) return true;
    const auto* whole = limit->integer();
    if (!whole || *whole >= kExact || *whole <= -kExact) return false;
    const std::int64_t made = *whole + beyond;
    to = to == INT64_MIN || to == INT64_MAX
             ? made
             : (beyond < 0 ? std::min(to, made) : std::max(to, made));
    return true;
  }

  static bool number(const NumberRule& rule, JsonDemand& to) {
    const bool exclusive = rule.exclusive_minimum || rule.exclusive_maximum;
    if (rule.multiple_of || (exclusive && to.kinds & engine::kJsonReal)) return false;
    return bound(rule.minimum, 0, to.minimum) && bound(rule.maximum, 0, to.maximum) &&
           bound(rule.exclusive_minimum, 1, to.minimum) &&
           bound(rule.exclusive_maximum, -1, to.maximum);
  }

  static bool string(const StringRule& rule, JsonDemand& to) {
    if (rule.format || (rule.pattern && to.fits)) return false;
    to.min_chars = rule.min;
    to.max_chars = rule.max;
    if (rule.pattern)
      to.fits = [by = rule.pattern](std::string_view text) { return by->found_in(text); };
    return true;
  }

  bool array(const ArrayRule& rule, JsonDemand& to, int depth) {
    if (rule.min > 0 || rule.max != INT64_MAX || rule.unique || !rule.prefix.empty() ||
        rule.contains || rule.unevaluated)
      return false;
    if (!rule.rest) return true;
    to.items = of(*rule.rest, depth + 1);
    return to.items != nullptr;
  }

  bool object(const ObjectRule& rule, JsonDemand& to, int depth) {
    if (rule.min > 0 || rule.max != INT64_MAX || !rule.patterns.empty() || rule.names ||
        !rule.dependent_required.empty() || !rule.dependent_schemas.empty() || rule.unevaluated ||
        rule.required.size() > 64)
      return false;
    if (rule.additional && !(to.others = of(*rule.additional, depth + 1))) return false;
    for (const Property& property : rule.properties.all()) {
      JsonDemand::Member member{to.others, 0};
      if (property.rule && !(member.value = of(*property.rule, depth + 1))) return false;
      if (property.required >= 0) member.required = std::uint64_t{1} << property.required;
      to.required |= member.required;
      to.members.insert_or_assign(property.name, member);
    }
    return true;
  }

  static bool asks_itself(const Rule& rule) {
    return rule.nothing || rule.types != kAnyType || rule.number || rule.string || rule.array ||
           rule.object || rule.constant || rule.choice;
  }
  static bool is_null(const Rule& rule) {
    return rule.types == kNullBit && !rule.nothing && !rule.constant && !rule.choice &&
           !rule.combined;
  }

  /// One `$ref`, or a value that may be null.
  JsonDemand* combined(const Rule& rule, int depth) {
    const CombinedRule& by = *rule.combined;
    const auto& either = by.any.empty() ? by.one : by.any;
    if (asks_itself(rule) || by.never || by.condition || by.dynamic || !by.all.empty() ||
        (!by.any.empty() && !by.one.empty()))
      return nullptr;
    if (by.ref) return either.empty() ? of(*by.ref, depth + 1) : nullptr;
    if (either.size() != 2) return nullptr;
    const bool first = is_null(*either[0]);
    if (!first && !is_null(*either[1])) return nullptr;
    const Rule& other = *either[first ? 1 : 0];
    const JsonDemand* value = of(other, depth + 1);
    if (!value || open_.contains(value) || value->kinds & engine::kJsonNull) return nullptr;
    JsonDemand& made = all_.emplace_back(*value);
    made.kinds |= engine::kJsonNull;
    return &made;
  }

  std::deque<JsonDemand>& all_;
  std::unordered_map<const Rule*, JsonDemand*> made_;
  std::unordered_set<const JsonDemand*> open_;  ///< not filled yet
};

}  // namespace

std::optional<JsonDemands> JsonDemands::of(const Rules& rules) {
  JsonDemands made;
  if (rules.is_dynamic()) return std::nullopt;
  made.root_ = Compiler(made.all_).of(rules.root(), 0);
  return made.root_ ? std::optional(std::move(made)) : std::nullopt;
}

}  // namespace tailrace::pipeline
