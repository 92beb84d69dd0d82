// AlterUserScramCredentials (KIP-554): passwords of users, as what SCRAM keeps of them.
#include <map>
#include <set>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/alter_user_scram_credentials_request.h"
#include "kafka/messages/alter_user_scram_credentials_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

using Changes = std::map<auth::ScramUsers::Key, std::optional<auth::ScramCredential>>;
using Refusals = std::map<std::string, Refusal>;  // by user

std::optional<auth::ScramMechanism> mechanism_of(std::int8_t number) {
  if (number != 1 && number != 2) return std::nullopt;
  return static_cast<auth::ScramMechanism>(number);
}

std::optional<Refusal> check(const std::string& name, std::int8_t mechanism) {
  if (name.empty())
    return Refusal{ErrorCode::kUnacceptableCredential, "Username must not be empty"};
  if (!mechanism_of(mechanism)) {
    return Refusal{ErrorCode::kUnsupportedSaslMechanism, "Unknown SCRAM mechanism"};
  }
  return std::nullopt;
}

void delete_one(Broker& broker,
                const AlterUserScramCredentialsRequest::ScramCredentialDeletion& one,
                Changes& changes, Refusals& refusals) {
  if (const auto refusal = check(one.name, one.mechanism)) {
    refusals.emplace(one.name, *refusal);
    return;
  }
  const auto mechanism = *mechanism_of(one.mechanism);
  if (!broker.scram_users().find(one.name, mechanism)) {
    refusals.emplace(one.name, Refusal{ErrorCode::kResourceNotFound,
                                       "Attempt to delete a user credential that does not exist"});
    return;
  }
  changes[{one.name, mechanism}] = std::nullopt;
}

void set_one(const AlterUserScramCredentialsRequest::ScramCredentialUpsertion& one,
             Changes& changes, Refusals& refusals) {
  auto refusal = check(one.name, one.mechanism);
  if (!refusal && one.iterations < auth::kLeastIterations) {
    refusal = Refusal{ErrorCode::kUnacceptableCredential, "Too few iterations"};
  }
  if (!refusal && one.iterations > auth::kMostIterations) {
    refusal = Refusal{ErrorCode::kUnacceptableCredential, "Too many iterations"};
  }
  if (refusal) {
    refusals.emplace(one.name, *refusal);
    return;
  }
  const auto mechanism = *mechanism_of(one.mechanism);
  changes[{one.name, mechanism}] =
      auth::credential_of(mechanism, one.salted_password, std::string(one.salt), one.iterations);
}

/// Users named twice for one mechanism.
std::set<std::string> doubled(const AlterUserScramCredentialsRequest& request) {
  std::set<std::pair<std::string, std::int8_t>> seen;
  std::set<std::string> twice;
  const auto note = [&](const auto& one) {
    if (!seen.emplace(one.name, one.mechanism).second) twice.insert(one.name);
  };
  for (const auto& one : request.deletions) note(one);
  for (const auto& one : request.upsertions) note(one);
  return twice;
}

AlterUserScramCredentialsResponse alter(Broker& broker,
                                        const AlterUserScramCredentialsRequest& request) {
  Changes changes;
  Refusals refusals;
  for (const auto& name : doubled(request)) {
    refusals.emplace(name,
                     Refusal{ErrorCode::kDuplicateResource,
                             "A user credential cannot be altered twice in the same request"});
  }
  std::set<std::string> users;
  for (const auto& one : request.deletions) {
    users.insert(one.name);
    delete_one(broker, one, changes, refusals);
  }
  for (const auto& one : request.upsertions) {
    users.insert(one.name);
    set_one(one, changes, refusals);
  }
  std::erase_if(changes, [&](const auto& one) { return refusals.contains(one.first.first); });
  const auto done = broker.scram_users().change(changes);
  AlterUserScramCredentialsResponse response;
  for (const auto& user : users) {
    auto& result = response.results.emplace_back();
    result.user = user;
    result.error_message.reset();
    if (const auto found = refusals.find(user); found != refusals.end()) {
      result.error_code = wire(found->second.code);
      result.error_message = found->second.why;
    } else if (!done) {
      result.error_code = wire(ErrorCode::kKafkaStorageError);
      result.error_message = done.error().what;
    }
  }
  return response;
}

}  // namespace

void alter_user_scram_credentials(Call call, const AlterUserScramCredentialsRequest& request) {
  // What a request points to is gone when its handler returns: its texts are taken along.
  struct Kept {
    Call call;
    AlterUserScramCredentialsRequest request;
    std::vector<std::string> bytes;
  };
  auto kept = std::make_shared<Kept>(Kept{std::move(call), request, {}});
  kept->bytes.reserve(2 * request.upsertions.size());
  for (auto& one : kept->request.upsertions) {
    one.salt = kept->bytes.emplace_back(one.salt);
    one.salted_password = kept->bytes.emplace_back(one.salted_password);
  }
  kept->call.broker().later(
      [kept] { kept->call.answer(alter(kept->call.broker(), kept->request)); });
}

}  // namespace tailrace::kafka
