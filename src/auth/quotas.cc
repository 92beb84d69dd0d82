#include "auth/quotas.h"

#include <algorithm>
#include <charconv>

#include "auth/word_file.h"

namespace tailrace::auth {
namespace {

using Part = QuotaEntity::Part;

/// "-" is absent, "=" the default, "+NAME" a name.
std::string written(const std::optional<Part>& part) {
  if (!part) return "-";
  return *part ? "+" + **part : "=";
}

std::optional<Part> read(const std::string& word) {
  if (word.starts_with('+')) return Part(word.substr(1));
  return word == "=" ? std::optional<Part>(Part()) : std::nullopt;
}

}  // namespace

void Rate::record(double value, Millis now) {
  Sample* current = &samples_[at_];
  if (current->from.count() < 0) {
    *current = {now, 0};
  } else if (now - current->from >= kWindow) {
    at_ = (at_ + 1) % kSamples;
    current = &samples_[at_];
    *current = {now, 0};
  }
  current->sum += value;
}

Rate::Millis Rate::span(Millis now) const {
  Millis oldest = now;
  for (const auto& sample : samples_) {
    const bool counts = sample.from.count() >= 0 && now - sample.from < kWindow * kSamples;
    if (counts) oldest = std::min(oldest, sample.from);
  }
  const auto elapsed = now - oldest;
  // A short past is filled up with empty windows, or a first request would be a high rate.
  const auto full = elapsed / kWindow;
  const auto least = static_cast<std::int64_t>(kSamples) - 1;
  return full < least ? elapsed + (least - full) * kWindow : elapsed;
}

double Rate::measure(Millis now) const {
  double total = 0;
  for (const auto& sample : samples_) {
    const bool counts = sample.from.count() >= 0 && now - sample.from < kWindow * kSamples;
    if (counts) total += sample.sum;
  }
  return total * 1000 / static_cast<double>(span(now).count());
}

Rate::Millis Rate::throttle(double bound, Millis now) const {
  const double rate = measure(now);
  if (rate <= bound) return Millis(0);
  const double most = 1e9;
  const double wait = (rate - bound) / bound * static_cast<double>(span(now).count());
  return Millis(static_cast<std::int64_t>(std::min(wait + 0.5, most)));
}

TokenBucket::Millis TokenBucket::wait(double a_second, Millis now) {
  const double most = a_second * static_cast<double>(Rate::kSamples) *
                      std::chrono::duration<double>(Rate::kWindow).count();
  const double grown =
      filled_ ? a_second * std::chrono::duration<double>(now - *filled_).count() : most;
  credits_ = std::min(most, credits_ + grown);
  filled_ = now;
  if (credits_ >= 0) return Millis(0);
  const double longest_ms = 1e9;
  const double wait_ms = -credits_ / a_second * 1000;
  return Millis(
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(wait_ms + 0.5, longest_ms))));
}

Status Quotas::open() {
  const std::unique_lock lock(mutex_);
  ASSIGN(const auto lines, read_words(path_));
  for (const auto& words : lines) {
    double value = 0;
    const auto* end = words.back().data() + words.back().size();
    if (words.size() != 5 || std::from_chars(words[4].data(), end, value).ptr != end) {
      return error(Code::kDataLoss, path_ + ": a line is no quota");
    }
    quotas_[{read(words[0]), read(words[1]), read(words[2])}][words[3]] = value;
  }
  any_ = !quotas_.empty();
  return {};
}

std::map<QuotaEntity, QuotaValues> Quotas::all() const {
  const std::unique_lock lock(mutex_);
  return quotas_;
}

Status Quotas::save(const std::map<QuotaEntity, QuotaValues>& all) const {
  std::vector<Words> lines;
  for (const auto& [entity, values] : all) {
    for (const auto& [key, value] : values) {
      std::array<char, 64> text;
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
      lines.push_back({written(entity.user), written(entity.client_id), written(entity.ip), key,
                       std::string(text.data(), end)});
    }
  }
  return path_.empty() ? Status() : write_words(path_, lines);
}

