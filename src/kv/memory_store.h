// A Store in memory: for queries that end and for tests. checkpoint() keeps a copy, crash() goes
// back to it.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "kv/store.h"

namespace tailrace::kv {

class MemoryStore final : public Store {
 public:
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Result<std::vector<std::optional<std::string>>> get_many(
      std::span<const std::string_view> keys) const override;
  Status scan(std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status scan_back(
      std::string_view begin, std::string_view end,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status write(WriteBatch& batch) override;
  bool needs_checkpoint() const override { return false; }
  Status begin_checkpoint() override;
  Status begin_held_checkpoint() override;
  void release_checkpoint() override;
  Status finish_checkpoint() override { return {}; }
  bool checkpoint_done() const override { return true; }
  std::uint64_t checkpoint_bytes() const override { return 0; }

  /// As a killed process would find it: at the last checkpoint.
  void crash();
  std::size_t size() const;

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;
  Rows between(std::string_view begin, std::string_view end) const;

  mutable std::mutex mutex_;
  Rows rows_, durable_;
  std::optional<Rows> held_;
};

}  // namespace tailrace::kv
