// A project without tables, topics and sources, for tests of workflows that need none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "tasks/operator.h"

namespace tailrace::tasks {

class NoProject final : public ProjectAccess {
 public:
  Result<jinja::List> query(const std::string&) override { return error(Code::kNotFound, "none"); }
  Result<Position> produce(const std::string&, std::optional<std::string>, std::string) override {
    return error(Code::kNotFound, "none");
  }
  Result<std::int64_t> ingest(const std::string&, std::optional<std::chrono::microseconds>,
                              std::stop_token) override {
    return error(Code::kNotFound, "none");
  }
  Status refresh(std::stop_token) override { return error(Code::kNotFound, "none"); }
};

}  // namespace tailrace::tasks
