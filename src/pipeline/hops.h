// The hops of a record, counted: fetched → appended → decoded → rejected → each table → lake →
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
  kAppended,
  kDecoded,
  kRejected,
  kBronze,
  kSilver,
  kGold,
  kLake,
  kServed
};

enum class HopState { kOk, kWaiting, kEmpty, kError };

/// One hop at one moment.
struct Hop {
  std::string id;
  std::string title;
  HopKind kind = HopKind::kFetched;
  HopState state = HopState::kWaiting;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::int64_t lag_records = 0;
  double lag_s = 0;
  double rate_per_s = 0;
  std::int64_t rejected = 0;
  std::map<std::string, std::int64_t> reasons = {};
  std::string detail = {};
  std::string why = {};
  std::string last_error = {};
  std::int64_t last_error_ms = 0;
};

/// One sentence naming the first empty hop and why; empty when rows reach every serving table's
/// hop.
std::string explain_first_empty(const std::vector<Hop>& hops);

/// Sets state and why of each hop from the counts of those before it.
void judge(std::vector<Hop>& hops);

/// "fetched        random_users        12,034   fake, 50/s": a line for the terminal.
std::string hop_line(const Hop& hop);

std::string_view hop_kind_name(HopKind kind);

}  // namespace tailrace::pipeline
