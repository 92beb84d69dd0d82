// DescribeUserScramCredentials (KIP-554): who has a password, in which mechanisms; never the keys.
#include <map>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_user_scram_credentials_request.h"
#include "kafka/messages/describe_user_scram_credentials_response.h"

namespace tailrace::kafka {
namespace {

using Result = DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult;
using Known = decltype(std::declval<auth::ScramUsers>().all());

Result describe(const std::string& user, const Known& known, bool twice) {
  Result result;
  result.user = user;
  result.error_message.reset();
  const auto found = known.find(user);
  if (twice) {
    result.error_code = wire(ErrorCode::kDuplicateResource);
    result.error_message =
        "Cannot describe SCRAM credentials for the same user twice in a single "
        "request: " +
        user;
  } else if (found == known.end()) {
    result.error_code = wire(ErrorCode::kResourceNotFound);
    result.error_message = "Attempt to describe a user credential that does not exist: " + user;
  } else {
    for (const auto& [mechanism, iterations] : found->second) {
      result.credential_infos.push_back({static_cast<std::int8_t>(mechanism), iterations});
    }
  }
  return result;
}

}  // namespace

void describe_user_scram_credentials(Call call,
                                     const DescribeUserScramCredentialsRequest& request) {
  const auto known = call.broker().scram_users().all();
  std::map<std::string, int> asked;
  if (request.users) {
    for (const auto& one : *request.users) ++asked[one.name];
  }
  if (asked.empty()) {
    for (const auto& [user, mechanisms] : known) asked[user] = 1;
  }
  DescribeUserScramCredentialsResponse response;
  response.error_message.reset();
  for (const auto& [user, times] : asked) {
    response.results.push_back(describe(user, known, times > 1));
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
