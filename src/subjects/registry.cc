// What is asked of a registry: versions, ids, guids, subjects and contexts.
#include "subjects/registry.h"

#include <algorithm>

#include "base/log.h"

namespace tailrace::subjects {
namespace {

bool is_shown(const SchemaVersion& schema, bool deleted_too) {
  return deleted_too || !schema.deleted;
}

// Whether `subject` begins with `prefix`, in the context that the prefix says or in any.
bool begins(std::string_view subject, std::string_view prefix) {
  if (!prefix.starts_with(kEveryContext)) return subject.starts_with(prefix);
  prefix.remove_prefix(kEveryContext.size());
  return prefix.empty() || SubjectName::parse(subject).subject.starts_with(prefix);
}

// What is damaged the store has told.
void warn_unless(const Status& taken) {
  if (!taken && taken.error().code != Code::kDataLoss)
    LOG(warn, "schema registry: what others wrote is not known: {}", taken.error().what);
}

}  // namespace

Status Registry::take_up() const {
  Status taken = store_.read_new([this](Change change) { state_.apply(std::move(change)); });
  if (taken)
    unread_.reset();
  else if (taken.error().code == Code::kDataLoss)
    unread_ = taken.error();
  return taken;
}

Status Registry::catch_up() const {
  if (!store_.has_new()) return {};
  const Lock lock(mutex_);
  return take_up();
}

Answer<void> Registry::available() const {
  const auto lock = reading();
  if (unread_) return std::unexpected(Refusal(*unread_));
  return {};
}

std::shared_lock<std::shared_mutex> Registry::reading() const {
  warn_unless(catch_up());
  return std::shared_lock(mutex_);
}

Registry::Lock Registry::writing() {
  Lock lock(mutex_);
  warn_unless(take_up());
  return lock;
}

Answer<void> Registry::write(std::vector<Change> changes) {
  if (unread_) return std::unexpected(Refusal(*unread_));
  std::vector<RecordText> records;
  for (const Change& change : changes) {
    records.push_back(encode(change));
    // What is kept must be readable when it is loaded.
    const auto& value = records.back().value;
    if (value && value->size() > schema::kMaxSchemaBytes)
      return refuse(42209, "Register operation failed because schema is too large");
  }
  TRY(store_.append(records));
  TRY(take_up());
  return {};
}

Config Registry::config_in_scope(const Scope& scope) const {
  const Config* own = state_.config(scope);
  const Config* above = own && scope ? state_.config(std::nullopt) : nullptr;
  if (!own) own = state_.inherited_config(scope);
  Config out = own ? *own : Config();
  if (above) {
    each_setting(out, *above, [](std::string_view, auto& mine, const auto& other) {
      if constexpr (requires { merged(other, mine); })
        mine = merged(other, mine);
      else if (!mine)
        mine = other;
    });
  }
  if (!out.compatibility) out.compatibility = schema::Level::kBackward;
  return out;
}

Mode Registry::mode_in_scope(const Scope& scope) const {
  if (const auto own = state_.mode(scope)) return *own;
  return state_.inherited_mode(scope).value_or(Mode::kReadWrite);
}

SchemaVersionPtr Registry::version_anywhere(const std::string& subject, int number,
                                            bool deleted_too) const {
  const auto here = [&](const std::string& name) -> SchemaVersionPtr {
    if (number < 0) return state_.latest(name);
    SchemaVersionPtr found = state_.version(name, number);
    return found && is_shown(*found, deleted_too) ? found : nullptr;
  };
  if (SchemaVersionPtr found = here(subject)) return found;
  if (SubjectName::parse(subject).context != kDefaultContext) return nullptr;
  for (const std::string& context : state_.contexts()) {
    if (SchemaVersionPtr found = here(SubjectName{context, subject}.qualified())) return found;
  }
  return nullptr;
}

Refusal Registry::no_version(const std::string& subject, int number, bool deleted_too) const {
  if (!state_.has_subjects(subject, deleted_too)) return subject_not_found(subject).error();
  return {40402, "Version " + std::to_string(number) + " not found."};
}

Answer<SchemaVersionPtr> Registry::version(const std::string& subject, int number,
                                           bool deleted_too) const {
  const auto lock = reading();
  if (SchemaVersionPtr found = version_anywhere(subject, number, deleted_too)) return found;
  return std::unexpected(no_version(subject, number, deleted_too));
}

Answer<std::vector<int>> Registry::versions(const std::string& subject, Show show) const {
  const auto lock = reading();
  if (!state_.has_subjects(subject, show != Show::kLive)) return subject_not_found(subject);
  std::vector<int> out;
  for (const auto& [number, schema] : state_.versions(subject)) {
    if (show == Show::kAll || schema->deleted == (show == Show::kDeletedOnly))
      out.push_back(number);
  }
  return out;
}

Answer<SchemaVersionPtr> Registry::latest_with(const std::string& subject,
                                               const std::map<std::string, std::string>& properties,
                                               bool deleted_too) const {
  const auto lock = reading();
  const State::Versions& all = state_.versions(subject);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const SchemaVersion& schema = *at->second;
    if (!is_shown(schema, deleted_too) || !schema.metadata) continue;
    const bool has_all = std::ranges::all_of(properties, [&](const auto& wanted) {
      const auto found = schema.metadata->properties.find(wanted.first);
      return found != schema.metadata->properties.end() && found->second == wanted.second;
    });
    if (has_all) return at->second;
  }
  if (!state_.has_subjects(subject, deleted_too)) return subject_not_found(subject);
  return refuse(40403, "Schema not found");
}

