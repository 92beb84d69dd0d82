// A JSON Schema's text with those it refers to, and what each `$ref` in them stands for.
//
// A `$ref` is looked up as the registry's loaders do: everit-json-schema up to draft 7, json-sKema
// from 2019-09 on. What these look up by fetching, and would find by RFC 3986 in the same texts, is
// found as well. Nothing is fetched: other remote schemas are refused, but for the five
// meta-schemas, each of which stands here for any schema at all.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "schema/json.h"
#include "schema/schema.h"

namespace tailrace::schema::json_schema {

enum class Draft { k4, k6, k7, k2019, k2020 };

inline bool is_modern(Draft draft) {
  return draft >= Draft::k2019;
}
/// "$id", in draft 4 "id".
std::string_view id_keyword(Draft draft);

struct Document {
  std::string name;  ///< what a `$ref` calls it; empty for the schema itself
  Json root;
  Draft draft = Draft::k7;
};

/// A value within a document, and the URI that what it refers to is relative to.
struct Spot {
  const Json* value = nullptr;
  const Document* document = nullptr;
  const std::string* base = nullptr;
};

class Documents {
 public:
  static Result<std::unique_ptr<Documents>> parse(std::string_view text,
                                                  std::span<const Reference> references);

  const Document& root() const { return documents_.front(); }
  Draft draft() const { return root().draft; }
  /// The schema itself, before its own `$id` is looked at.
  Spot start() const;

  /// A value inside another, with its own `$id` (when it is a schema that has one) taken into
  /// account; kInvalidArgument when that is no URI.
  Result<Spot> enter(const Spot& at, const Json& value) const;

  /// What `reference` stands for where `at` stands; kInvalidArgument when nothing is there.
  Result<Spot> resolve(const Spot& at, std::string_view reference) const;

  /// The same as the standard has it: within the part of the text that has its own `$id`.
  Result<Spot> resolve_by_standard(const Spot& at, std::string_view reference) const;

  /// All schemas with a `$dynamicAnchor` of that name, by the URI of the part they are in; of no
  /// name: with `$recursiveAnchor`.
  std::vector<Spot> dynamic_anchors(std::string_view name) const;

  /// The member of an object, in constant time; null when there is none.
  const JsonMember* find(const Json& object, std::string_view name) const;
  /// Its value.
  const Json* member(const Json& object, std::string_view name) const;
  /// `$defs` at a document's root, with what stands in `definitions` only.
  std::vector<const JsonMember*> definitions(const Spot& at) const;

 private:
  Documents() = default;

  Status index();
  Status index(const Spot& at);
  Status keep(const Spot& at, std::string key);

  Result<Spot> resolve_old(const Spot& at, std::string_view reference) const;
  Result<Spot> resolve_modern(const Spot& at, std::string_view reference) const;
  const Spot* known(std::string_view uri) const;
  const Spot* raw_id(const Document& document, std::string_view id) const;
  Result<Spot> at_fragment(const Spot& resource, std::string_view fragment) const;
  Result<Spot> at_pointer(const Spot& resource, std::string_view fragment) const;
  Result<Spot> step(const Spot& at, const std::string& token) const;
  Spot whole(const Document& document, std::string base) const;
  const std::string* interned(std::string text) const;

  std::deque<Document> documents_;
  std::unordered_map<std::string, Spot> by_uri_;  ///< resources and anchors, by absolute URI
  std::unordered_map<const Document*, std::unordered_map<std::string, Spot>> by_raw_id_;
  std::vector<std::pair<std::string, Spot>> dynamic_anchors_;
  Document any_;
  mutable std::mutex mutex_;  ///< of the two below, which grow as they are asked
  mutable std::unordered_set<std::string> bases_;
  mutable std::unordered_map<const Json*, std::unordered_map<std::string_view, const JsonMember*>>
      members_;
};

}  // namespace tailrace::schema::json_schema
