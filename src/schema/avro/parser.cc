#include "schema/avro/parser.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <unordered_set>

namespace tailrace::schema::avro {
namespace {

// Of how many names that are used before their definition the place is remembered.
constexpr std::size_t kPlacesKept = 1000;

constexpr std::array<std::string_view, 10> kTypeWords = {
    "doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"};
constexpr std::array<std::string_view, 6> kFieldWords = {"default", "doc",  "name",
                                                         "order",   "type", "aliases"};

std::unexpected<Error> refused(const Place& place, std::string_view why) {
  return error(Code::kInvalidArgument, "at " + place.text() + ": " + std::string(why));
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

template <typename Words>
JsonObject properties_of(const Json& from, const Words& words, bool without_default) {
  JsonObject kept;
  for (const auto& member : *from.object()) {
    const bool reserved = std::ranges::find(words, member.name) != words.end();
    if (!reserved && !(without_default && member.name == "default")) kept.push_back(member);
  }
  return kept;
}

std::optional<std::string> text_of(const Json& from, std::string_view name) {
  const auto* text = from.find_text(name);
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<Order> order_of(std::string word) {
  for (char& c : word) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  if (word == "ascending") return Order::kAscending;
  if (word == "descending") return Order::kDescending;
  if (word == "ignore") return Order::kIgnore;
  return std::nullopt;
}

std::optional<double> number_in(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == 0 ? std::optional(value) : std::nullopt;
}

}  // namespace

Type& Parser::make(Kind kind) {
  Type& made = made_->types_.emplace_back();
  made.kind = kind;
  if (is_named(kind)) made.defined = std::make_unique<Definition>();
  return made;
}

Result<const Type*> Parser::add(std::string_view text) {
  ASSIGN(const Json document, parse_json(text));
  return type(document, Place(), "");
}

void Parser::remember_reference(const Type& root) {
  made_->referenced_.insert(std::string(root.full_name()));
}

Result<const Type*> Parser::type(const Json& from, const Place& place, std::string_view space) {
  if (const auto* name = from.text()) return named(*name, place, space);
  if (const auto* branches = from.array()) return union_of(*branches, place, space);
  if (from.object()) return object(from, place, space);
  return refused(place, "a type is a name, an object or an array of types");
}

Result<const Type*> Parser::object(const Json& from, const Place& place, std::string_view space) {
  const auto* word = from.find_text("type");
  if (!word) return refused(place, "\"type\" is missing, or is no name");
  if (const auto primitive = primitive_kind(*word)) {
    Type& made = make(*primitive);
    made.properties = properties_of(from, kTypeWords, false);
    made.logical = logical_type_of(made);
    return &made;
  }
  if (*word == "array") return collection(from, place, space, Kind::kArray);
  if (*word == "map") return collection(from, place, space, Kind::kMap);
  if (*word == "record" || *word == "error") return definition(from, place, space, Kind::kRecord);
  if (*word == "enum") return definition(from, place, space, Kind::kEnum);
  if (*word == "fixed") return definition(from, place, space, Kind::kFixed);
  return named(*word, Place(place, "type"), space);
}

Result<const Type*> Parser::collection(const Json& from, const Place& place, std::string_view space,
                                       Kind kind) {
  const std::string_view word = kind == Kind::kArray ? "items" : "values";
  const Json* element = from.find(word);
  if (!element) return refused(place, quoted(word) + " is missing");
  Type& made = make(kind);
  ASSIGN(made.element, type(*element, Place(place, word), space));
  made.properties = properties_of(from, kTypeWords, false);
  return &made;
}

Result<const Type*> Parser::union_of(const JsonArray& from, const Place& place,
                                     std::string_view space) {
  Type& made = make(Kind::kUnion);
  made.branches.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    ASSIGN(const Type* branch, type(from[i], Place(place, i), space));
    made.branches.push_back(branch);
  }
  TRY(check_union(made, place));
  return &made;
}

// The name in its namespace, else a finished definition of the name as it is (Avro for Java's
// leniency), else one that may yet be defined.
Result<const Type*> Parser::named(std::string_view name, const Place& place,
                                  std::string_view space) {
  if (const auto primitive = primitive_kind(name)) return &make(*primitive);
  const std::string full = complete(name, space).text();
  auto found = defined_.find(full);
  if (found == defined_.end()) {
    found = defined_.find(std::string(name));
    if (found != defined_.end() && open_.contains(found->second)) found = defined_.end();
  }
  if (found != defined_.end()) return found->second;
  Type& stand_in = make(Kind::kNull);
  const bool tell = wanted_.size() < kPlacesKept;
  wanted_.emplace(&stand_in, Wanted{full, tell ? place.text() : "…"});
  return &stand_in;
}

Result<const Type*> Parser::definition(const Json& from, const Place& place, std::string_view space,
                                       Kind kind) {
  Type& made = make(kind);
  Definition& defined = *made.defined;
  TRY(head(from, place, space, defined));
  defined.is_error = *from.find_text("type") == "error";
  const auto [known, is_new] = defined_.try_emplace(defined.full_name, &made);
  if (open_.contains(known->second))
    return refused(place, quoted(defined.full_name) + " is defined within itself");
  if (kind == Kind::kRecord) {
    open_.insert(&made);
    TRY(fields(from, place, made));
    open_.erase(&made);
  }
  if (kind == Kind::kEnum) TRY(symbols(from, place, defined));
  if (kind == Kind::kFixed) TRY(size(from, place, defined));
  made.properties = properties_of(from, kTypeWords, kind == Kind::kEnum);
  made.logical = logical_type_of(made);
  if (!is_new && !same_meaning(*defined_.at(defined.full_name), made))
    return refused(place, quoted(defined.full_name) + " is defined already, with another meaning");
  return &made;
}

Status Parser::head(const Json& from, const Place& place, std::string_view space,
                    Definition& made) {
  const auto* name = from.find_text("name");
  if (!name) return refused(place, "\"name\" is missing, or is no text");
  const auto* own_space = from.find_text("namespace");
  FullName full = complete(*name, own_space ? *own_space : space);
  if (!is_name(full.name, rule_))
    return refused(Place(place, "name"), quoted(full.name) + " is not a name");
  if (!is_namespace(full.space, rule_))
    return refused(place, quoted(full.space) + " is not a namespace");
  made.full_name = full.text();
  if (primitive_kind(made.full_name))
    return refused(Place(place, "name"), quoted(*name) + " is the name of a primitive type");
  made.doc = text_of(from, "doc");
  std::vector<std::string> names;
  TRY(aliases(from, place, names));
  for (const auto& alias : names) {
    const FullName known_as = complete(alias, full.space);
    if (!is_name(known_as.name, rule_))
      return refused(Place(place, "aliases"), quoted(alias) + " is not a name");
    const bool in_null_space = known_as.space.empty() && !full.space.empty();
    made.aliases.push_back(in_null_space ? "." + known_as.name : known_as.text());
  }
  made.space = std::move(full.space);
  made.name = std::move(full.name);
  return {};
}

Status Parser::aliases(const Json& from, const Place& place, std::vector<std::string>& names) {
  const Json* given = from.find("aliases");
  if (!given) return {};
  if (!given->array()) return refused(Place(place, "aliases"), "not an array of names");
  std::unordered_set<std::string_view> seen;
  for (const auto& alias : *given->array()) {
    if (!alias.text()) return refused(Place(place, "aliases"), "not an array of names");
    if (seen.insert(*alias.text()).second) names.push_back(*alias.text());
  }
  return {};
}

Status Parser::fields(const Json& from, const Place& place, Type& record) {
  const Json* given = from.find("fields");
  if (!given || !given->array()) return refused(place, "\"fields\" is missing, or is no array");
  Definition& made = *record.defined;
  const Place here(place, "fields");
  made.fields.resize(given->array()->size());
  for (std::size_t i = 0; i < made.fields.size(); ++i) {
    const Place at(here, i);
    Field& one = made.fields[i];
    TRY(field((*given->array())[i], at, made.space, one));
    if (!made.field_places.emplace(one.name, i).second)
      return refused(at, "the record has two fields " + quoted(one.name));
  }
  return {};
}

Status Parser::field(const Json& from, const Place& place, std::string_view space, Field& made) {
  const auto* name = from.find_text("name");
  if (!name) return refused(place, "a field is an object with a \"name\"");
  if (!is_name(*name, rule_)) return refused(Place(place, "name"), quoted(*name) + " is no name");
  const Json* of = from.find("type");
  if (!of) return refused(place, "\"type\" is missing");
  made.name = *name;
  made.doc = text_of(from, "doc");
  ASSIGN(made.type, type(*of, Place(place, "type"), space));
  if (const Json* order = from.find("order")) {
    const auto known = order->text() ? order_of(*order->text()) : std::nullopt;
    if (!known)
      return refused(Place(place, "order"), "not \"ascending\", \"descending\" or \"ignore\"");
    made.order = *known;
  }
  if (const Json* value = from.find("default")) made.default_value = *value;
  const bool real = made.type->kind == Kind::kFloat || made.type->kind == Kind::kDouble;
  if (real && made.default_value && made.default_value->text()) {
    const auto number = number_in(*made.default_value->text());
    if (!number) return refused(Place(place, "default"), "not a number");
    made.default_value = Json(*number);
  }
  TRY(aliases(from, place, made.aliases));
  made.properties = properties_of(from, kFieldWords, false);
  return {};
}

Status Parser::symbols(const Json& from, const Place& place, Definition& made) {
  const Json* given = from.find("symbols");
  if (!given || !given->array()) return refused(place, "\"symbols\" is missing, or is no array");
  const Place here(place, "symbols");
  std::unordered_set<std::string_view> seen;
  for (const auto& symbol : *given->array()) {
    const Place at(here, made.symbols.size());
    if (!symbol.text() || !is_name(*symbol.text(), rule_)) return refused(at, "not a name");
    if (!seen.insert(*symbol.text()).second)
      return refused(at, quoted(*symbol.text()) + " is there twice");
    made.symbols.push_back(*symbol.text());
  }
  const auto* otherwise = from.find_text("default");
  if (otherwise && !seen.contains(*otherwise))
    return refused(Place(place, "default"), quoted(*otherwise) + " is not one of the symbols");
  if (otherwise) made.default_symbol = *otherwise;
  return {};
}

Status Parser::size(const Json& from, const Place& place, Definition& made) {
  const Json* given = from.find("size");
  const auto* bytes = given ? given->integer() : nullptr;
  if (!bytes || *bytes < 0 || *bytes > std::numeric_limits<std::int32_t>::max() - 8)
    return refused(place, "\"size\" is missing, or is no number of bytes");
  made.size = static_cast<std::int32_t>(*bytes);
  return {};
}

// Joins each stand-in to the definition that came after it.
Status Parser::join_names() {
  for (const auto& [stand_in, wanted] : wanted_) {
    if (!defined_.contains(wanted.name))
      return error(Code::kInvalidArgument,
                   "at " + wanted.place + ": the type " + quoted(wanted.name) + " is not defined");
  }
  const auto join = [this](const Type*& type) {
    const auto found = wanted_.find(type);
    if (found != wanted_.end()) type = defined_.at(found->second.name);
  };
  for (Type& type : made_->types_) {
    if (type.element) join(type.element);
    for (const Type*& branch : type.branches) join(branch);
    if (!type.defined) continue;
    for (Field& field : type.defined->fields) join(field.type);
  }
  wanted_.clear();
  return {};
}

// A name without a definition yet is one of a named type, so what is checked here is final.
Status Parser::check_union(const Type& type, const Place& place) const {
  std::unordered_set<std::string_view> seen;
  for (const Type* branch : type.branches) {
    if (branch->kind == Kind::kUnion) return refused(place, "a union stands directly in a union");
    const auto later = wanted_.find(branch);
    const std::string_view name =
        later == wanted_.end() ? branch->full_name() : std::string_view(later->second.name);
    if (!seen.insert(name).second)
      return refused(place, "the union has " + quoted(name) + " twice");
  }
  return {};
}

Status Parser::check_defaults() const {
  for (const Type& type : made_->types_) {
    if (type.kind != Kind::kRecord) continue;
    for (const Field& field : type.defined->fields) {
      if (!field.default_value) continue;
      const std::string where =
          "field " + quoted(field.name) + " of record " + quoted(type.full_name());
      const auto fits = fits_default(*field.type, *field.default_value);
      if (!fits) return std::unexpected(fits.error().in(where));
      if (!*fits)
        return error(Code::kInvalidArgument, where + ": the default is not of its type, " +
                                                 std::string(kind_name(field.type->kind)));
    }
  }
  return {};
}

Result<std::shared_ptr<const AvroSchema>> Parser::finish(const Type* root) {
  const auto later = wanted_.find(root);
  const std::string name = later == wanted_.end() ? "" : later->second.name;
  TRY(join_names());
  made_->root_ = name.empty() ? root : defined_.at(name);
  TRY(check_depth(*made_->root_));
  if (age_ == Age::kNew) TRY(check_defaults());
  return made_;
}

Result<std::shared_ptr<const AvroSchema>> AvroSchema::parse(std::string_view text,
                                                            std::span<const Reference> references,
                                                            Age age) {
  Parser parser(age);
  for (const auto& reference : references) {
    const auto added = parser.add(reference.text);
    if (!added) return std::unexpected(added.error().in("reference " + reference.name));
    parser.remember_reference(**added);
  }
  ASSIGN(const Type* root, parser.add(text));
  return parser.finish(root);
}

}  // namespace tailrace::schema::avro