Answer<std::vector<int>> Registry::referenced_by(const std::string& subject, int number,
                                                 bool deleted_too) const {
  const auto lock = reading();
  const SchemaVersionPtr schema = version_anywhere(subject, number, true);
  if (!schema) return std::unexpected(no_version(subject, number, true));
  std::vector<int> out;
  for (const ContextId& one : state_.referrers(schema->subject, schema->version)) {
    const auto& users = state_.subjects_of_id(one.context, one.id);
    const bool shown = std::ranges::any_of(users, [&](const auto& user) {
      const SchemaVersionPtr found = state_.version(user.first, user.second);
      return found && is_shown(*found, deleted_too);
    });
    if (shown) out.push_back(one.id);
  }
  return out;
}

std::vector<std::string> Registry::referring_subjects(const std::string& subject, int version,
                                                      bool deleted_too) const {
  std::vector<std::string> out;
  for (const ContextId& one : state_.referrers(subject, version)) {
    for (const auto& [user, number] : state_.subjects_of_id(one.context, one.id)) {
      const SchemaVersionPtr found = state_.version(user, number);
      if (found && is_shown(*found, deleted_too)) out.push_back(user);
    }
  }
  return out;
}

SchemaVersionPtr Registry::key_of_id(int id, const std::string& subject) const {
  const SubjectName name = SubjectName::parse(subject);
  const auto in = [&](const std::string& context) -> SchemaVersionPtr {
    const auto& users = state_.subjects_of_id(context, id);
    if (users.empty()) return nullptr;
    if (name.subject.empty()) return state_.version(users.begin()->first, users.begin()->second);
    const auto own = users.find(SubjectName{context, name.subject}.qualified());
    return own == users.end() ? nullptr : state_.version(own->first, own->second);
  };
  if (SchemaVersionPtr found = in(name.context)) return found;
  if (name.subject.empty() || name.context != kDefaultContext) return nullptr;
  for (const std::string& context : state_.contexts()) {
    if (SchemaVersionPtr found = in(context)) return found;
  }
  const auto& users = state_.subjects_of_id(name.context, id);
  if (users.empty()) return nullptr;
  return state_.version(users.begin()->first, users.begin()->second);
}

Answer<SchemaVersionPtr> Registry::by_id(int id, const std::string& subject) const {
  const auto lock = reading();
  if (SchemaVersionPtr found = key_of_id(id, subject)) return found;
  return refuse(40403, "Schema " + std::to_string(id) + " not found");
}

Answer<std::vector<SubjectVersion>> Registry::users_of_id(int id, const std::string& subject,
                                                          bool deleted_too) const {
  const auto lock = reading();
  const SchemaVersionPtr schema = key_of_id(id, subject);
  if (!schema) return refuse(40403, "Schema not found");
  const std::string context = SubjectName::parse(schema->subject).context;
  std::vector<SubjectVersion> out;
  for (const auto& [user, number] : state_.subjects_of_id(context, id)) {
    const SchemaVersionPtr found = state_.version(user, number);
    if (found && is_shown(*found, deleted_too)) out.push_back({user, number});
  }
  return out;
}

std::vector<ContextId> Registry::ids_of_guid(const std::string& guid) const {
  const auto lock = reading();
  std::vector<ContextId> out;
  const auto fingerprint = fingerprint_of_guid(guid);
  if (!fingerprint) return out;
  std::vector<std::string> contexts{std::string(kDefaultContext)};
  contexts.insert(contexts.end(), state_.contexts().begin(), state_.contexts().end());
  for (const std::string& context : contexts) {
    if (const auto id = state_.id_of(context, *fingerprint)) out.push_back({context, *id});
  }
  return out;
}

Answer<SchemaVersionPtr> Registry::by_guid(const std::string& guid) const {
  const std::vector<ContextId> ids = ids_of_guid(guid);
  if (ids.empty()) return refuse(40403, "Schema " + guid + " not found");
  return by_id(ids.front().id, context_prefix(ids.front().context));
}

int Registry::max_id(std::string_view context) const {
  const auto lock = reading();
  return std::max(1, state_.max_id(context));
}

std::vector<std::string> Registry::subjects(std::string_view prefix, Show show) const {
  const auto lock = reading();
  std::vector<std::string> out;
  for (const auto& [subject, versions] : state_.subjects()) {
    if (!begins(subject, prefix)) continue;
    const bool all_deleted =
        std::ranges::all_of(versions, [](const auto& one) { return one.second->deleted; });
    if (show == Show::kAll || all_deleted == (show == Show::kDeletedOnly)) out.push_back(subject);
  }
  return out;
}

std::vector<SchemaVersionPtr> Registry::schemas(std::string_view prefix, bool deleted_too,
                                                bool latest_only) const {
  const auto lock = reading();
  std::vector<SchemaVersionPtr> out;
  for (const auto& [subject, versions] : state_.subjects()) {
    if (!begins(subject, prefix)) continue;
    SchemaVersionPtr last;
    for (const auto& [number, schema] : versions) {
      if (!is_shown(*schema, deleted_too)) continue;
      if (!latest_only) out.push_back(schema);
      last = schema;
    }
    if (latest_only && last) out.push_back(last);
  }
  return out;
}

std::vector<std::string> Registry::contexts() const {
  const auto lock = reading();
  std::vector<std::string> out{std::string(kDefaultContext)};
  out.insert(out.end(), state_.contexts().begin(), state_.contexts().end());
  return out;
}

Registry::Counts Registry::counts() const {
  const auto lock = reading();
  Counts counts;
  for (const auto& [name, versions] : state_.subjects()) {
    const auto deleted = static_cast<std::size_t>(
        std::ranges::count_if(versions, [](const auto& one) { return one.second->deleted; }));
    counts.versions += versions.size() - deleted;
    counts.deleted_versions += deleted;
    counts.subjects += deleted < versions.size() ? 1 : 0;
  }
  return counts;
}

}  // namespace tailrace::subjects
