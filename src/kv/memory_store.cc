#include "kv/memory_store.h"

namespace tailrace::kv {

Result<std::optional<std::string>> MemoryStore::get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

Result<std::vector<std::optional<std::string>>> MemoryStore::get_many(
    std::span<const std::string_view> keys) const {
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (std::string_view key : keys) {
    ASSIGN(auto value, get(key));
    values.push_back(std::move(value));
  }
  return values;
}

Status MemoryStore::scan(
    std::string_view begin, std::string_view end,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  for (const auto& [key, value] : between(begin, end))
    if (!visit(key, value)) break;
  return {};
}

Status MemoryStore::scan_back(
    std::string_view begin, std::string_view end,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const Rows seen = between(begin, end);
  for (auto at = seen.rbegin(); at != seen.rend(); ++at)
    if (!visit(at->first, at->second)) break;
  return {};
}

MemoryStore::Rows MemoryStore::between(std::string_view begin, std::string_view end) const {
  const std::lock_guard lock(mutex_);
  return {rows_.lower_bound(begin), end.empty() ? rows_.end() : rows_.lower_bound(end)};
}

Status MemoryStore::write(WriteBatch& batch) {
  struct Apply final : WriteBatch::Visitor {
    explicit Apply(Rows& r) : rows(r) {}
    void put(std::string_view key, std::string_view value) override {
      rows.insert_or_assign(std::string(key), value);
    }
    void erase(std::string_view key) override { rows.erase(std::string(key)); }
    void erase_range(std::string_view begin, std::string_view end) override {
      rows.erase(rows.lower_bound(begin), end.empty() ? rows.end() : rows.lower_bound(end));
    }
    Rows& rows;
  };
  const std::lock_guard lock(mutex_);
  Apply apply(rows_);
  batch.visit(apply);
  return {};
}

Status MemoryStore::begin_checkpoint() {
  TRY(begin_held_checkpoint());
  release_checkpoint();
  return {};
}

Status MemoryStore::begin_held_checkpoint() {
  const std::lock_guard lock(mutex_);
  held_ = rows_;
  return {};
}

void MemoryStore::release_checkpoint() {
  const std::lock_guard lock(mutex_);
  if (held_) durable_ = std::exchange(held_, std::nullopt).value();
}

void MemoryStore::crash() {
  const std::lock_guard lock(mutex_);
  rows_ = durable_;
  held_.reset();
}

std::size_t MemoryStore::size() const {
  const std::lock_guard lock(mutex_);
  return rows_.size();
}

}  // namespace tailrace::kv
