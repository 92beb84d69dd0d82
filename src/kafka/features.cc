#include "kafka/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "rt/file.h"

namespace tailrace::kafka {
namespace {

constexpr Feature kFeatures[] = {
    {"eligible.leader.replicas.version", 0, 1, 1},
    {"group.version", 0, 1, 1},
    {"kraft.version", 0, 1, 0},
    {"metadata.version", 7, 30, 30},  // 3.3-IV3 to 4.3-IV0
    {"share.version", 0, 1, 1},
    {"streams.version", 0, 1, 1},
    {"transaction.version", 0, 2, 2},
};
constexpr std::string_view kEpoch = "epoch";

const Feature* find(std::string_view name) {
  const auto* found = std::ranges::find(kFeatures, name, &Feature::name);
  return found == std::end(kFeatures) ? nullptr : found;
}

}  // namespace

std::span<const Feature> Features::known() {
  return kFeatures;
}

Status Features::load() {
  auto text = rt::read_whole(rt::posix_files(), path_, 1 << 16);
  if (!text) return text.error().code == Code::kNotFound ? Status{} : std::unexpected(text.error());
  const std::unique_lock lock(mutex_);
  std::istringstream lines(*text);
  std::string name;
  std::int64_t value = 0;
  while (lines >> name >> value) {
    if (name == kEpoch) {
      epoch_ = value;
    } else if (check(name, static_cast<std::int16_t>(value))) {
      levels_[name] = static_cast<std::int16_t>(value);
    }
  }
  if (lines.eof()) return {};
  return error(Code::kDataLoss, path_ + ": a line is not NAME LEVEL");
}

std::int16_t Features::level(std::string_view name) const {
  const std::unique_lock lock(mutex_);
  const auto set = levels_.find(name);
  if (set != levels_.end()) return set->second;
  const Feature* feature = find(name);
  return feature == nullptr ? std::int16_t{0} : feature->usual;
}

std::int64_t Features::epoch() const {
  const std::unique_lock lock(mutex_);
  return epoch_;
}

Status Features::check(std::string_view name, std::int16_t level) {
  const Feature* feature = find(name);
  const auto refuse = [&](const std::string& why) {
    return error(Code::kInvalidArgument,
                 fmt::format("Invalid update version {} for feature {}. {}", level, name, why));
  };
  if (feature == nullptr) return refuse("Local controller 1 does not support this feature.");
  if (level >= feature->lowest && level <= feature->highest) return {};
  return refuse(fmt::format("Local controller 1 only supports versions {}-{}", feature->lowest,
                            feature->highest));
}

Status Features::set(const std::map<std::string, std::int16_t>& levels) {
  const std::unique_lock lock(mutex_);
  const auto before = levels_;
  for (const auto& [name, level] : levels) levels_[name] = level;
  if (levels_ == before) return {};
  ++epoch_;
  auto saved = save();
  if (saved) return saved;
  levels_ = before;
  --epoch_;
  return saved;
}

Status Features::save() const {
  std::string text = fmt::format("{} {}\n", kEpoch, epoch_);
  for (const auto& [name, level] : levels_) text += fmt::format("{} {}\n", name, level);
  return rt::write_atomically(rt::posix_files(), path_, text);
}

}  // namespace tailrace::kafka
