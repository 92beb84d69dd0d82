// A topic read one step ahead: while the step thread works on one step's records, the next ones are
// read and decoded on another thread. Only when much is waiting; a topic that is nearly read to its
// end is read at once, so nothing waits for a thread.
#pragma once

#include <future>

#include "pipeline/topic_reader.h"

namespace tailrace::pipeline {

/// One thread calls it.
class ReadAhead {
 public:
  ReadAhead(TopicReader reader, std::int64_t step_records);

  /// The next step; records == 0 when there is nothing new.
  Result<TopicStep> read();
  const TopicRelation& relation() const { return relation_; }
  /// Records behind the step read() gave last.
  std::int64_t lag() const { return lag_; }

 private:
  std::int64_t step_records_;
  TopicRelation relation_;
  TopicReader reader_;  ///< the other thread's while next_ is valid
  std::int64_t lag_;
  std::future<Result<TopicStep>> next_;
};

}  // namespace tailrace::pipeline
