// For a thread that answers many requests at a time, those of a whole group commit: while an
// AnswersTogether lives, servers do not look at what this thread answers; then each of their
// connections (HTTP: each server) looks once. Without it the first answer wakes a server's thread,
// which then fights the answering one for its queue and the processor.
#pragma once

#include <memory>
#include <vector>

namespace tailrace::net {

/// Who has answers of other threads waiting.
class Answered {
 public:
  virtual ~Answered() = default;
  /// Has its own thread look, at the end of this thread's AnswersTogether or at once.
  static void look(std::shared_ptr<Answered> answered);

 protected:
  virtual void look_soon() = 0;

 private:
  friend class AnswersTogether;
};

class AnswersTogether {
 public:
  AnswersTogether();
  ~AnswersTogether();
  AnswersTogether(const AnswersTogether&) = delete;
  AnswersTogether& operator=(const AnswersTogether&) = delete;

 private:
  friend class Answered;
  static thread_local AnswersTogether* outermost;

  std::vector<std::shared_ptr<Answered>> held_;
};

}  // namespace tailrace::net
