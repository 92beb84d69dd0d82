// What this room's stores share of RocksDB: its slices, errors and log lines in our words.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "kv/store.h"

namespace tailrace::kv {

inline rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view view(const rocksdb::Slice& text) {
  return {text.data(), text.size()};
}

inline std::unexpected<Error> rocks_error(const rocksdb::Status& status) {
  Code code = Code::kInternal;
  if (status.IsCorruption()) {
    code = Code::kDataLoss;
  } else if (status.IsNoSpace()) {
    code = Code::kResourceExhausted;
  } else if (status.IsIOError() || status.IsBusy()) {
    code = Code::kUnavailable;
  }
  return error(code, status.ToString());
}

struct WriteBatch::Impl {
  rocksdb::WriteBatch batch;
};

/// RocksDB's warnings among our own lines: a log file of its own fails on a full disk, and RocksDB
/// with it.
class RocksLog : public rocksdb::Logger {
 public:
  explicit RocksLog(std::string name)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), name_(std::move(name)) {}
  void LogHeader(const char*, va_list) override {}
  void Logv(const char* format, va_list arguments) override {
    if (quiet_) return;
    char line[512];
    vsnprintf(line, sizeof line, format, arguments);
    LOG(warn, "{}: {}", name_, line);
  }
  using Logger::Logv;
  /// While it closes, what a held checkpoint fails by is no news.
  void be_quiet() { quiet_ = true; }

 private:
  std::string name_;
  std::atomic<bool> quiet_ = false;
};

}  // namespace tailrace::kv
