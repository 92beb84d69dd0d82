// What a runner has noted of its source: DATA/ingest/NAME.json, replaced in one step; or, of a
// staged one, the position beside its rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::connect {

struct NotedState {
  std::string fingerprint;
  std::string position;                 ///< everything before it is in the log, durable
  std::vector<std::int64_t> sequences;  ///< the next one of each partition
  std::int64_t reject_sequence = 0;
  std::int64_t records = 0;
  std::int64_t max_message_bytes = 0;  ///< records above it were rejected
  /// Where each partition ended, and the rejects: the source knows the ids of what lies before.
  std::vector<std::int64_t> ends = {};
  std::int64_t reject_end = -1;  ///< -1: not noted
  int schema_id = 0;             ///< records that did not fit it were; 0: there was none
  bool clean = false;            ///< nothing was emitted after this was noted
  /// Of a staging: what goes to the topic of rejects, and may not be there yet.
  std::vector<std::string> rejects = {};
};

std::string encode_state(const NotedState& state);
/// kDataLoss says what is wrong with it.
Result<NotedState> decode_state(std::string_view text);

}  // namespace tailrace::connect
