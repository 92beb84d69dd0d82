// What a registry knows: the sum of the records of `_schemas` up to some place. Pure: no I/O, no
// clock, no locks; the same records in the same order give the same state.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "subjects/name.h"
#include "subjects/records.h"

namespace tailrace::subjects {

/// An id in the context that it belongs to.
struct ContextId {
  std::string context;
  int id = 0;
  auto operator<=>(const ContextId&) const = default;
};

class State {
 public:
  using Versions = std::map<int, SchemaVersionPtr>;

  void apply(Change change);

  /// By subject's name, in the order of bytes.
  const std::map<std::string, Versions, std::less<>>& subjects() const { return subjects_; }
  /// Every version of a subject, the deleted ones too; empty when there is none.
  const Versions& versions(std::string_view subject) const;
  SchemaVersionPtr version(std::string_view subject, int number) const;
  /// The highest version that is not deleted.
  SchemaVersionPtr latest(std::string_view subject) const;
  /// Whether the subject, or any of the context that `scope` names, or any at all, is there.
  bool has_subjects(const Scope& scope, bool deleted_too) const;
  /// Those that has_subjects means.
  std::vector<std::string> subjects_in(const Scope& scope, bool deleted_too) const;

  /// The contexts that were made, without the default one, sorted.
  const std::set<std::string>& contexts() const { return contexts_; }

  /// The id that a context gave to a schema.
  std::optional<int> id_of(std::string_view context, const std::string& fingerprint) const;
  /// Which version of each subject has an id; empty when none has.
  const std::map<std::string, int>& subjects_of_id(std::string_view context, int id) const;
  /// The last id that the context has given; 0 before the first.
  int max_id(std::string_view context) const;
  /// Ids of the schemas that refer to a version, the deleted ones' too.
  const std::set<ContextId>& referrers(std::string_view subject, int version) const;

  /// What is set there and nowhere above; absent when nothing is.
  const Config* config(const Scope& scope) const;
  std::optional<Mode> mode(const Scope& scope) const;
  /// What holds for a subject without own config: its context's, all's, the global context's.
  const Config* inherited_config(const Scope& scope) const;
  std::optional<Mode> inherited_mode(const Scope& scope) const;
  const std::map<Scope, Config>& configs() const { return configs_; }
  const std::map<Scope, Mode>& modes() const { return modes_; }
  const Associations& associations() const { return associations_; }

 private:
  struct Context {
    std::unordered_map<std::string, int> ids;                   ///< by fingerprint
    std::unordered_map<int, std::map<std::string, int>> users;  ///< by id: versions by subject
    std::map<std::pair<std::string, int>, std::set<ContextId>> referrers;
    int max_id = 0;
  };

  void apply_one(Noop&) {}
  void apply_one(PutSchema& put);
  void apply_one(DropSchema& drop);
  void apply_one(PutConfig& put);
  void apply_one(PutMode& put);
  void apply_one(DeleteSubject& del);
  void apply_one(ClearSubject& clear);
  void apply_one(PutContext& put);
  void apply_one(PutAssociation& put);

  void note_references(const SchemaVersion& schema, bool add);
  void forget_user(const SchemaVersion& schema);
  const Context* context(std::string_view name) const;

  std::map<std::string, Versions, std::less<>> subjects_;
  std::map<std::string, Context, std::less<>> by_context_;
  std::set<std::string> contexts_;
  std::map<Scope, Config> configs_;
  std::map<Scope, Mode> modes_;
  Associations associations_;
};

}  // namespace tailrace::subjects
