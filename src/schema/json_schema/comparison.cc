#include "schema/json_schema/comparison.h"

#include <algorithm>
#include <functional>

namespace tailrace::schema::json_schema {
namespace {

constexpr std::size_t kMaxDepth = 1000;
// A pair's comparison is as much work as compiling some instructions of a pattern, or running many.
constexpr std::size_t kInstructionsRun = 64;

// Only the reference itself: one that stands for another is compared as a reference.
const Node& referred(const Node& node) {
  return node.kind == Kind::kReference && node.inner() ? *node.inner() : node;
}

bool takes_all(const Node& node) {
  return node.kind == Kind::kEmpty || node.kind == Kind::kTrue;
}

void add(Found& into, std::string place, const char* type) {
  into.steps.push_back({std::move(place), type, nullptr});
}

bool are_bytes(const Node& node) {
  return node.extras && node.extras->connect_type && *node.extras->connect_type == "bytes";
}

template <typename Set>
bool contains_all(const Set& all, const Set& some) {
  return std::ranges::includes(all, some);
}

// The parts that are not alike.
std::vector<const Node*> distinct(const std::vector<const Node*>& parts) {
  std::vector<const Node*> made;
  std::unordered_set<std::uint64_t> prints;
  for (const Node* part : parts)
    if (prints.insert(part->print).second) made.push_back(part);
  return made;
}

// Whether every node of the smaller side of a graph can have one of the other to itself.
class Matching {
 public:
  Matching(const std::vector<std::vector<std::size_t>>& edges, std::size_t others,
           std::size_t& work)
      : edges_(edges), taken_(others, kNone), work_(work) {}

