#include "kafka/storage_faults.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace tailrace::kafka {
namespace {

constexpr std::chrono::seconds kQuiet{10};

}  // namespace

std::optional<std::string> StorageFaults::line(std::string_view topic, std::int32_t partition,
                                               const Error& fault, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (said_ && now - *said_ < kQuiet) {
    ++unsaid_;
    return std::nullopt;
  }
  said_ = now;
  const auto others = std::exchange(unsaid_, 0);
  return fmt::format("{}-{}: not written, producers try again until their timeout: {}{}", topic,
                     partition, fault.what,
                     others > 0 ? fmt::format(" ({} more such faults since)", others) : "");
}

void StorageFaults::tell(std::string_view topic, std::int32_t partition, const Error& fault) {
  if (const auto text = line(topic, partition, fault, Clock::now())) LOG(error, "{}", *text);
}

}  // namespace tailrace::kafka
