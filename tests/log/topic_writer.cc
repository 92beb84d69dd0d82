// Appends the records of its standard input to a topic: topic_writer LOG_FOLDER TOPIC PARTITIONS.
//
//   input  := record*
//   record := partition i32, timestamp in ms i64, key, value      (little-endian)
//   key, value := length i32, bytes                               (length -1: null)
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "log/log.h"

namespace tailrace::log {
namespace {

/// Takes numbers and byte strings off the front of the input.
class Input {
 public:
  explicit Input(std::string_view rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }

  template <typename Number>
  Number number() {
    Number value{};
    const std::string_view bytes = take(sizeof value);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&value));
    return value;
  }

  std::optional<std::string_view> bytes() {
    const auto length = number<std::int32_t>();
    if (length < 0) return std::nullopt;
    return take(static_cast<std::size_t>(length));
  }

 private:
  std::string_view take(std::size_t count) {
    CHECK(count <= rest_.size());
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

Status write(const std::string& folder, const std::string& topic, int partitions,
             std::string_view records) {
  ASSIGN(auto log, Log::open(folder, {}));
  TopicSettings settings;
  settings.partitions = partitions;
  TRY(log->ensure_topic(topic, settings));
  for (Input input(records); !input.empty();) {
    ASSIGN(auto partition, log->partition(topic, PartitionId(input.number<std::int32_t>())));
    Record record;
    record.timestamp = TimestampMs(input.number<std::int64_t>());
    record.key = input.bytes();
    record.value = input.bytes();
    ASSIGN(const auto appended, partition->append({&record, 1}, {}, Durability::kNoSync));
    CHECK(appended.appended == 1);
  }
  return log->close();
}

}  // namespace
}  // namespace tailrace::log

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: topic_writer LOG_FOLDER TOPIC PARTITIONS < RECORDS\n";
    return 2;
  }
  const std::string input((std::istreambuf_iterator<char>(std::cin)), {});
  const auto written = tailrace::log::write(argv[1], argv[2], std::atoi(argv[3]), input);
  if (written) return 0;
  std::cerr << "topic_writer: " << written.error().what << "\n";
  return 1;
}
