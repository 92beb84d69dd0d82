#include "pipeline/read_ahead.h"

namespace tailrace::pipeline {

ReadAhead::ReadAhead(TopicReader reader, std::int64_t step_records)
    : step_records_(step_records),
      relation_(reader.relation()),
      reader_(std::move(reader)),
      lag_(reader_.lag()) {}

Result<TopicStep> ReadAhead::read() {
  ASSIGN(TopicStep step, next_.valid() ? next_.get() : reader_.read(step_records_));
  lag_ = reader_.lag();
  if (lag_ >= step_records_) {
    next_ = std::async(std::launch::async, [this] { return reader_.read(step_records_); });
  }
  return step;
}

}  // namespace tailrace::pipeline
