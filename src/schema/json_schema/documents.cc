#include "schema/json_schema/documents.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "schema/json_schema/exact_json.h"
#include "schema/json_schema/uri.h"

namespace tailrace::schema::json_schema {
namespace {

// The base of a schema without `$id`, of 2019-09 on.
constexpr std::string_view kDefaultBase = "mem://input";
// Objects of more members than this have a hash table.
constexpr std::size_t kFewMembers = 16;

struct MetaSchema {
  std::string_view path;
  Draft draft;
};
constexpr std::array<MetaSchema, 6> kMetaSchemas = {
    {{"json-schema.org/draft-04/schema", Draft::k4},
     {"json-schema.org/schema", Draft::k4},
     {"json-schema.org/draft-06/schema", Draft::k6},
     {"json-schema.org/draft-07/schema", Draft::k7},
     {"json-schema.org/draft/2019-09/schema", Draft::k2019},
     {"json-schema.org/draft/2020-12/schema", Draft::k2020}}};

std::string_view without_scheme(std::string_view uri) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (uri.starts_with(scheme)) return uri.substr(scheme.size());
  return {};
}

bool is_meta_schema(std::string_view uri) {
  const auto path = without_scheme(uri.ends_with('#') ? uri.substr(0, uri.size() - 1) : uri);
  // The later ones are made of parts.
  return path.starts_with("json-schema.org/draft/2019-09/meta/") ||
         path.starts_with("json-schema.org/draft/2020-12/meta/") ||
         std::ranges::any_of(kMetaSchemas, [&](const auto& one) { return one.path == path; });
}

// Up to draft 7 a text after the URI does not matter; later ones are named exactly. `otherwise` is
// for a text that names none.
Result<Draft> draft_of(const Json& root, Draft otherwise) {
  const Json* named = root.find("$schema");
  if (!named) return otherwise;
  if (!named->text()) return error(Code::kInvalidArgument, "/$schema is not a string");
  std::string_view uri = *named->text();
  const auto exact = without_scheme(uri.ends_with('#') ? uri.substr(0, uri.size() - 1) : uri);
  for (const auto& one : kMetaSchemas)
    if (is_modern(one.draft) ? exact == one.path : without_scheme(uri).starts_with(one.path))
      return one.draft;
  return otherwise;
}

std::unexpected<Error> unresolved(std::string_view reference) {
  return error(Code::kInvalidArgument,
               "$ref '" + std::string(reference) + "' stands for nothing that is known");
}

// Since 2019-09 what follows a urn: or tag: is added to it.
std::string relative_to(const std::string& base, std::string_view reference, bool modern) {
  if (modern && (base.starts_with("urn:") || base.starts_with("tag:")) &&
      !is_absolute_uri(reference))
    return std::string(without_fragment(base)) + std::string(reference);
  return resolve_uri(base, reference);
}

// "%41" is "A" and "+" a space, then "~1" a slash and "~0" a tilde.
std::string unescaped(std::string_view token) {
  std::string plain;
  for (std::size_t i = 0; i < token.size(); ++i) {
    unsigned byte = 0;
    if (token[i] == '%' && i + 2 < token.size() &&
        std::from_chars(&token[i + 1], &token[i + 3], byte, 16).ptr == &token[i + 3]) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += token[i] == '+' ? ' ' : token[i];
    }
  }
  std::string made;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool escape = plain[i] == '~' && i + 1 < plain.size();
    if (escape && plain[i + 1] == '1') {
      made += '/';
      ++i;
    } else if (escape && plain[i + 1] == '0') {
      made += '~';
      ++i;
    } else {
      made += plain[i];
    }
  }
  return made;
}

}  // namespace

std::string_view id_keyword(Draft draft) {
  return draft == Draft::k4 ? "id" : "$id";
}

Result<std::unique_ptr<Documents>> Documents::parse(std::string_view text,
                                                    std::span<const Reference> references) {
  std::unique_ptr<Documents> made(new Documents);
  made->any_.root = Json(JsonObject{});
  ASSIGN(Json root, read_exact_json(text));
  if (!root.object() && !root.boolean())
    return error(Code::kInvalidArgument, "a JSON Schema is an object, true or false");
  ASSIGN(const Draft draft, draft_of(root, Draft::k7));
  made->documents_.push_back({"", std::move(root), draft});
  for (const auto& reference : references) {
    if (!is_uri(reference.name))
      return error(Code::kInvalidArgument, "the reference '" + reference.name + "' is no URI");
    auto other = read_exact_json(reference.text);
    if (!other) return std::unexpected(other.error().in("the reference '" + reference.name + "'"));
    // A schema of draft 7 reads all it refers to as no later one, and 2019-09 as no earlier one.
    ASSIGN(const Draft its, draft_of(*other, draft));
    made->documents_.push_back(
        {reference.name, std::move(*other), is_modern(its) == is_modern(draft) ? its : draft});
  }
  TRY(made->index());
  return made;
}

