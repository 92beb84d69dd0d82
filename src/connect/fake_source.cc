#include "connect/fake_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "connect/fake_user.h"
#include "connect/json_path.h"
#include "connect/options.h"

namespace tailrace::connect {
namespace {

constexpr std::int64_t kMaxChunkRecords = 4096;
constexpr std::int64_t kLateByMs = 3'600'000;
constexpr std::string_view kUuidPointer = "/login/uuid";

constexpr OptionRow kOptions[] = {
    {"kind", "random_user", "records in the shape of randomuser.me"},
    {"seed", "1", "another seed, other records"},
    {"rate", "max", "records a second (`50`, `50/s`); `max` is as fast as it goes"},
    {"first", "0", "so many at once, before the rate counts"},
    {"limit", "none", "the source is finished after so many"},
    {"faults.duplicates", "0", "the share of records (0 to 1) that repeat an earlier one"},
    {"faults.bad_json", "0", "the share that is cut off"},
    {"faults.null_ids", "0", "the share that lacks its id"},
    {"faults.late", "0", "the share that is an hour late"},
};

struct FakeConfig {
  std::string name;
  std::uint64_t seed = 0;
  std::int64_t first = 0;
  double rate = 0;  // 0: as fast as it goes
  std::int64_t limit = -1;
  std::string key;
  FakeFaults faults;
};

Result<std::int64_t> parse_position(std::string_view position) {
  if (position.empty()) return 0;
  std::int64_t number = 0;
  constexpr std::string_view kHead = "{\"n\":";
  if (!position.starts_with(kHead)) return error(Code::kDataLoss, "no position of the generator");
  const auto [end, failure] =
      std::from_chars(position.data() + kHead.size(), position.data() + position.size(), number);
  if (failure != std::errc() || number < 0)
    return error(Code::kDataLoss, "no position of the generator");
  return number;
}

class FakeSource final : public Source {
 public:
  FakeSource(FakeConfig config, JsonPath key, rt::Clock& clock)
      : config_(std::move(config)),
        key_(std::move(key)),
        clock_(clock),
        users_(config_.seed, config_.faults) {}

  Status next(std::string_view position, Chunk& chunk, std::stop_token) override {
    ASSIGN(const std::int64_t number, parse_position(position));
    if (begin_ < 0) {
      begin_ = number;
      started_ = clock_.monotonic();
    }
    chunk.place = "fake:" + config_.name;
    chunk.separator = '#';
    const std::int64_t end = end_of_chunk(number);
    for (std::int64_t n = number; n < end; ++n) add(n, chunk);
    chunk.position = fmt::format("{{\"n\":{}}}", end);
    say_when(end, chunk);
    return {};
  }

  bool replayable() const override { return true; }
  std::string fingerprint() const override {
    const FakeFaults& f = config_.faults;
    return fmt::format("fake random_user seed={} key={} {}/{}/{}/{}", config_.seed, config_.key,
                       f.duplicates, f.bad_json, f.null_ids, f.late);
  }
  std::string describe() const override {
    return config_.rate > 0 ? fmt::format("fake, {}/s", config_.rate) : "fake, as fast as it goes";
  }

 private:
  /// How many records are due in all, by now.
  std::int64_t due() const {
    if (config_.rate <= 0) return INT64_MAX;
    const double seconds = std::chrono::duration<double>(clock_.monotonic() - started_).count();
    const std::int64_t paced_from = std::max(begin_, config_.first);
    return paced_from + static_cast<std::int64_t>(seconds * config_.rate);
  }

  std::int64_t end_of_chunk(std::int64_t number) const {
    std::int64_t end = std::min(due(), number + kMaxChunkRecords);
    if (config_.limit >= 0) end = std::min(end, config_.limit);
    return std::max(end, number);
  }

  void say_when(std::int64_t next, Chunk& chunk) const {
    if (config_.limit >= 0 && next >= config_.limit) {
      chunk.finished = chunk.idle = true;
      chunk.why = fmt::format("limit of {} reached", config_.limit);
    } else if (next >= due()) {
      const std::int64_t paced = next + 1 - std::max(begin_, config_.first);
      const std::chrono::duration<double> at(static_cast<double>(paced) / config_.rate);
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(at) -
                        (clock_.monotonic() - started_);
      chunk.wait = std::max(left, std::chrono::nanoseconds(std::chrono::milliseconds(1)));
      chunk.why = fmt::format("{}/s", config_.rate);
    }
  }

  void add(std::int64_t number, Chunk& chunk) const {
    std::string& out = chunk.buffer();
    Chunk::Entry entry;
    entry.number = number;
    entry.value_at = out.size();
    const FakeUsers::Made made = users_.append(number, out);
    entry.value_bytes = out.size() - entry.value_at;
    if (made.late) entry.timestamp_ms = clock_.now().value - kLateByMs;
    if (key_.pointer() == kUuidPointer) {
      entry.has_key = made.uuid_at != 0 && made.uuid_at + 36 <= out.size();
      entry.key_at = made.uuid_at;
      entry.key_bytes = entry.has_key ? 36 : 0;
    } else if (!key_.is_root()) {
      if (const auto key = key_.find(std::string_view(out).substr(entry.value_at))) {
        entry.has_key = true;
        entry.key_at = out.size();
        entry.key_bytes = key->size();
        out += *key;
      }
    }
    chunk.add_entry(entry);
  }

  const FakeConfig config_;
  const JsonPath key_;
  rt::Clock& clock_;
  const FakeUsers users_;
  std::int64_t begin_ = -1;  // the first record number of this run
  std::chrono::nanoseconds started_{0};
};

}  // namespace

Result<std::unique_ptr<Source>> make_fake_source(const SourceSpec& spec, rt::Clock& clock) {
  Options options(spec, kOptions);
  FakeConfig config;
  config.name = spec.name;
  options.choice("kind", {"random_user"});
  config.seed = static_cast<std::uint64_t>(options.number("seed", INT64_MIN, INT64_MAX));
  config.first = options.number("first", 0, INT64_MAX);
  config.rate = options.rate("rate");
  config.limit = options.number("limit", 0, INT64_MAX, -1);
  config.key = options.text("key");
  config.faults.duplicates = options.fraction("faults.duplicates");
  config.faults.bad_json = options.fraction("faults.bad_json");
  config.faults.null_ids = options.fraction("faults.null_ids");
  config.faults.late = options.fraction("faults.late");
  TRY(options.finish());
  ASSIGN(auto key, JsonPath::parse(config.key));
  return std::make_unique<FakeSource>(std::move(config), std::move(key), clock);
}

constinit const SourceType kFakeSource{
    .type = "fake",
    .what = "makes records, the same for the same seed",
    .options = kOptions,
    .make = [](const SourceSpec& spec) { return make_fake_source(spec); },
};

}  // namespace tailrace::connect
