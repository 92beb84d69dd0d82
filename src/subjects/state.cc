// The records of `_schemas` summed up, with the indexes that lookups ask.
#include "subjects/state.h"

#include <algorithm>

#include "base/log.h"

namespace tailrace::subjects {
namespace {

// Whether a subject is what `scope` names: itself, one of its context, or any.
bool is_in(const Scope& scope, std::string_view subject) {
  if (!scope || *scope == subject) return true;
  const SubjectName name = SubjectName::parse(*scope);
  if (!name.subject.empty()) return false;
  return name.context == kGlobalContext || name.context == SubjectName::parse(subject).context;
}

std::string global_scope() {
  return ":" + std::string(kGlobalContext) + ":";
}

// Where what is not set for the subject itself is looked for, in this order.
std::vector<Scope> above(const Scope& scope) {
  std::vector<Scope> out;
  const std::string context = scope ? SubjectName::parse(*scope).prefix() : "";
  out.push_back(context.empty() ? Scope() : Scope(context));
  out.push_back(global_scope());
  return out;
}

}  // namespace

void State::apply(Change change) {
  std::visit([this](auto& one) { apply_one(one); }, change);
}

void State::apply_one(PutSchema& put) {
  SchemaVersion& schema = put.schema;
  Context& context = by_context_[SubjectName::parse(schema.subject).context];
  const auto users = context.users.find(schema.id);
  if (users != context.users.end() && !users->second.empty()) {
    const auto& [subject, number] = *users->second.begin();
    const SchemaVersionPtr known = version(subject, number);
    if (known && known->text != schema.text) {
      LOG(error, "schema registry: id {} is another schema's already; {} version {} is left out",
          schema.id, schema.subject, schema.version);
      return;
    }
  }
  context.max_id = std::max(context.max_id, schema.id);
  context.users[schema.id][schema.subject] = schema.version;
  context.ids[schema.fingerprint] = schema.id;
  if (!schema.deleted) note_references(schema, true);
  auto shared = std::make_shared<const SchemaVersion>(std::move(schema));
  subjects_[shared->subject][shared->version] = shared;
}

void State::note_references(const SchemaVersion& schema, bool add) {
  const ContextId id{SubjectName::parse(schema.subject).context, schema.id};
  for (const SchemaReference& reference : schema.references) {
    const SubjectName target = SubjectName::within(schema.subject, reference.subject);
    auto& referrers = by_context_[target.context].referrers;
    const std::pair key{target.qualified(), reference.version};
    if (add) {
      referrers[key].insert(id);
    } else if (const auto found = referrers.find(key); found != referrers.end()) {
      found->second.erase(id);
      if (found->second.empty()) referrers.erase(found);
    }
  }
}

void State::forget_user(const SchemaVersion& schema) {
  Context& context = by_context_[SubjectName::parse(schema.subject).context];
  const auto users = context.users.find(schema.id);
  if (users == context.users.end()) return;
  const auto own = users->second.find(schema.subject);
  if (own != users->second.end() && own->second == schema.version) users->second.erase(own);
  if (users->second.empty()) context.users.erase(users);
}

void State::apply_one(DropSchema& drop) {
  const auto subject = subjects_.find(drop.subject);
  if (subject == subjects_.end()) return;
  const auto found = subject->second.find(drop.version);
  if (found == subject->second.end()) return;
  const SchemaVersionPtr schema = found->second;
  forget_user(*schema);
  note_references(*schema, false);
  subject->second.erase(found);
  if (subject->second.empty()) subjects_.erase(subject);
}

void State::apply_one(PutConfig& put) {
  if (put.config)
    configs_[put.scope] = std::move(*put.config);
  else
    configs_.erase(put.scope);
}

void State::apply_one(PutMode& put) {
  if (put.mode)
    modes_[put.scope] = *put.mode;
  else
    modes_.erase(put.scope);
}

void State::apply_one(DeleteSubject& del) {
  const auto subject = subjects_.find(del.subject);
  if (subject == subjects_.end()) return;
  for (auto& [number, schema] : subject->second) {
    if (number > del.up_to_version || schema->deleted) continue;
    SchemaVersion gone = *schema;
    gone.deleted = true;
    schema = std::make_shared<const SchemaVersion>(std::move(gone));
  }
}

void State::apply_one(ClearSubject& clear) {
  std::vector<DropSchema> drops;
  for (const auto& [subject, versions] : subjects_) {
    if (!is_in(clear.scope, subject)) continue;
    for (const auto& [number, schema] : versions) {
      if (schema->deleted) drops.push_back({subject, number});
    }
  }
  for (DropSchema& drop : drops) apply_one(drop);
}

void State::apply_one(PutContext& put) {
  if (put.dropped)
    contexts_.erase(put.context);
  else if (put.context != kDefaultContext)
    contexts_.insert(put.context);
}

void State::apply_one(PutAssociation& put) {
  if (put.dropped)
    associations_.drop(put.association.key());
  else
    associations_.put(std::move(put.association));
}

const State::Versions& State::versions(std::string_view subject) const {
  static const Versions kNone;
  const auto found = subjects_.find(subject);
  return found == subjects_.end() ? kNone : found->second;
}

SchemaVersionPtr State::version(std::string_view subject, int number) const {
  const Versions& all = versions(subject);
  const auto found = all.find(number);
  return found == all.end() ? nullptr : found->second;
}

SchemaVersionPtr State::latest(std::string_view subject) const {
  const Versions& all = versions(subject);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if (!at->second->deleted) return at->second;
  }
  return nullptr;
}