  std::size_t size(std::size_t max_work) {
    std::size_t made = 0;
    for (std::size_t i = 0; i < edges_.size() && work_ <= max_work; ++i) {
      seen_.assign(taken_.size(), false);
      if (place(i, 0)) ++made;
    }
    return made;
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  bool place(std::size_t node, std::size_t depth) {
    for (const std::size_t other : edges_[node]) {
      ++work_;
      if (seen_[other]) continue;
      seen_[other] = true;
      if (taken_[other] == kNone || (depth < kMaxDepth && place(taken_[other], depth + 1))) {
        taken_[other] = node;
        return true;
      }
    }
    return false;
  }

  const std::vector<std::vector<std::size_t>>& edges_;
  std::vector<std::size_t> taken_;
  std::vector<bool> seen_;
  std::size_t& work_;
};

}  // namespace

const Found* Comparison::run(const Node& writer, const Node& reader) {
  while (true) {
    results_.clear();
    assumed_ = false;
    const Found* whole = pair(referred(writer), referred(reader));
    if (given_up()) return nullptr;
    std::erase_if(results_, [](const auto& one) { return one.second->compatible(); });
    const bool same =
        results_.size() == last_.size() &&
        std::ranges::all_of(results_, [&](const auto& one) { return last_.contains(one.first); });
    if (!assumed_ || same) return whole;
    last_ = std::move(results_);
  }
}

void Comparison::compare(Found& into, const std::string& place, const Node* writer,
                         const Node* reader) {
  if (!reader) return;
  if (!writer) return add(into, place, "SCHEMA_ADDED");
  const Found* found = pair(referred(*writer), referred(*reader));
  if (!found->compatible()) into.steps.push_back({place, nullptr, found});
}

bool Comparison::compatible(const Node& writer, const Node& reader) {
  return pair(referred(writer), referred(reader))->compatible();
}

const Found* Comparison::pair(const Node& writer, const Node& reader) {
  static const Found kNothing;
  const Pair key{&writer, &reader};
  if (++work_ > kMaxWork) return &kNothing;
  if (const auto known = results_.find(key); known != results_.end()) return known->second;
  if (open_.contains(key)) {
    if (const auto before = last_.find(key); before != last_.end()) return before->second;
    assumed_ = true;
    return &kNothing;
  }
  if (depth_ >= kMaxDepth) {
    work_ = kMaxWork + 1;
    return &kNothing;
  }
  open_.insert(key);
  ++depth_;
  const Found* found = compared(writer, reader);
  --depth_;
  open_.erase(key);
  results_[key] = found;
  return found;
}

const Found* Comparison::compared(const Node& writer, const Node& reader) {
  Found found;
  types(found, writer, reader);
  static const Found kNothing;
  if (found.compatible()) return &kNothing;
  return &found_.emplace_back(std::move(found));
}

bool Comparison::matches_one_of(const Node& writer, const Node& reader) {
  if (writer.kind != Kind::kCombined) {
    const auto& rules = reader.as<CombinedRules>();
    if (rules.parts.size() != 1 && rules.criterion == Criterion::kAll) return false;
    return std::ranges::any_of(rules.parts,
                               [&](const Node* part) { return compatible(writer, *part); });
  }
  const auto& rules = writer.as<CombinedRules>();
  if (rules.parts.size() != 1 && rules.criterion != Criterion::kAll) return false;
  return std::ranges::any_of(rules.parts,
                             [&](const Node* part) { return compatible(*part, reader); });
}

void Comparison::types(Found& into, const Node& writer, const Node& reader) {
  const bool one_combines = (writer.kind == Kind::kCombined) != (reader.kind == Kind::kCombined);
  if (one_combines && matches_one_of(writer, reader)) return;
  if (writer.kind == reader.kind) return same_kind(into, writer, reader);
  if (writer.kind == Kind::kFalse || takes_all(reader)) return;
  if (are_bytes(writer) && are_bytes(reader)) return;
  add(into, "", "TYPE_CHANGED");
}

void Comparison::same_kind(Found& into, const Node& writer, const Node& reader) {
  switch (writer.kind) {
    case Kind::kString:
      return compare_strings(into, writer.as<StringRules>(), reader.as<StringRules>());
    case Kind::kNumber:
      return compare_numbers(into, writer.as<NumberRules>(), reader.as<NumberRules>());
    case Kind::kConst:
    case Kind::kEnum:
      return compare_values(into, writer, reader);
    case Kind::kCombined:
      return combined(into, writer, reader);
    case Kind::kNot:
      // What is not to be may only become less: the two change places.
      if (!compatible(*reader.inner(), *writer.inner())) add(into, "not", "NOT_TYPE_EXTENDED");
      return;
    case Kind::kObject:
      return objects(into, writer, reader);
    case Kind::kArray:
      return arrays(into, writer, reader);
    default:
      return;
  }
}

void Comparison::combined(Found& into, const Node& writer, const Node& reader) {
  const auto& one = writer.as<CombinedRules>();
  const auto& other = reader.as<CombinedRules>();
  const bool one_single = one.parts.size() == 1;
  const bool other_single = other.parts.size() == 1;
  if (one.criterion != other.criterion && other.criterion != Criterion::kAny &&
      !(one_single && other_single) && !(one_single && other.criterion == Criterion::kOne) &&
      !(other_single && one.criterion == Criterion::kAll))
    return add(into, "", "COMBINED_TYPE_CHANGED");
  const auto writers = distinct(one.parts);
  const auto readers = distinct(other.parts);
  if (writers.size() < readers.size() && other.criterion == Criterion::kAll)
    add(into, "", "PRODUCT_TYPE_EXTENDED");
  if (writers.size() > readers.size() && one.criterion != Criterion::kAll)
    add(into, "", "SUM_TYPE_NARROWED");
  std::vector<std::vector<std::size_t>> edges(writers.size());
  for (std::size_t i = 0; i < writers.size() && !given_up(); ++i)
    for (std::size_t k = 0; k < readers.size() && !given_up(); ++k)
      if (compatible(*writers[i], *readers[k])) edges[i].push_back(k);
  const std::size_t matched = Matching(edges, readers.size(), work_).size(kMaxWork);
  if (matched < std::min(writers.size(), readers.size()))
    add(into, "", "COMBINED_TYPE_SUBSCHEMAS_CHANGED");
}

namespace {

bool is_open(const Node& node) {
  const Node* rest = node.extras ? node.extras->unevaluated_properties : nullptr;
  const auto& rules = node.as<ObjectRules>();
  return rules.open && !rules.additional && rules.patterns.empty() && (!rest || takes_all(*rest));
}

bool has_open_items(const Node& node) {
  const Node* rest = node.extras ? node.extras->unevaluated_items : nullptr;
  const auto& rules = node.as<ArrayRules>();
  return rules.open && !rules.additional && (!rest || takes_all(*rest));
}

// What may be where nothing else is said, when that is neither all nor nothing.
const Node* partly(bool open, const Node* additional, const Node* rest) {
  if (additional) return additional;
  return open && rest && rest->kind != Kind::kFalse && !takes_all(*rest) ? rest : nullptr;
}

void limits(Found& into, const char* place, const std::optional<std::int64_t>& writer,
            const std::optional<std::int64_t>& reader, const char* added, const char* changed,
            bool more_is_less) {
  if (!reader) return;
  if (!writer)
    add(into, place, added);
  else if (more_is_less ? *reader > *writer : *reader < *writer)
    add(into, place, changed);
}

template <typename T>
std::optional<std::int64_t> extra(const Node& node, T field) {
  return node.extras ? (*node.extras).*field : std::nullopt;
}

}  // namespace

void Comparison::objects(Found& into, const Node& writer, const Node& reader) {
  const auto& one = writer.as<ObjectRules>();
  const auto& other = reader.as<ObjectRules>();
  for (const auto& [name, schema] : other.properties)
    if (one.properties.contains(name) && other.required.contains(name) &&
        !one.required.contains(name) && !schema->has_default)
      add(into, "required/" + std::string(name), "REQUIRED_ATTRIBUTE_ADDED");
  properties(into, writer, reader);
  dependencies(into, one, other);
  if (one.open != other.open) {
    if (!other.open) add(into, "additionalProperties", "ADDITIONAL_PROPERTIES_REMOVED");
  } else if (!one.additional && other.additional) {
    add(into, "additionalProperties", "ADDITIONAL_PROPERTIES_NARROWED");
  } else {
    compare(into, "additionalProperties", one.additional, other.additional);
  }
  unevaluated(into, "unevaluatedProperties", "UNEVALUATED_PROPERTIES_NARROWED",
              "UNEVALUATED_PROPERTIES_REMOVED",
              writer.extras ? writer.extras->unevaluated_properties : nullptr,
              reader.extras ? reader.extras->unevaluated_properties : nullptr);
  limits(into, "maxProperties", one.max, other.max, "MAX_PROPERTIES_ADDED",
         "MAX_PROPERTIES_DECREASED", false);
  limits(into, "minProperties", one.min, other.min, "MIN_PROPERTIES_ADDED",
         "MIN_PROPERTIES_INCREASED", true);
}

void Comparison::properties(Found& into, const Node& writer, const Node& reader) {
  const auto& one = writer.as<ObjectRules>().properties;
  const auto& other = reader.as<ObjectRules>().properties;
  for (const auto& [name, schema] : one) {
    const std::string place = "properties/" + std::string(name);
    const auto same = other.find(name);
    if (same != other.end())
      compare(into, place, schema, same->second);
    else
      removed(into, place, name, *schema, reader);
  }
  for (const auto& [name, schema] : other)
    if (!one.contains(name))
      added(into, "properties/" + std::string(name), name, *schema, writer, reader);
}

void Comparison::removed(Found& into, const std::string& place, std::string_view name,
                         const Node& schema, const Node& reader) {
  if (is_open(reader)) return;
  if (const Node* cover = covering(reader, name)) {
    compare(into, place, &schema, cover);
    if (!compatible(schema, *cover))
      add(into, place, "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
  } else if (schema.kind != Kind::kFalse) {
    add(into, place, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL");
  }
}

void Comparison::added(Found& into, const std::string& place, std::string_view name,
                       const Node& schema, const Node& writer, const Node& reader) {
  const bool required = reader.as<ObjectRules>().required.contains(name);
  if (is_open(writer)) {
    if (takes_all(schema)) return;
    return add(into, place,
               !required            ? "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
               : schema.has_default ? "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL"
                                    : "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL");
  }
  if (const Node* cover = covering(writer, name)) {
    compare(into, place, cover, &schema);
    if (!compatible(*cover, schema))
      add(into, place, "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
  }
  if (required && !schema.has_default)
    add(into, place, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL");
}

const Node* Comparison::covering(const Node& object, std::string_view name) {
  const auto& rules = object.as<ObjectRules>();
  for (const auto& [text, schema] : rules.patterns) {
    if (given_up()) return nullptr;
    auto known = patterns_.find(text);
    if (known == patterns_.end()) {
      known = patterns_.emplace(text, Pattern(*text)).first;
      work_ += known->second.cost();
    }
    work_ += 1 + known->second.cost() / kInstructionsRun;
    if (known->second.enforced() && known->second.found_in(name)) return schema;
  }
  return partly(rules.open, rules.additional,
                object.extras ? object.extras->unevaluated_properties : nullptr);
}

void Comparison::dependencies(Found& into, const ObjectRules& writer, const ObjectRules& reader) {
  for (const auto& [name, others] : reader.dependencies) {
    const std::string place = "dependencies/" + std::string(name);
    const auto before = writer.dependencies.find(name);
    if (before == writer.dependencies.end()) {
      add(into, place, "DEPENDENCY_ARRAY_ADDED");
    } else if (others != before->second) {
      if (contains_all(others, before->second))
        add(into, place, "DEPENDENCY_ARRAY_EXTENDED");
      else if (!contains_all(before->second, others))
        add(into, place, "DEPENDENCY_ARRAY_CHANGED");
    }
  }
  for (const auto& [name, schema] : reader.schema_dependencies) {
    const std::string place = "dependencies/" + std::string(name);
    const auto before = writer.schema_dependencies.find(name);
    if (before == writer.schema_dependencies.end())
      add(into, place, "DEPENDENCY_SCHEMA_ADDED");
    else
      compare(into, place, before->second, schema);
  }
}

void Comparison::arrays(Found& into, const Node& writer, const Node& reader) {
  const auto& one = writer.as<ArrayRules>();
  const auto& other = reader.as<ArrayRules>();
  compare(into, "items", one.all, other.all);
  items(into, writer, reader);
  if (one.open != other.open) {
    if (one.open) add(into, "additionalItems", "ADDITIONAL_ITEMS_REMOVED");
  } else if (!one.additional && other.additional) {
    add(into, "additionalItems", "ADDITIONAL_ITEMS_NARROWED");
  } else {
    compare(into, "additionalItems", one.additional, other.additional);
  }
  unevaluated(into, "unevaluatedItems", "UNEVALUATED_ITEMS_NARROWED", "UNEVALUATED_ITEMS_REMOVED",
              writer.extras ? writer.extras->unevaluated_items : nullptr,
              reader.extras ? reader.extras->unevaluated_items : nullptr);
  limits(into, "maxItems", one.max, other.max, "MAX_ITEMS_ADDED", "MAX_ITEMS_DECREASED", false);
  limits(into, "minItems", one.min, other.min, "MIN_ITEMS_ADDED", "MIN_ITEMS_INCREASED", true);
  if (other.unique && !one.unique) add(into, "uniqueItems", "UNIQUE_ITEMS_ADDED");
  limits(into, "maxContains", extra(writer, &Extras::max_contains),
         extra(reader, &Extras::max_contains), "MAX_CONTAINS_ADDED", "MAX_CONTAINS_DECREASED",
         false);
  limits(into, "minContains", extra(writer, &Extras::min_contains),
         extra(reader, &Extras::min_contains), "MIN_CONTAINS_ADDED", "MIN_CONTAINS_INCREASED",
         true);
}

void Comparison::items(Found& into, const Node& writer, const Node& reader) {
  const auto& one = writer.as<ArrayRules>();
  const auto& other = reader.as<ArrayRules>();
  const std::size_t both = std::min(one.items.size(), other.items.size());
  const auto place = [](std::size_t i) { return "items/" + std::to_string(i); };
  for (std::size_t i = 0; i < both; ++i) compare(into, place(i), one.items[i], other.items[i]);
  for (std::size_t i = both; i < one.items.size() && !has_open_items(reader); ++i) {
    const Node* cover = partly(other.open, other.additional,
                               reader.extras ? reader.extras->unevaluated_items : nullptr);
    if (cover) {
      compare(into, place(i), one.items[i], cover);
      if (!compatible(*one.items[i], *cover))
        add(into, place(i), "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
    } else if (one.items[i]->kind != Kind::kFalse) {
      add(into, place(i), "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL");
    }
  }
  for (std::size_t i = both; i < other.items.size(); ++i) {
    const Node* cover = partly(one.open, one.additional,
                               writer.extras ? writer.extras->unevaluated_items : nullptr);
    if (has_open_items(writer)) {
      if (!takes_all(*other.items[i])) add(into, place(i), "ITEM_ADDED_TO_OPEN_CONTENT_MODEL");
    } else if (cover) {
      compare(into, place(i), cover, other.items[i]);
      if (!compatible(*cover, *other.items[i]))
        add(into, place(i), "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
    }
  }
}

void Comparison::unevaluated(Found& into, const std::string& keyword, const char* narrowed,
                             const char* removed, const Node* writer, const Node* reader) {
  if (!reader) return;
  const bool nothing_before = writer && writer->kind == Kind::kFalse;
  const bool nothing_now = reader->kind == Kind::kFalse;
  if (nothing_now) {
    if (!nothing_before) add(into, keyword, removed);
    return;
  }
  if (nothing_before) return;
  if (!writer || (takes_all(*writer) && !takes_all(*reader))) return add(into, keyword, narrowed);
  if (takes_all(*writer) == takes_all(*reader)) compare(into, keyword, writer, reader);
}

}  // namespace tailrace::schema::json_schema
