// Keys and values of records in Confluent's wire format as JSON, by the schemas of a registry: for
// who looks at records.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "console/log_view.h"
#include "log/record.h"
#include "schema/record_json.h"
#include "subjects/subjects_client.h"

namespace tailrace::app {

/// Threads: any, one after another. Schemas that were found are kept; what failed is asked again a
/// little later, and so is a registry that gives no answer, which costs no wait for each record.
class RecordDecoder {
 public:
  explicit RecordDecoder(std::unique_ptr<subjects::SubjectsClient> registry)
      : registry_(std::move(registry)) {}

  /// The value with all of its JSON, or why there is none; nullopt when the bytes name no schema.
  std::optional<console::DecodedBytes> decode(const std::string& topic, bool key,
                                              std::string_view bytes,
                                              const log::HeaderViews& headers);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    console::DecodedBytes about;  ///< all but the value
    std::unique_ptr<schema::RecordJson> reader;
    Clock::time_point asked{};
  };
  /// The same of a schema's guid.
  Result<std::int32_t> id_of_guid(const std::string& guid, const std::string& topic, bool key);
  Known& known(std::int32_t id, const std::string& topic, bool key);
  Status ask(std::int32_t id, const std::string& topic, bool key, Known& out);

  const std::unique_ptr<subjects::SubjectsClient> registry_;
  std::mutex mutex_;
  std::map<std::tuple<std::int32_t, std::string, bool>, Known> known_;
  std::map<std::string, std::pair<Result<std::int32_t>, Clock::time_point>> guids_;
  std::optional<Error> down_;  ///< what a registry that gives no answer said last
  Clock::time_point down_since_{};
};

}  // namespace tailrace::app
