#include "pipeline/dead_letters.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.h"

namespace tailrace::pipeline {
namespace {

constexpr char kPrefix = 'd';

std::string key_of(std::uint64_t id) {
  std::string key(1, kPrefix);
  append_be(key, id);
  return key;
}

std::string encode(const DeadLetter& letter) {
  const nlohmann::json head = {
      {"flow", letter.flow},     {"reason", letter.reason},       {"detail", letter.detail},
      {"topic", letter.topic},   {"partition", letter.partition}, {"offset", letter.offset},
      {"origin", letter.origin}, {"time", letter.time_ms},        {"redriven", letter.redriven}};
  // The bytes may be anything, so they stand beside the JSON and not in it.
  const std::string text = head.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string value;
  append_be(value, static_cast<std::uint32_t>(text.size()));
  return value + text + letter.bytes;
}

Result<DeadLetter> decode(std::string_view key, std::string_view value) {
  if (key.size() != 9 || value.size() < 4)
    return error(Code::kDataLoss, "a dead letter's record is cut short");
  const auto size = load_be<std::uint32_t>(value.data());
  if (size > value.size() - 4) return error(Code::kDataLoss, "a dead letter's record is cut short");
  const auto head = nlohmann::json::parse(value.substr(4, size), nullptr, false);
  if (head.is_discarded()) return error(Code::kDataLoss, "a dead letter's head is not JSON");
  DeadLetter letter;
  letter.id = load_be<std::uint64_t>(key.data() + 1);
  letter.flow = head.value("flow", "");
  letter.reason = head.value("reason", "");
  letter.detail = head.value("detail", "");
  letter.topic = head.value("topic", "");
  letter.partition = head.value("partition", -1);
  letter.offset = head.value("offset", std::int64_t{-1});
  letter.origin = head.value("origin", "");
  letter.time_ms = head.value("time", std::int64_t{0});
  letter.redriven = head.value("redriven", false);
  letter.bytes = value.substr(4 + size);
  return letter;
}

std::int64_t kept_bytes(const DeadLetter& letter) {
  return static_cast<std::int64_t>(letter.bytes.size());
}

/// Cut to what a status line can hold.
std::string shortened(std::string text) {
  constexpr std::size_t kShown = 300;
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while ((text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

/// Origin and detail as one line.
std::string summary(const DeadLetter& letter) {
  return shortened(letter.origin + ": " + letter.detail);
}

}  // namespace

std::string broken_by(const DeadLetter& letter) {
  const bool known = letter.offset >= 0;
  return (known ? "the record " + letter.origin : "the row " + shortened(letter.bytes)) +
         " broke " + letter.detail;
}

Status DeadLetters::load(std::optional<LetterTotals> totals) {
  const std::lock_guard lock(mutex_);
  oldest_ms_ = 0;
  totals_ = written_ = totals.value_or(LetterTotals{});
  if (totals) return {};
  TRY(scan(0, [&](const DeadLetter& letter) {
    totals_.next_id = letter.id + 1;
    totals_.bytes += kept_bytes(letter);
    totals_.last[letter.flow] = summary(letter);
    if (!letter.redriven) ++totals_.waiting[letter.flow][letter.reason];
    return true;
  }));
  written_ = totals_;
  return {};
}

void DeadLetters::add(DeadLetter letter, kv::WriteBatch& batch) {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  letter.id = totals_.next_id++;
  totals_.bytes += kept_bytes(letter);
  totals_.last[letter.flow] = summary(letter);
  ++totals_.waiting[letter.flow][letter.reason];
  if (letter.time_ms < oldest_ms_) oldest_ms_ = letter.time_ms;
  batch.put(key_of(letter.id), encode(letter));
}

Status DeadLetters::mark_redriven(const std::vector<DeadLetter>& letters, kv::WriteBatch& batch) {
  std::set<std::uint64_t> marked;
  for (const DeadLetter& sent : letters) {
    ASSIGN(auto letter, get(sent.id));
    if (!letter || letter->redriven || !marked.insert(sent.id).second) continue;
    letter->redriven = true;
    const std::lock_guard lock(mutex_);
    changed_ = true;
    --totals_.waiting[letter->flow][letter->reason];
    batch.put(key_of(letter->id), encode(*letter));
  }
  return {};
}

Result<std::int64_t> DeadLetters::trim(std::int64_t now_ms, std::int64_t keep_ms,
                                       std::int64_t max_bytes, kv::WriteBatch& batch) {
  constexpr std::int64_t kAtOnce = 4096;
  const std::lock_guard lock(mutex_);
  const std::int64_t before_ms = now_ms - keep_ms;
  std::int64_t removed = 0;
  if (totals_.bytes <= max_bytes && oldest_ms_ >= before_ms && oldest_ms_ > 0) return removed;
  oldest_ms_ = now_ms;
  TRY(scan(totals_.oldest_id - 1, [&](const DeadLetter& letter) {
    totals_.oldest_id = letter.id;
    oldest_ms_ = letter.time_ms;
    const bool goes = letter.time_ms < before_ms || totals_.bytes > max_bytes;
    if (!goes || removed == kAtOnce) return false;
    ++removed;
    changed_ = true;
    totals_.bytes -= kept_bytes(letter);
    totals_.oldest_id = letter.id + 1;
    oldest_ms_ = now_ms;
    batch.erase(key_of(letter.id));
    if (letter.redriven) return true;
    --totals_.waiting[letter.flow][letter.reason];
    ++totals_.trimmed[letter.flow][letter.reason];
    return true;
  }));
  return removed;
}

Status DeadLetters::erase_flow(const std::string& flow, kv::WriteBatch& batch) {
  const std::lock_guard lock(mutex_);
  TRY(scan(totals_.oldest_id - 1, [&](const DeadLetter& letter) {
    if (letter.flow != flow) return true;
    totals_.bytes -= kept_bytes(letter);
    batch.erase(key_of(letter.id));
    return true;
  }));
  changed_ = true;
  totals_.waiting.erase(flow);
  totals_.trimmed.erase(flow);
  totals_.last.erase(flow);
  return {};
}

Status DeadLetters::scan(std::uint64_t after,
                         const std::function<bool(const DeadLetter&)>& visit) const {
  Status broken;
  TRY(store_.scan(key_of(after + 1), std::string(1, kPrefix + 1), [&](auto key, auto value) {
    auto letter = decode(key, value);
    if (!letter) {
      broken = std::unexpected(letter.error());
      return false;
    }
    return visit(*letter);
  }));
  return broken;
}

Result<std::optional<DeadLetter>> DeadLetters::get(std::uint64_t id) const {
  const std::string key = key_of(id);
  ASSIGN(auto value, store_.get(key));
  if (!value) return std::nullopt;
  ASSIGN(auto letter, decode(key, *value));
  return letter;
}

Result<bool> DeadLetters::has(const DeadLetter& letter) const {
  bool found = false;
  TRY(scan(0, [&](const DeadLetter& other) {
    found = other.flow == letter.flow && other.topic == letter.topic &&
            other.partition == letter.partition && other.offset == letter.offset;
    return !found;
  }));
  return found;
}

LetterTotals DeadLetters::totals() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

LetterTotals DeadLetters::pending_totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void DeadLetters::written() {
  const std::lock_guard lock(mutex_);
  if (!changed_) return;
  written_ = totals_;
  changed_ = false;
}

}  // namespace tailrace::pipeline
