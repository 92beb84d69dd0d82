// Operations that are made up, for the console's tests and its demo: the first two looks find them
// running.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "console/operations.h"

namespace tailrace::console {

class MadeUpOperations final : public Operations {
 public:
  Result<Operation> ingest(std::string_view source, std::optional<double> seconds) override {
    if (source == "nothing")
      return error(Code::kNotFound, "`ingest` of tailrace.yml has no `nothing`");
    const std::lock_guard lock(mutex_);
    seconds_ = seconds;
    return begin("ingest", source);
  }
  Result<Operation> refresh() override {
    const std::lock_guard lock(mutex_);
    return begin("refresh", "");
  }
  Result<Operation> operation(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(auto* one, find(id));
    if (one->state == "running" && ++looks_[one->id] > 2) {
      one->state = "succeeded";
      one->records = 12;
    }
    return *one;
  }
  Result<Operation> stop(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(auto* one, find(id));
    one->state = "stopped";
    return *one;
  }

  std::optional<double> seconds_;

 private:
  Operation begin(std::string kind, std::string_view name) {
    const std::string id = std::to_string(all_.size() + 1);
    return all_[id] =
               Operation{.id = id, .kind = std::move(kind), .name = std::string(name), .why = ""};
  }
  Result<Operation*> find(std::string_view id) {
    const auto at = all_.find(id);
    if (at == all_.end())
      return error(Code::kNotFound, "there is no operation `" + std::string(id) + "`");
    return &at->second;
  }

  std::mutex mutex_;
  std::map<std::string, Operation, std::less<>> all_;
  std::map<std::string, int> looks_;
};

}  // namespace tailrace::console
