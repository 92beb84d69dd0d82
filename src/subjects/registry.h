// The rules of a schema registry, as Confluent's registry has them: what may be registered under a
// subject, who gets which id, what compatibility, mode and contexts allow.
//
// Threads: all calls from any thread; who reads waits only for a change that is being written. A
// change is known to readers once the store has it, whoever wrote it: every call first takes up
// what others wrote to the topic. Two registries that write at once are not told apart, though: of
// two schemas with one id the later one is left out, and registered again by who wrote it here.
//
// Everything refused is a Refusal with the registry's own code and sentence. While a record of the
// store cannot be read, because a file is damaged, nothing is written, and who asks, asks
// available() first: what is known then is a part, in which a schema may seem never to have been.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "subjects/parsed_schemas.h"
#include "subjects/records.h"
#include "subjects/refusal.h"
#include "subjects/state.h"

namespace tailrace::subjects {

/// Where changes are kept: the topic `_schemas`.
class Store {
 public:
  virtual ~Store() = default;
  /// All of them, in this order, durable when it returns.
  virtual Status append(std::span<const RecordText> records) = 0;
  /// Whether read_new() would give something; cheap, from any thread.
  virtual bool has_new() const = 0;
  /// Gives every change that it has not given yet, oldest first: those appended here, too.
  /// kDataLoss, told in the log, where the next one is damaged.
  using Use = std::function<void(Change)>;
  virtual Status read_new(const Use& use) = 0;
};

/// What a client says of a schema that it registers, looks up or tries.
struct Candidate {
  int version = 0;  ///< 0: the next one; -1: the latest
  int id = -1;      ///< given only in mode IMPORT
  std::string schema_type = "AVRO";
  std::vector<SchemaReference> references = {};
  std::optional<Metadata> metadata = {};
  std::optional<RuleSet> rules = {};
  std::string text = {};  ///< "": the latest version's
};

enum class Show { kLive, kAll, kDeletedOnly };

struct SubjectVersion {
  std::string subject;
  int version = 0;
};

struct AssociationRequest;
/// An association that was put, and its schema where one was registered with it.
struct MadeAssociation {
  Association association;
  SchemaVersionPtr schema = {};
};

class Registry {
 public:
  explicit Registry(Store& store) : store_(store) {}

  /// Takes up what the store has. Every other call does, and goes on with what is known where that
  /// fails.
  Status catch_up() const;
  /// 50001 while what the store keeps is not all known, because it is damaged.
  Answer<void> available() const;

  /// The version that the candidate has now, whether it was there or not.
  Answer<SchemaVersionPtr> register_schema(const std::string& subject, const Candidate& candidate,
                                           bool normalize, bool force);
  /// The version of the subject that is the candidate; 40401, 40403.
  Answer<SchemaVersionPtr> lookup(const std::string& subject, const Candidate& candidate,
                                  bool normalize, bool deleted_too) const;
  /// `number` -1 is the latest. A subject of the default context is looked for in others too.
  Answer<SchemaVersionPtr> version(const std::string& subject, int number, bool deleted_too) const;
  Answer<std::vector<int>> versions(const std::string& subject, Show show) const;
  /// The latest version whose properties include these.
  Answer<SchemaVersionPtr> latest_with(const std::string& subject,
                                       const std::map<std::string, std::string>& properties,
                                       bool deleted_too) const;
  /// Ids of the schemas that refer to a version.
  Answer<std::vector<int>> referenced_by(const std::string& subject, int number,
                                         bool deleted_too) const;
  /// `subject` says the context, and, when it names one, which subject's version is meant.
  Answer<SchemaVersionPtr> by_id(int id, const std::string& subject) const;
  Answer<std::vector<SubjectVersion>> users_of_id(int id, const std::string& subject,
                                                  bool deleted_too) const;
  /// All that a version's text refers to, in schema::parse_schema's order.
  Answer<std::vector<schema::Reference>> references_of(const SchemaVersion& schema) const;
  Answer<SchemaVersionPtr> by_guid(const std::string& guid) const;
  std::vector<ContextId> ids_of_guid(const std::string& guid) const;
  int max_id(std::string_view context) const;

  /// Names that begin so; kEveryContext stands for every context.
  std::vector<std::string> subjects(std::string_view prefix, Show show) const;
  std::vector<SchemaVersionPtr> schemas(std::string_view prefix, bool deleted_too,
                                        bool latest_only) const;
  std::vector<std::string> contexts() const;
  struct Counts {
    std::size_t subjects = 0;  ///< that have a version
    std::size_t versions = 0;
    std::size_t deleted_versions = 0;
  };
  Counts counts() const;
  /// Subjects that others whose names begin so call their alias, with the names of those.
  std::map<std::string, std::vector<std::string>> aliases(std::string_view prefix) const;

  Answer<std::vector<int>> delete_subject(const std::string& subject, bool permanent);
  Answer<int> delete_version(const std::string& subject, int number, bool permanent);
  Answer<void> delete_context(const std::string& context);

  /// Why the candidate may not follow; empty when it may. Against `number` alone (-1: the latest),
  /// or what a registration would look at.
  Answer<std::vector<std::string>> incompatibilities(const std::string& subject,
                                                     const Candidate& candidate,
                                                     std::optional<int> number,
                                                     bool normalize) const;