Spot Documents::start() const {
  return whole(root(), is_modern(draft()) ? std::string(kDefaultBase) : std::string());
}

Spot Documents::whole(const Document& document, std::string base) const {
  return {&document.root, &document, interned(std::move(base))};
}

const std::string* Documents::interned(std::string text) const {
  const std::lock_guard lock(mutex_);
  return &*bases_.insert(std::move(text)).first;
}

Result<Spot> Documents::enter(const Spot& at, const Json& value) const {
  Spot made = at;
  made.value = &value;
  if (!value.object()) return made;
  const Json* id = member(value, id_keyword(at.document->draft));
  if (!id || !id->text()) return made;
  if (!is_uri(*id->text()))
    return error(Code::kInvalidArgument, "the id '" + *id->text() + "' is no URI");
  made.base = interned(resolve_uri(*at.base, *id->text()));
  return made;
}

const Json* Documents::member(const Json& object, std::string_view name) const {
  const JsonMember* found = find(object, name);
  return found ? &found->value : nullptr;
}

const JsonMember* Documents::find(const Json& object, std::string_view name) const {
  const JsonObject* members = object.object();
  if (!members) return nullptr;
  if (members->size() <= kFewMembers) {
    const auto found = std::ranges::find(*members, name, &JsonMember::name);
    return found == members->end() ? nullptr : &*found;
  }
  const std::lock_guard lock(mutex_);
  auto& known = members_[&object];
  if (known.empty())
    for (const auto& one : *members) known.emplace(one.name, &one);
  const auto found = known.find(name);
  return found == known.end() ? nullptr : found->second;
}

std::vector<const JsonMember*> Documents::definitions(const Spot& at) const {
  std::vector<const JsonMember*> made;
  const Json* defs = member(*at.value, "$defs");
  if (defs && defs->object())
    for (const auto& one : *defs->object()) made.push_back(&one);
  if (at.value != &at.document->root || (defs && !defs->object())) return made;
  if (const Json* old = member(*at.value, "definitions"); old && old->object())
    for (const auto& one : *old->object())
      if (!defs || !member(*defs, one.name)) made.push_back(&one);
  return made;
}

Status Documents::index() {
  for (const auto& document : documents_) {
    Spot at = start();
    if (&document != &root()) {
      const auto first = enter(at, root().root);
      if (!first) return std::unexpected(first.error());
      at = whole(document, resolve_uri(*first->base, document.name));
      by_uri_.emplace(document.name, at);
    }
    by_uri_.emplace(*at.base, whole(document, *at.base));
    at.value = &document.root;
    TRY(index(at));
  }
  return {};
}

Status Documents::index(const Spot& at) {
  if (const auto* items = at.value->array()) {
    for (const auto& item : *items) TRY(index({&item, at.document, at.base}));
    return {};
  }
  const auto* members = at.value->object();
  if (!members) return {};
  const Draft draft = at.document->draft;
  Spot here = at;
  if (const auto entered = enter(at, *at.value)) here = *entered;
  if (const Json* id = member(*at.value, id_keyword(draft)); id && id->text()) {
    by_raw_id_[at.document].emplace(*id->text(), here);
    TRY(keep(here, *here.base));
  }
  if (is_modern(draft)) {
    for (const std::string_view keyword : {"$anchor", "$dynamicAnchor"})
      if (const Json* anchor = member(*at.value, keyword); anchor && anchor->text())
        TRY(keep(here, std::string(without_fragment(*here.base)) + "#" + *anchor->text()));
    if (const Json* anchor = member(*at.value, "$dynamicAnchor"); anchor && anchor->text())
      dynamic_anchors_.emplace_back(*anchor->text(), here);
    if (const Json* anchor = member(*at.value, "$recursiveAnchor");
        anchor && anchor->boolean() && *anchor->boolean())
      dynamic_anchors_.emplace_back("", here);
  }
  for (const auto& one : *members)
    if (!is_modern(draft) || (one.name != "enum" && one.name != "const"))
      TRY(index({&one.value, here.document, here.base}));
  return {};
}

Status Documents::keep(const Spot& at, std::string key) {
  if (key.ends_with('#')) key.pop_back();
  const auto [place, added] = by_uri_.emplace(std::move(key), at);
  if (added || place->second.value == at.value) return {};
  if (is_modern(at.document->draft))
    return error(Code::kInvalidArgument, "the id '" + place->first + "' is given twice");
  return {};
}

const Spot* Documents::known(std::string_view uri) const {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  const auto found = by_uri_.find(std::string(uri));
  return found == by_uri_.end() ? nullptr : &found->second;
}

