// TaskInstance.next_retry_datetime: delay · multiplier^(try − 1) seconds, plus up to as much again
// by SHA-1 of "dag#task#logical date#try".
#include "sched/backoff.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cmath>

namespace tailrace::sched {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr std::int64_t kLongestSeconds = 24 * 60 * 60;  // core.max_task_retry_delay

/// `str(datetime)`: 2026-01-01 00:00:00+00:00, with microseconds where there are some.
std::string python_text(std::optional<Micros> instant) {
  if (!instant) return "None";
  std::string text = calendar::isoformat({.instant = *instant, .zone = calendar::Zone::utc()});
  std::ranges::replace(text, 'T', ' ');
  return text;
}

std::int64_t hash_modulo(const std::string& text, std::int64_t modulus) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::int64_t rest = 0;
  for (unsigned char byte : digest) rest = (rest * 256 + byte) % modulus;
  return rest;
}

}  // namespace

Micros retry_delay(const dags::Task& task, std::string_view dag_id,
                   std::optional<Micros> logical_date, int try_number) {
  double multiplier = task.retry_exponential_backoff;
  if (multiplier <= 0 || multiplier == 1) return task.retry_delay;
  double base = std::ceil(static_cast<double>(task.retry_delay) / kSecond *
                          std::pow(multiplier, try_number - 1));
  std::int64_t seconds = kLongestSeconds;
  if (base < kLongestSeconds) {
    auto least = std::max<std::int64_t>(1, static_cast<std::int64_t>(base));
    std::string who =
        fmt::format("{}#{}#{}#{}", dag_id, task.id, python_text(logical_date), try_number);
    seconds = std::min(least + hash_modulo(who, least), kLongestSeconds);
  }
  Micros delay = seconds * kSecond;
  if (task.max_retry_delay && *task.max_retry_delay != 0) {
    delay = std::min(delay, *task.max_retry_delay);
  }
  return delay;
}

}  // namespace tailrace::sched
