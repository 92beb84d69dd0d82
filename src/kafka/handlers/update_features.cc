// UpdateFeatures (KIP-584): sets levels, all or none. group.version 0 switches KIP-848 off.
#include <fmt/format.h>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/update_features_request.h"
#include "kafka/messages/update_features_response.h"

namespace tailrace::kafka {
namespace {

constexpr std::int8_t kUpgrade = 1;
constexpr std::string_view kMetadataVersion = "metadata.version";

using Update = UpdateFeaturesRequest::FeatureUpdateKey;

Status check(const Call& call, const Update& update) {
  TRY(Features::check(update.feature, update.max_version_level));
  const auto now = call.broker().features().level(update.feature);
  const bool lowers = update.max_version_level < now;
  const bool may_lower = call.since(1) ? update.upgrade_type != kUpgrade : update.allow_downgrade;
  if (lowers && (!may_lower || update.feature == kMetadataVersion)) {
    return error(
        Code::kInvalidArgument,
        fmt::format("Invalid update version {} for feature {}. Can't downgrade the version "
                    "of this feature without setting the upgrade type to either safe or "
                    "unsafe downgrade.",
                    update.max_version_level, update.feature));
  }
  return {};
}

void update_all(Call& call, const UpdateFeaturesRequest& request) {
  UpdateFeaturesResponse response;
  response.error_message.reset();
  std::map<std::string, std::int16_t> levels;
  Status done;
  for (const auto& update : request.feature_updates) {
    done = check(call, update);
    if (!done) break;
    levels[update.feature] = update.max_version_level;
    response.results.push_back({update.feature, 0, std::nullopt});
  }
  if (done && !request.validate_only) done = call.broker().features().set(levels);
  if (!done) {
    const bool invalid = done.error().code == Code::kInvalidArgument;
    response.error_code =
        wire(invalid ? ErrorCode::kInvalidUpdateVersion : ErrorCode::kFeatureUpdateFailed);
    response.error_message = fmt::format(
        "The update failed for all features since the following feature had an error: {}",
        done.error().what);
    response.results.clear();
  }
  if (call.since(2)) response.results.clear();
  call.answer(response);
}

}  // namespace

void update_features(Call call, const UpdateFeaturesRequest& request) {
  call.broker().later([call = std::move(call), request]() mutable { update_all(call, request); });
}

}  // namespace tailrace::kafka