const Spot* Documents::raw_id(const Document& document, std::string_view id) const {
  const auto ids = by_raw_id_.find(&document);
  if (ids == by_raw_id_.end()) return nullptr;
  const auto found = ids->second.find(std::string(id));
  return found == ids->second.end() ? nullptr : &found->second;
}

Result<Spot> Documents::resolve(const Spot& at, std::string_view reference) const {
  if (!is_uri(reference)) return unresolved(reference);
  return is_modern(draft()) ? resolve_modern(at, reference) : resolve_old(at, reference);
}

Result<Spot> Documents::resolve_old(const Spot& at, std::string_view reference) const {
  const std::string target = resolve_uri(*at.base, reference);
  if (const Spot* found = raw_id(*at.document, target)) return *found;
  if (reference.starts_with('#')) {
    // The document's own base: its root's `$id` is entered by the first step.
    Spot document = whole(*at.document, at.document == &root() ? "" : at.document->name);
    if (auto found = at_fragment(document, reference)) return found;
    const Spot* resource = known(without_fragment(*at.base));
    return resource ? at_fragment(*resource, reference) : unresolved(reference);
  }
  if (const Spot* found = known(target)) return *found;
  if (is_meta_schema(without_fragment(target))) return whole(any_, "");
  const Spot* resource = known(without_fragment(target));
  if (!resource) return unresolved(reference);
  return at_fragment(*resource, fragment_of(target));
}

Result<Spot> Documents::resolve_modern(const Spot& at, std::string_view reference) const {
  std::string target(reference);
  const auto name = without_fragment(reference);
  const bool named = !name.empty() && std::ranges::any_of(documents_, [&](const auto& one) {
    return !one.name.empty() && (one.name == name || "./" + one.name == name);
  });
  if (!named) target = relative_to(*at.base, reference, true);
  if (named && name.starts_with("./") && !known(name)) target = target.substr(2);
  if (const Spot* found = known(target)) return *found;
  if (is_meta_schema(without_fragment(target))) return whole(any_, "");
  const Spot* resource = known(without_fragment(target));
  if (!resource) return unresolved(reference);
  return at_fragment(*resource, fragment_of(target));
}

Result<Spot> Documents::resolve_by_standard(const Spot& at, std::string_view reference) const {
  const std::string target = relative_to(*at.base, reference, is_modern(draft()));
  if (const Spot* found = known(target)) return *found;
  if (const Spot* resource = known(without_fragment(target)))
    if (auto found = at_fragment(*resource, fragment_of(target))) return found;
  return resolve(at, reference);
}

std::vector<Spot> Documents::dynamic_anchors(std::string_view name) const {
  std::vector<Spot> made;
  for (const auto& [anchor, spot] : dynamic_anchors_)
    if (anchor == name) made.push_back(spot);
  return made;
}

Result<Spot> Documents::at_fragment(const Spot& resource, std::string_view fragment) const {
  if (fragment.empty() || fragment == "#") return enter(resource, *resource.value);
  if (!is_modern(draft()))
    if (const Spot* found = raw_id(*resource.document, fragment)) return *found;
  return at_pointer(resource, fragment);
}

Result<Spot> Documents::at_pointer(const Spot& resource, std::string_view fragment) const {
  if (is_modern(draft())) {
    if (!fragment.starts_with("#/")) return unresolved(fragment);
  } else {
    while (fragment.ends_with('/')) fragment.remove_suffix(1);
  }
  ASSIGN(Spot at, enter(resource, *resource.value));
  std::size_t from = fragment.find('/');
  while (from != std::string_view::npos) {
    const auto to = std::min(fragment.find('/', from + 1), fragment.size());
    auto next = step(at, unescaped(fragment.substr(from + 1, to - from - 1)));
    if (!next) return unresolved(fragment);
    at = *next;
    from = to == fragment.size() ? std::string_view::npos : to;
  }
  return at;
}

Result<Spot> Documents::step(const Spot& at, const std::string& token) const {
  if (const auto* items = at.value->array()) {
    std::size_t index = 0;
    const char* end = token.data() + token.size();
    if (std::from_chars(token.data(), end, index).ptr != end || index >= items->size())
      return unresolved(token);
    return enter(at, (*items)[index]);
  }
  const Json* found = member(*at.value, token);
  const bool is_root = at.value == &at.document->root;
  // What stands in `definitions` is found in `$defs` too, one step down.
  if (is_root && token == "$defs" && !found) found = member(*at.value, "definitions");
  if (!found && !is_root) {
    const Json* defs = member(at.document->root, "$defs");
    const Json* old = member(at.document->root, "definitions");
    if (defs && at.value == defs && old && old->object()) found = member(*old, token);
  }
  if (!found) return unresolved(token);
  return enter(at, *found);
}

}  // namespace tailrace::schema::json_schema
