// An object's lines, as they arrive: plain text or gzip, of any size in a buffer of a line.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "lambda/event.h"
#include "lambda/settings.h"

namespace tailrace::lambda {

using TakeLine = std::function<Status(std::string_view line)>;
using Deadline = std::chrono::steady_clock::time_point;
/// Gives every line that is not blank. kNotFound: the object is gone. kDataLoss: it is no text of
/// lines, or its gzip is damaged. Else it may be asked for again.
using FetchLines =
    std::function<Status(const S3Object& object, Deadline deadline, const TakeLine&)>;

/// Cuts text into lines. A line over 16 MiB is kDataLoss.
class LineCutter {
 public:
  explicit LineCutter(const TakeLine& take) : take_(take) {}
  Status add(std::string_view bytes);
  Status finish();

 private:
  Status give(std::string_view line);

  const TakeLine& take_;
  std::string rest_;
};

/// Unpacks where the bytes are gzip, of one member or more.
class Unpacker {
 public:
  Unpacker();
  ~Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  Status add(std::string_view bytes, const std::function<Status(std::string_view)>& give);
  Status finish(const std::function<Status(std::string_view)>& give);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Asks S3, with the keys, the region and the endpoint of AWS's variables.
FetchLines s3_lines(const Environment& environment);

}  // namespace tailrace::lambda
