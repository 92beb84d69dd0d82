// Dead letters on their way back: each is appended to its topic, or taken by its staging, and
// marked by the next step.
//
// Threads: send() from any, take_marks() by the one that writes the store.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/graph.h"

namespace tailrace::pipeline {

/// Takes a letter back, true; or leaves it to its topic, false.
using SendBack = std::function<Result<bool>(const DeadLetter&)>;

class LettersBack {
 public:
  /// Those that wait and for which `select` is true; how many went. One that is refused (still too
  /// large, no topic) stays; an Error when all were. `elsewhere` is asked first. `topics` say in
  /// which format a record that never was in its topic is written.
  Result<std::int64_t> send(log::Log& log, const std::vector<TopicRelation>& topics,
                            const DeadLetters& letters,
                            const std::function<bool(const DeadLetter&)>& select,
                            const SendBack& elsewhere);
  /// Marks in the batch what was sent since the last call.
  Status take_marks(DeadLetters& letters, kv::WriteBatch& batch);

 private:
  std::mutex mutex_;
  std::vector<DeadLetter> sent_;
};

}  // namespace tailrace::pipeline
