#include "pipeline/letters_back.h"

#include "base/log.h"
#include "connect/record_encoder.h"
#include "pipeline/rejected_topic.h"

namespace tailrace::pipeline {
namespace {

/// A record that never was in its topic, as the topic's sources write it.
Result<DeadLetter> in_topics_format(const std::vector<TopicRelation>& topics, DeadLetter letter) {
  if (letter.offset >= 0) return letter;
  for (const TopicRelation& topic : topics) {
    if (topic.topic != letter.topic || !topic.type) continue;
    ASSIGN(const auto encoder, connect::make_encoder(topic.type->latest()));
    std::string record;
    TRY(encoder->encode(letter.bytes, record));
    letter.bytes = std::move(record);
  }
  return letter;
}

/// To its staging or its topic.
Status send_letter_back(log::Log& log, const std::vector<TopicRelation>& topics,
                        const DeadLetter& letter, const SendBack& elsewhere) {
  if (elsewhere) {
    ASSIGN(const bool taken, elsewhere(letter));
    if (taken) return {};
  }
  ASSIGN(const auto ready, in_topics_format(topics, letter));
  return send_back(log, ready);
}

}  // namespace

Result<std::int64_t> LettersBack::send(log::Log& log, const std::vector<TopicRelation>& topics,
                                       const DeadLetters& letters,
                                       const std::function<bool(const DeadLetter&)>& select,
                                       const SendBack& elsewhere) {
  std::vector<DeadLetter> chosen;
  TRY(letters.scan(0, [&](const DeadLetter& letter) {
    if (!letter.redriven && select(letter)) chosen.push_back(letter);
    return true;
  }));
  std::int64_t sent = 0;
  Status first_failure;
  for (DeadLetter& letter : chosen) {
    Status back = send_letter_back(log, topics, letter, elsewhere);
    if (!back) {
      LOG(warn, "dead letter {} stays: {}", letter.id, back.error().what);
      if (first_failure) first_failure = std::move(back);
      continue;
    }
    ++sent;
    const std::lock_guard lock(mutex_);
    sent_.push_back(std::move(letter));
  }
  if (sent == 0 && !first_failure) return std::unexpected(first_failure.error());
  return sent;
}

Status LettersBack::take_marks(DeadLetters& letters, kv::WriteBatch& batch) {
  std::vector<DeadLetter> marks;
  {
    const std::lock_guard lock(mutex_);
    marks.swap(sent_);
  }
  return letters.mark_redriven(marks, batch);
}

}  // namespace tailrace::pipeline
