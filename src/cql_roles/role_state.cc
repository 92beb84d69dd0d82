#include "cql_roles/role_state.h"

#include "cql_roles/passwords.h"
#include "rt/wall_time.h"

namespace tailrace::cql_roles {

using cql_schema::Event;

namespace {

std::int64_t now_seconds() {
  return rt::wall_microseconds() / 1'000'000;
}

/// The resources that a keyspace or a table of it is gone with, of those that something is granted
/// on.
std::vector<std::string> gone_with(const Event& event, const Roles& roles) {
  std::set<std::string> gone;
  const bool whole = event.target == Event::Target::kKeyspace;
  const std::string table = Resource::table(event.keyspace, event.name).key();
  const std::string data = Resource::of_keyspace(event.keyspace).key();
  const std::string functions = Resource::functions_of(event.keyspace).key();
  for (const auto& [role, grants] : roles.grants())
    for (const auto& [key, permissions] : grants) {
      const bool within = key == data || key == functions || key.starts_with(data + "/") ||
                          key.starts_with(functions + "/");
      if (whole ? within : key == table) gone.insert(key);
    }
  return {gone.begin(), gone.end()};
}

}  // namespace

RolesPtr RoleState::roles() const {
  const auto state = state_.load();
  if (state->expires > now_seconds()) return state->roles;
  // Who cannot read again goes on with what was there.
  const auto read = reread();
  return read ? state_.load()->roles : state->roles;
}

Status RoleState::reread() const {
  const std::lock_guard lock(reading_);
  const auto snapshot = store_.snapshot();
  ASSIGN(auto read, read_roles(*snapshot, *schema_(), now_seconds()));
  auto state = std::make_shared<State>();
  state->roles = std::make_shared<const Roles>(std::move(read.roles));
  state->expires = read.expires;
  state_ = std::shared_ptr<const State>(std::move(state));
  return {};
}

RoleWriter RoleState::writer(cql_store::Mutation& mutation,
                             const cql_schema::Schema& schema) const {
  return {mutation, schema, timestamps_(), now_seconds()};
}

Status RoleState::keep(cql_store::Mutation mutation) const {
  std::atomic<bool> finished = false;
  Status kept;
  store_.commit(std::move(mutation), [&](Status status) {
    kept = std::move(status);
    finished = true;
    finished.notify_one();
  });
  finished.wait(false);
  TRY(std::move(kept));
  return reread();
}

Status RoleState::make_first(const std::string& password) {
  if (!roles()->all().empty()) return {};
  cql_store::Mutation mutation;
  const auto schema = schema_();
  constexpr std::int64_t kBeforeEverything = 0;  // as Cassandra: who altered it has done so later
  RoleWriter(mutation, *schema, kBeforeEverything, now_seconds())
      .create(kFirstRole,
              {.superuser = true, .login = true, .salted_hash = hash_password(password)});
  return keep(std::move(mutation));
}

bool RoleState::has_default_password() const {
  const auto all = roles();
  const Role* first = all->find(kFirstRole);
  return first != nullptr && first->login && is_password(kDefaultPassword, first->salted_hash);
}

cql_types::Outcome<cql_protocol::Answer> RoleState::run(const cql_syntax::Statement& statement,
                                                        Asker asker) const {
  const auto schema = schema_();
  const auto all = roles();
  const Scene scene{.roles = *all,
                    .schema = *schema,
                    .user = std::move(asker.user),
                    .keyspace = std::move(asker.keyspace),
                    .passwords = asker.passwords,
                    .data_center = std::move(asker.data_center),
                    .salted_hash = std::move(asker.salted_hash)};
  cql_store::Mutation mutation;
  auto writer = this->writer(mutation, *schema);
  ASSIGN(auto answer, cql_roles::run(statement, scene, writer));
  if (!mutation.empty()) {
    TRY(keep(std::move(mutation)));
  }
  return answer;
}

bool RoleState::follow(const cql_schema::Change& change, const std::string& maker,
                       cql_store::Mutation& mutation) const {
  if (!change.event) return false;
  const Event& event = *change.event;
  const bool keyspace = event.target == Event::Target::kKeyspace;
  if (!keyspace && event.target != Event::Target::kTable) return false;
  const auto schema = schema_();
  auto writer = this->writer(mutation, *schema);
  if (event.change == Event::Change::kDropped) {
    const auto all = roles();
    const auto gone = gone_with(event, *all);
    for (const auto& key : gone) writer.revoke_all_on(key, *all);
    return !gone.empty();
  }
  if (event.change != Event::Change::kCreated || maker.empty()) return false;
  std::vector<Resource> made;
  if (keyspace) {
    made = {Resource::of_keyspace(event.keyspace), Resource::functions_of(event.keyspace)};
  } else {
    const auto table = change.schema->table(event.keyspace, event.name);
    if (table == nullptr || table->view) return false;
    made = {Resource::table(event.keyspace, event.name)};
  }
  for (const auto& one : made) writer.grant(maker, one.key(), one.applicable());
  return true;
}

}  // namespace tailrace::cql_roles
