// What is set for subjects, contexts and all (compatibility, modes), and what is deleted.
#include <algorithm>

#include "subjects/registry.h"

namespace tailrace::subjects {
namespace {

// A scope that names a context, or all.
bool is_context(const Scope& scope) {
  return !scope || SubjectName::parse(*scope).subject.empty();
}

bool is_global(const Scope& scope) {
  return scope && SubjectName::parse(*scope).context == kGlobalContext && is_context(scope);
}

std::string shown_key(const std::string& subject, int version) {
  return "{magic=1,keytype=SCHEMA,subject=" + subject + ",version=" + std::to_string(version) + "}";
}

std::unexpected<Refusal> referenced(const std::string& subject, int version) {
  return refuse(42206,
                "One or more references exist to the schema " + shown_key(subject, version) + ".");
}

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

}  // namespace

Answer<void> Registry::refuse_read_only(const Scope& scope) const {
  const Mode mode = mode_in_scope(scope);
  if (mode != Mode::kReadOnly && mode != Mode::kReadOnlyOverride) return {};
  const std::string subject = scope.value_or("null");
  return not_permitted("Subject " + subject + " in context " +
                       (scope ? SubjectName::parse(*scope).prefix() : "") +
                       " is in read-only mode");
}

Answer<std::vector<int>> Registry::delete_subject(const std::string& subject, bool permanent) {
  const Lock lock = writing();
  return deleted_subject(subject, permanent);
}

Answer<std::vector<int>> Registry::deleted_subject(const std::string& subject, bool permanent) {
  if (!state_.has_subjects(subject, true)) return subject_not_found(subject);
  if (!permanent && !state_.has_subjects(subject, false)) {
    return refuse(40404, "Subject " + quoted(subject) +
                             " was soft deleted.Set permanent=true to delete permanently");
  }
  TRY(refuse_read_only(subject));
  if (!state_.associations().of_subject(subject, {}).empty())
    return refuse(40904, "An association already exists for subject " + quoted(subject));
  std::vector<int> numbers;
  for (const auto& [number, schema] : state_.versions(subject)) {
    if (!permanent && schema->deleted) continue;
    auto users = referring_subjects(subject, number, permanent);
    std::erase(users, subject);
    if (!users.empty()) return referenced(subject, number);
    if (permanent && !schema->deleted) {
      return refuse(40405, "Subject " + quoted(subject) +
                               " was not deleted first before being permanently deleted");
    }
    numbers.push_back(number);
  }
  std::vector<Change> changes;
  if (!permanent) {
    changes.emplace_back(DeleteSubject{subject, numbers.empty() ? 0 : numbers.back()});
  } else {
    for (auto at = numbers.rbegin(); at != numbers.rend(); ++at)
      changes.emplace_back(DropSchema{subject, *at});
    if (state_.mode(subject)) changes.emplace_back(PutMode{subject, std::nullopt});
    if (state_.config(subject)) changes.emplace_back(PutConfig{subject, std::nullopt});
  }
  TRY(write(std::move(changes)));
  return numbers;
}

Answer<int> Registry::delete_version(const std::string& subject, int number, bool permanent) {
  const Lock lock = writing();
  const SchemaVersionPtr schema =
      number < 0 ? state_.latest(subject) : state_.version(subject, number);
  const std::string named = "Subject " + quoted(subject) + " Version ";
  if (!schema) {
    if (!state_.has_subjects(subject, true)) return subject_not_found(subject);
    return refuse(40402, "Version " + std::to_string(number) + " not found.");
  }
  if (!permanent && schema->deleted) {
    return refuse(40406, named + std::to_string(number) +
                             " was soft deleted.Set permanent=true to delete permanently");
  }
  TRY(refuse_read_only(subject));
  if (!permanent && !state_.associations().of_subject(subject, {}).empty()) {
    const auto stays = [&](const auto& one) {
      return !one.second->deleted && one.first != schema->version;
    };
    if (std::ranges::none_of(state_.versions(subject), stays))
      return refuse(40907, "No active (non-deleted) version exists for subject " + quoted(subject));
  }
  if (!referring_subjects(subject, schema->version, permanent).empty())
    return referenced(subject, schema->version);
  if (permanent && !schema->deleted) {
    return refuse(40407, named + std::to_string(schema->version) +
                             " was not deleted first before being permanently deleted");
  }
  std::vector<Change> changes;
  if (!permanent) {
    SchemaVersion gone = *schema;
    gone.deleted = true;
    changes.emplace_back(PutSchema{std::move(gone)});
  } else {
    changes.emplace_back(DropSchema{subject, schema->version});
    if (state_.versions(subject).size() == 1) {
      if (state_.mode(subject)) changes.emplace_back(PutMode{subject, std::nullopt});
      if (state_.config(subject)) changes.emplace_back(PutConfig{subject, std::nullopt});
    }
  }
  TRY(write(std::move(changes)));
  return schema->version;
}

Answer<void> Registry::delete_context(const std::string& context) {
  const Lock lock = writing();
  const std::string prefix = context_prefix(context);
  if (state_.has_subjects(prefix.empty() ? ":.:" : prefix, true))
    return refuse(42211, "The specified context " + quoted(context) + " is not empty.");
  return write({PutContext{SubjectName::parse(prefix).context, true}});
}

Answer<Config> Registry::config(const Scope& scope, bool inherited) const {
  const auto lock = reading();
  if (inherited) return config_in_scope(scope);
  const Config* own = state_.config(scope);
  if (!own && scope && !is_global(scope)) {
    return refuse(40408, "Subject " + quoted(*scope) +
                             " does not have subject-level compatibility configured");
  }
  Config out = own ? *own : Config();
  if (!out.compatibility) out.compatibility = schema::Level::kBackward;
  return out;
}

Answer<Config> Registry::set_config(const Scope& scope, const Config& change,
                                    const std::vector<std::string>& cleared) {
  const Lock lock = writing();
  TRY(refuse_read_only(scope));
  const Config* own = state_.config(scope);
  Config out = own ? *own : Config();
  each_setting(out, change, [&](std::string_view name, auto& kept, const auto& given) {
    if (given || std::ranges::find(cleared, name) != cleared.end()) kept = given;
  });
  TRY(write({PutConfig{scope, out}}));
  return out;
}

Answer<Config> Registry::delete_config(const Scope& scope) {
  const Lock lock = writing();
  const Config* own = state_.config(scope);
  if (!own && scope && !is_global(scope)) return subject_not_found(*scope);
  Config out = own ? *own : Config();
  if (!out.compatibility) out.compatibility = schema::Level::kBackward;
  TRY(refuse_read_only(scope));
  TRY(write({PutConfig{scope, std::nullopt}}));
  return out;
}

Answer<Mode> Registry::mode(const Scope& scope, bool inherited) const {
  const auto lock = reading();
  if (inherited) return mode_in_scope(scope);
  if (const auto own = state_.mode(scope)) return *own;
  if (!scope || is_global(scope)) return Mode::kReadWrite;
  return refuse(40409,
                "Subject " + quoted(*scope) + " does not have subject-level mode configured");
}

Answer<std::vector<Change>> Registry::clear_for_import(const Scope& scope) const {
  if (state_.has_subjects(scope, false))
    return not_permitted("Cannot import since found existing subjects");
  std::vector<Change> changes;
  for (const std::string& subject : state_.subjects_in(scope, true)) {
    for (const auto& [number, schema] : state_.versions(subject)) {
      if (!state_.referrers(subject, number).empty()) return referenced(subject, number);
      changes.emplace_back(DropSchema{subject, number});
    }
  }
  changes.emplace_back(ClearSubject{scope});
  return changes;
}

Answer<void> Registry::set_mode(const Scope& scope, std::optional<Mode> mode, bool force) {
  const Lock lock = writing();
  std::vector<Change> changes;
  if (mode == Mode::kImport && mode_in_scope(scope) != Mode::kImport && !force) {
    ASSIGN(changes, clear_for_import(scope));
  }
  changes.emplace_back(PutMode{scope, mode});
  return write(std::move(changes));
}

Answer<std::optional<Mode>> Registry::delete_mode(const Scope& scope, bool recursive) {
  const Lock lock = writing();
  std::optional<Mode> own = state_.mode(scope);
  if (!own && (!scope || is_global(scope))) own = Mode::kReadWrite;
  if (!own && !recursive) return subject_not_found(*scope);
  std::vector<Change> changes{PutMode{scope, std::nullopt}};
  if (recursive && is_context(scope)) {
    const std::string context =
        scope ? SubjectName::parse(*scope).context : std::string(kDefaultContext);
    for (const auto& [other, mode] : state_.modes()) {
      if (other && other != scope && SubjectName::parse(*other).context == context)
        changes.emplace_back(PutMode{other, std::nullopt});
    }
  }
  TRY(write(std::move(changes)));
  return own;
}

std::map<std::string, std::vector<std::string>> Registry::aliases(std::string_view prefix) const {
  const auto lock = reading();
  const bool everywhere = prefix.starts_with(kEveryContext);
  if (everywhere) prefix.remove_prefix(kEveryContext.size());
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [scope, config] : state_.configs()) {
    if (!scope || !config.alias || config.alias->empty()) continue;
    const std::string name = everywhere ? SubjectName::parse(*scope).subject : *scope;
    if (name.starts_with(prefix))
      out[SubjectName::within(*scope, *config.alias).qualified()].push_back(*scope);
  }
  return out;
}

std::string Registry::resolved_alias(const std::string& subject) const {
  const auto lock = reading();
  return resolved_alias_here(subject);
}

std::string Registry::resolved_alias_here(const std::string& subject) const {
  const Config* own = state_.config(subject);
  if (!own || !own->alias || own->alias->empty()) return subject;
  return SubjectName::within(subject, *own->alias).qualified();
}

}  // namespace tailrace::subjects
