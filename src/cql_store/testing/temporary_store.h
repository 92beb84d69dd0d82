// A store in a folder of its own, for tests.
#pragma once

#include <filesystem>
#include <future>
#include <string>

#include "base/check.h"
#include "cql_store/store.h"
#include "rt/clock.h"

namespace tailrace::cql_store {

struct TemporaryStore {
  explicit TemporaryStore(Options options = {}) : options_(options) {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-cells-XXXXXX").string();
    CHECK(::mkdtemp(name.data()));
    folder = name;
    options_.clock = &clock;
    reopen();
  }
  ~TemporaryStore() {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  void reopen() {
    store.reset();
    auto opened = Store::open(folder, options_);
    CHECK(opened.has_value());
    store = std::move(*opened);
  }
  Status commit(Mutation mutation) {
    std::promise<Status> done;
    store->commit(std::move(mutation), [&](Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
  }

  std::string folder;
  rt::ManualClock clock{TimestampMs(1'000'000'000)};
  std::unique_ptr<Store> store;

 private:
  Options options_;
};

}  // namespace tailrace::cql_store
