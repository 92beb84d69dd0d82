#include "pipeline/dead_letters.h"

#include <nlohmann/json.hpp>

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

}  // namespace

Status DeadLetters::load() {
  std::lock_guard lock(mutex_);
  counts_.clear();
  next_id_ = 1;
  Status broken;
  TRY(store_.scan(std::string(1, kPrefix), std::string(1, kPrefix + 1), [&](auto key, auto value) {
    auto letter = decode(key, value);
    if (!letter) {
      broken = std::unexpected(letter.error());
      return false;
    }
    next_id_ = letter->id + 1;
    if (!letter->redriven) count(*letter, 1);
    return true;
  }));
  return broken;
}

void DeadLetters::count(const DeadLetter& letter, std::int64_t by) {
  counts_[letter.flow][letter.reason] += by;
}

void DeadLetters::add(DeadLetter letter, kv::WriteBatch& batch) {
  std::lock_guard lock(mutex_);
  letter.id = next_id_++;
  count(letter, 1);
  batch.put(key_of(letter.id), encode(letter));
}

void DeadLetters::mark_redriven(DeadLetter letter, kv::WriteBatch& batch) {
  std::lock_guard lock(mutex_);
  letter.redriven = true;
  count(letter, -1);
  batch.put(key_of(letter.id), encode(letter));
}

Status DeadLetters::erase_flow(const std::string& flow, kv::WriteBatch& batch) {
  TRY(scan(0, [&](const DeadLetter& letter) {
    if (letter.flow == flow) batch.erase(key_of(letter.id));
    return true;
  }));
  std::lock_guard lock(mutex_);
  counts_.erase(flow);
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

std::map<std::string, std::map<std::string, std::int64_t>> DeadLetters::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace tailrace::pipeline
