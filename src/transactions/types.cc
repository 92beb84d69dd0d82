#include "transactions/types.h"

#include <algorithm>
#include <array>

namespace tailrace::transactions {

std::string_view state_name(State state) {
  switch (state) {
    case State::kEmpty:
      return "Empty";
    case State::kOngoing:
      return "Ongoing";
    case State::kPrepareCommit:
      return "PrepareCommit";
    case State::kPrepareAbort:
      return "PrepareAbort";
    case State::kCompleteCommit:
      return "CompleteCommit";
    case State::kCompleteAbort:
      return "CompleteAbort";
  }
  return "Unknown";
}

bool is_state_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
      "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace tailrace::transactions
