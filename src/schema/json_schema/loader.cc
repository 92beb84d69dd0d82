#include "schema/json_schema/loader.h"

#include <algorithm>
#include <cmath>

#include "schema/json_schema/pattern.h"

namespace tailrace::schema::json_schema {

namespace {

// Values beyond these are not looked at: a text in which many `$ref` lead into one another's values
// has more of them than its size.
constexpr std::size_t kMaxPrinted = 5'000'000;
constexpr std::size_t kItemsANode = 8;

}  // namespace

std::uint64_t Loader::print_of(std::uint64_t seed, std::uint64_t more) {
  std::uint64_t mixed = (seed ^ (more + 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL;
  mixed ^= mixed >> 31;
  return mixed * 0x94D049BB133111EBULL + seed;
}

std::uint64_t Loader::print_of(std::uint64_t seed, std::string_view text) {
  return print_of(seed, std::uint64_t{std::hash<std::string_view>()(text)});
}

std::uint64_t Loader::print_value(std::uint64_t seed, const Json& value) {
  if (++printed_ > kMaxPrinted) return seed;
  if (const auto* text = value.text()) return print_of(seed + 1, *text);
  if (const auto* items = value.array()) {
    std::uint64_t made = seed + 2;
    for (const auto& item : *items) made = print_value(made, item);
    return print_of(seed, made);
  }
  if (const auto* members = value.object()) {
    std::uint64_t sum = 3;
    for (const auto& [name, one] : *members)
      sum += print_value(print_of(std::uint64_t{4}, name), one);
    return print_of(seed, sum);
  }
  std::string text;
  append_json(text, value);
  return print_of(seed + 5, text);
}

void Loader::print_parts(Node& node) {
  const auto& rules = node.as<CombinedRules>();
  node.print = print_of(node.print, static_cast<std::uint64_t>(rules.criterion));
  for (const Node* part : rules.parts) node.print = print_of(node.print, part->print);
}

Extras& Loader::extras(Node& node) {
  if (!node.extras) node.extras = std::make_unique<Extras>();
  return *node.extras;
}

Status Loader::run() {
  ASSIGN(const Spot start, documents_.enter(documents_.start(), documents_.root().root));
  ASSIGN(model_.root_, load(start));
  while (!pending_.empty()) {
    const auto [node, target] = pending_.back();
    pending_.pop_back();
    Node*& loaded = targets_[target.value];
    if (!loaded) {
      auto made = load(target);
      if (!made) return std::unexpected(made.error());
      targets_[target.value] = *made;
      std::get<Inner>(node->rules).node = *made;
    } else {
      std::get<Inner>(node->rules).node = loaded;
    }
  }
  return {};
}

Status Loader::charge(std::size_t items) {
  charged_ += items / kItemsANode;
  if (model_.nodes_.size() + charged_ < kMaxNodes) return {};
  return error(Code::kInvalidArgument, "the schema comes to more than " +
                                           std::to_string(kMaxNodes) + " schemas in one another");
}

Result<Node*> Loader::make(Kind kind) {
  TRY(charge(0));
  Node& node = model_.nodes_.emplace_back();
  node.kind = kind;
  node.print = print_of(std::uint64_t{0}, static_cast<std::uint64_t>(kind));
  switch (kind) {
    case Kind::kArray:
      node.rules = std::make_unique<ArrayRules>();
      break;
    case Kind::kCombined:
      node.rules = std::make_unique<CombinedRules>();
      break;
    case Kind::kConst:
    case Kind::kEnum:
      node.rules = std::make_unique<Values>();
      break;
    case Kind::kNot:
    case Kind::kReference:
      node.rules = Inner{};
      break;
    case Kind::kNumber:
      node.rules = std::make_unique<NumberRules>();
      break;
    case Kind::kObject:
      node.rules = std::make_unique<ObjectRules>();
      break;
    case Kind::kString:
      node.rules = std::make_unique<StringRules>();
      break;
    default:
      break;
  }
  return &node;
}

Result<Node*> Loader::child(const Spot& above, const Json& value) {
  ASSIGN(const Spot at, documents_.enter(above, value));
  return load(at);
}

Result<Node*> Loader::reference(const Spot& at, std::string_view target) {
  ASSIGN(const Spot found, documents_.resolve(at, target));
  if (!found.value->object() && !found.value->boolean())
    return error(Code::kInvalidArgument,
                 "$ref '" + std::string(target) + "' stands for what is no schema");
  ASSIGN(Node * node, make(Kind::kReference));
  node->print = print_of(node->print, target);
  pending_.emplace_back(node, found);
  return node;
}

std::unexpected<Error> Loader::wrong(std::string_view keyword, std::string_view wanted) {
  return error(Code::kInvalidArgument,
               "'" + std::string(keyword) + "' is not " + std::string(wanted));
}

Result<const std::string*> Loader::text_of(const JsonMember& keyword) {
  if (const auto* text = keyword.value.text()) return text;
  return wrong(keyword.name, "a string");
}

Result<bool> Loader::boolean_of(const JsonMember& keyword) {
  if (const auto* yes = keyword.value.boolean()) return *yes;
  return wrong(keyword.name, "true or false");
}

Result<const Json*> Loader::number_of(const JsonMember& keyword) {
  if (keyword.value.is_number()) return &keyword.value;
  return wrong(keyword.name, "a number");
}

Result<const JsonArray*> Loader::array_of(const JsonMember& keyword) {
  if (const auto* items = keyword.value.array()) return items;
  return wrong(keyword.name, "an array");
}

Result<const JsonObject*> Loader::object_of(const JsonMember& keyword) {
  if (const auto* members = keyword.value.object()) return members;
  return wrong(keyword.name, "an object");
}

Result<std::vector<const std::string*>> Loader::texts_of(const JsonMember& keyword) {
  ASSIGN(const JsonArray* items, array_of(keyword));
  TRY(charge(items->size()));
  std::vector<const std::string*> made;
  for (const auto& item : *items) {
    if (!item.text()) return wrong(keyword.name, "an array of strings");
    made.push_back(item.text());
  }
  return made;
}

Result<const std::string*> Loader::pattern_of(const JsonMember& keyword) {
  ASSIGN(const std::string* text, text_of(keyword));
  TRY(check_pattern(*text));
  return text;
}

std::int64_t Loader::int_value(const Json& number) {
  if (const auto* whole = number.integer()) return static_cast<std::int32_t>(*whole);
  const double real = number.number();
  if (!(std::fabs(real) < 9e15)) return 0;
  return static_cast<std::int32_t>(static_cast<std::int64_t>(real));
}

Result<std::unique_ptr<Model>> Model::load(const Documents& documents) {
  auto model = std::make_unique<Model>();
  const auto loader = is_modern(documents.draft()) ? modern_loader(documents, *model)
                                                   : old_loader(documents, *model);
  TRY(loader->run());
  return model;
}

}  // namespace tailrace::schema::json_schema