Status Quotas::change(
    const std::map<QuotaEntity, std::map<std::string, std::optional<double>>>& changes) {
  const std::unique_lock lock(mutex_);
  auto all = quotas_;
  for (const auto& [entity, values] : changes) {
    for (const auto& [key, value] : values) {
      if (value) {
        all[entity][key] = *value;
      } else {
        all[entity].erase(key);
      }
    }
    if (all[entity].empty()) all.erase(entity);
  }
  TRY(save(all));
  quotas_ = std::move(all);
  any_ = !quotas_.empty();
  rates_.clear();
  buckets_.clear();
  return {};
}

std::optional<std::pair<double, QuotaEntity>> Quotas::find(std::string_view key,
                                                           const std::string& user,
                                                           const std::string& client_id) const {
  const Part any;
  const std::array<QuotaEntity, 8> order = {{
      {Part(user), Part(client_id), {}},
      {Part(user), any, {}},
      {Part(user), {}, {}},
      {any, Part(client_id), {}},
      {any, any, {}},
      {any, {}, {}},
      {{}, Part(client_id), {}},
      {{}, any, {}},
  }};
  for (const auto& entity : order) {
    const auto found = quotas_.find(entity);
    if (found == quotas_.end()) continue;
    if (const auto value = found->second.find(key); value != found->second.end()) {
      return std::pair(value->second, entity);
    }
  }
  return std::nullopt;
}

std::optional<std::pair<double, QuotaEntity>> Quotas::quota(std::string_view key,
                                                            const std::string& user,
                                                            const std::string& client_id) const {
  const std::unique_lock lock(mutex_);
  return find(key, user, client_id);
}

template <typename Measured>
Measured& Quotas::measured(std::map<Who, Measured>& all, Who who) {
  // Those of clients that left: begun anew rather than kept for ever.
  constexpr std::size_t kMost = 100'000;
  if (all.size() > kMost) all.clear();
  return all[std::move(who)];
}

Quotas::Millis Quotas::take(std::string_view key, const std::string& user,
                            const std::string& client_id, double amount, Millis now) {
  if (!any_) return Millis(0);
  const std::unique_lock lock(mutex_);
  const auto found = find(key, user, client_id);
  if (!found) return Millis(0);
  const auto& [bound, entity] = *found;
  auto& rate = measured(rates_, {std::string(key), entity.user ? user : std::string(),
                                 entity.client_id ? client_id : std::string()});
  rate.record(amount, now);
  return rate.throttle(bound, now);
}

Quotas::Millis Quotas::take_changes(const std::string& user, const std::string& client_id,
                                    double amount, bool strict, Millis now) {
  if (!any_) return Millis(0);
  const std::unique_lock lock(mutex_);
  const auto found = find("controller_mutation_rate", user, client_id);
  if (!found) return Millis(0);
  const auto& [bound, entity] = *found;
  auto& bucket = measured(buckets_, {"", entity.user ? user : std::string(),
                                     entity.client_id ? client_id : std::string()});
  const auto overdrawn = bucket.wait(bound, now);
  if (strict && overdrawn.count() > 0) return overdrawn;
  bucket.take(amount);
  return strict ? Millis(0) : bucket.wait(bound, now);
}

Quotas::Millis Quotas::take_connection(const std::string& address, Millis now) {
  constexpr std::string_view kKey = "connection_creation_rate";
  if (!any_) return Millis(0);
  const std::unique_lock lock(mutex_);
  for (const auto& part : {Part(address), Part()}) {
    const auto found = quotas_.find({{}, {}, part});
    if (found == quotas_.end() || !found->second.contains(kKey)) continue;
    auto& rate = measured(rates_, {std::string(kKey), address, ""});
    rate.record(1, now);
    const auto wait = rate.throttle(found->second.find(kKey)->second, now);
    if (wait.count() > 0) rate.record(-1, now);
    return std::min(wait, Rate::kWindow * static_cast<int>(Rate::kSamples));
  }
  return Millis(0);
}

}  // namespace tailrace::auth
