// The hops of a record, counted: fetched → (staged →) appended → decoded → rejected → each table → lake →
// served.
//
// Counters are written by the threads that do the work and read by any. `explain_first_empty` is
// pure: the first-run promise (rows, or one line that says which hop is empty and why) is tested as
// text.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tailrace::pipeline {

enum class HopKind {
  kFetched,
  kStaged,
  kAppended,
  kDecoded,
  kRejected,
  kBronze,
  kSilver,
  kGold,
  kLake,
  kServed
};

enum class HopState {
  kOk,       ///< records have gone through
  kWaiting,  ///< nothing yet, and nothing wrong: `why` says what it waits for
  kEmpty,    ///< nothing comes through although it should: `why` says why
  kError,    ///< stopped: `last_error` says what happened
};

/// One hop at one moment; a list of them goes from source to serving.
struct Hop {
  std::string id;     ///< stable: "bronze.users_raw"
  std::string title;  ///< "users_raw"
  HopKind kind = HopKind::kFetched;
  HopState state = HopState::kWaiting;
  std::int64_t count = 0;  ///< records since the data folder was made
  std::int64_t bytes = 0;
  std::int64_t lag_records = 0;
  double lag_s = 0;
  double rate_per_s = 0;
  std::int64_t rejected = 0;
  std::map<std::string, std::int64_t> reasons = {};  ///< rejected records by reason
  std::string last_rejected = {};                    ///< the newest rejected record: origin, detail
  std::string detail = {};                           ///< one short line: "randomuser.me every 5 s"
  std::string why = {};                              ///< a whole sentence, for kWaiting and kEmpty
  std::string last_error = {};                       ///< "" when there was none
  std::int64_t last_error_ms = 0;                    ///< since 1970; 0 when there was none
  std::vector<std::string> upstream = {};            ///< ids of the hops its records come from
  bool failing = false;  ///< its last try ended in last_error, and it tries again
};

/// One sentence naming the first empty hop and why; empty when rows reach every serving table's
/// hop. A hop that is empty because what it reads is empty or stopped is never the one.
std::string explain_first_empty(const std::vector<Hop>& hops);

/// Sets state and why of each hop from its own counts and those of its upstream, which comes before
/// it.
void judge(std::vector<Hop>& hops);

/// "fetched        random_users        12,034   fake, 50/s": a line for the terminal.
std::string hop_line(const Hop& hop);

std::string_view hop_kind_name(HopKind kind);
std::string_view hop_state_name(HopState state);

}  // namespace tailrace::pipeline
