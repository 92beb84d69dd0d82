// Wakes that wait for the end of a group's answers.
#include "net/answers_together.h"

#include <utility>

namespace tailrace::net {

thread_local AnswersTogether* AnswersTogether::outermost = nullptr;

AnswersTogether::AnswersTogether() {
  if (!outermost) outermost = this;
}

AnswersTogether::~AnswersTogether() {
  if (outermost != this) return;
  outermost = nullptr;
  for (const auto& answered : held_) answered->look_soon();
}

void Answered::look(std::shared_ptr<Answered> answered) {
  if (AnswersTogether::outermost) {
    AnswersTogether::outermost->held_.push_back(std::move(answered));
  } else {
    answered->look_soon();
  }
}

}  // namespace tailrace::net