  /// What is set there; with `inherited`, what holds there.
  Answer<Config> config(const Scope& scope, bool inherited) const;
  /// A part of `change` that is absent keeps what was set; `cleared` names members to take away.
  Answer<Config> set_config(const Scope& scope, const Config& change,
                            const std::vector<std::string>& cleared);
  Answer<Config> delete_config(const Scope& scope);
  Answer<Mode> mode(const Scope& scope, bool inherited) const;
  Answer<void> set_mode(const Scope& scope, std::optional<Mode> mode, bool force);
  /// The mode that was set; absent when none was and `recursive` takes those of a context's
  /// subjects.
  Answer<std::optional<Mode>> delete_mode(const Scope& scope, bool recursive);
  /// The subject that this one's config calls its alias, or itself.
  std::string resolved_alias(const std::string& subject) const;

  /// Puts what a complete request (association_request.h) asks for: schemas first, then the
  /// associations, all or nothing but for a crash between. What is there already as it is asked
  /// for is not in the answer. `context` is where subjects without one are.
  /// (registry_associations.cc)
  Answer<std::vector<MadeAssociation>> put_associations(const std::string& context,
                                                        AssociationRequest request, bool creates,
                                                        bool dry_run);
  /// `cascade`: frozen ones, too, and with STRONG ones their subjects, for good.
  Answer<void> delete_associations(const std::string& resource_id, const AssociationFilter& filter,
                                   bool cascade, bool dry_run);
  std::vector<Association> associations_of_subject(const std::string& subject,
                                                   const AssociationFilter& filter) const;
  std::vector<Association> associations_of_resource(const std::string& resource_id,
                                                    const AssociationFilter& filter) const;
  std::vector<Association> associations_named(const std::string& name,
                                              const std::string& name_space,
                                              const AssociationFilter& filter) const;

 private:
  /// A wish with what it is about.
  struct Wanted;
  /// What is to be registered, parsed.
  struct Parsed {
    SchemaVersion schema;
    schema::SchemaPtr parsed;
  };
  using Lock = std::unique_lock<std::shared_mutex>;

  /// Locks, with what the store has taken up.
  std::shared_lock<std::shared_mutex> reading() const;
  Lock writing();
  Status take_up() const;  // with the lock of a writer

  Answer<void> write(std::vector<Change> changes);

  Config config_in_scope(const Scope& scope) const;
  Mode mode_in_scope(const Scope& scope) const;
  Answer<void> refuse_read_only(const Scope& scope) const;
  Answer<void> check_mode(const std::string& subject, const Candidate& candidate) const;

  Answer<Parsed> parse(const std::string& subject, const Candidate& candidate, schema::Age age,
                       bool normalize) const;
  Answer<schema::SchemaPtr> parse_known(const SchemaVersion& schema) const;
  Answer<std::vector<schema::Reference>> resolve(const std::string& subject,
                                                 std::vector<SchemaReference>& references,
                                                 bool deleted_too) const;
  /// The candidate is this version, whatever way it is written.
  bool is_same(const Parsed& candidate, const SchemaVersion& known) const;
  SchemaVersionPtr find(const Parsed& candidate, bool deleted_too) const;
  Answer<SchemaVersionPtr> lookup_here(const std::string& subject, const Candidate& candidate,
                                       bool normalize, bool deleted_too) const;

  Answer<void> populate(Candidate& candidate, const std::string& subject, const Config& config,
                        int next_version) const;
  Answer<std::vector<std::string>> why_not(const Config& config, const Parsed& candidate,
                                           std::vector<SchemaVersionPtr> earlier) const;
  Answer<SchemaVersionPtr> registered(const std::string& subject, Candidate candidate,
                                      bool normalize, bool force);
  /// Nothing where another writer's record came between and the schema was left out.
  Answer<SchemaVersionPtr> put_new(Parsed parsed, int wanted_version, int next_version,
                                   bool imports);
  Answer<void> check_id(const SchemaVersion& schema) const;

  /// What a deletion does, with the lock of a writer.
  Answer<std::vector<int>> deleted_subject(const std::string& subject, bool permanent);

  std::vector<Wanted> wanted(AssociationRequest& request, bool creates, bool dry_run) const;
  Answer<void> check_new(const Wanted& wanted, bool creates) const;
  Answer<bool> check_wanted(const AssociationRequest& request, Wanted& wanted, bool creates) const;
  Answer<void> check_kinds(const AssociationRequest& request,
                           const std::vector<Wanted>& wanted) const;
  Answer<void> check_subject(const Wanted& wanted, const std::vector<Wanted>& all) const;
  Answer<void> check_schema(const Wanted& wanted) const;
  bool is_referenced(const std::string& subject) const;
  std::string resolved_alias_here(const std::string& subject) const;

  std::vector<std::string> referring_subjects(const std::string& subject, int version,
                                              bool deleted_too) const;
  SchemaVersionPtr version_anywhere(const std::string& subject, int number, bool deleted_too) const;
  SchemaVersionPtr key_of_id(int id, const std::string& subject) const;
  Refusal no_version(const std::string& subject, int number, bool deleted_too) const;
  Answer<std::vector<Change>> clear_for_import(const Scope& scope) const;

  mutable std::shared_mutex mutex_;
  mutable State state_;                  ///< what is known of the store
  mutable std::optional<Error> unread_;  ///< kDataLoss: why that is not all of it
  Store& store_;
  mutable ParsedSchemas parsed_;
};

}  // namespace tailrace::subjects