std::vector<std::string> State::subjects_in(const Scope& scope, bool deleted_too) const {
  std::vector<std::string> out;
  for (const auto& [subject, versions] : subjects_) {
    if (!is_in(scope, subject)) continue;
    const bool there = std::ranges::any_of(
        versions, [&](const auto& one) { return deleted_too || !one.second->deleted; });
    if (there) out.push_back(subject);
  }
  return out;
}

bool State::has_subjects(const Scope& scope, bool deleted_too) const {
  if (scope && !SubjectName::parse(*scope).subject.empty()) {
    return deleted_too ? !versions(*scope).empty() : latest(*scope) != nullptr;
  }
  return !subjects_in(scope, deleted_too).empty();
}

const State::Context* State::context(std::string_view name) const {
  const auto found = by_context_.find(name);
  return found == by_context_.end() ? nullptr : &found->second;
}

std::optional<int> State::id_of(std::string_view name, const std::string& fingerprint) const {
  const Context* in = context(name);
  if (!in) return std::nullopt;
  const auto found = in->ids.find(fingerprint);
  if (found == in->ids.end() || !in->users.contains(found->second)) return std::nullopt;
  return found->second;
}

const std::map<std::string, int>& State::subjects_of_id(std::string_view name, int id) const {
  static const std::map<std::string, int> kNone;
  const Context* in = context(name);
  if (!in) return kNone;
  const auto found = in->users.find(id);
  return found == in->users.end() ? kNone : found->second;
}

int State::max_id(std::string_view name) const {
  const Context* in = context(name);
  return in ? in->max_id : 0;
}

const std::set<ContextId>& State::referrers(std::string_view subject, int version) const {
  static const std::set<ContextId> kNone;
  const SubjectName name = SubjectName::parse(subject);
  const Context* in = context(name.context);
  if (!in) return kNone;
  const auto found = in->referrers.find({name.qualified(), version});
  return found == in->referrers.end() ? kNone : found->second;
}

const Config* State::config(const Scope& scope) const {
  const auto found = configs_.find(scope);
  return found == configs_.end() ? nullptr : &found->second;
}

std::optional<Mode> State::mode(const Scope& scope) const {
  const auto found = modes_.find(scope);
  return found == modes_.end() ? std::nullopt : std::optional(found->second);
}

const Config* State::inherited_config(const Scope& scope) const {
  for (const Scope& where : above(scope)) {
    if (const Config* found = config(where)) return found;
  }
  return nullptr;
}

std::optional<Mode> State::inherited_mode(const Scope& scope) const {
  for (const Scope& where : above(scope)) {
    if (const auto found = mode(where)) return found;
  }
  return std::nullopt;
}

}  // namespace tailrace::subjects
