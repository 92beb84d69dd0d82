#include "pipeline/hops.h"

#include <fmt/format.h>

namespace tailrace::pipeline {
namespace {

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3;
       at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string most_common(const std::map<std::string, std::int64_t>& reasons) {
  std::string best;
  std::int64_t most = 0;
  for (const auto& [reason, count] : reasons)
    if (count > most) most = count, best = reason;
  return best;
}

/// Why a hop that should have rows has none, seen from the hop before it.
std::string why_empty(const Hop& hop, const Hop* before) {
  if (!hop.last_error.empty()) return hop.last_error;
  if (hop.rejected > 0)
    return fmt::format("every row was rejected ({} of them, most by {})", with_commas(hop.rejected),
                       most_common(hop.reasons));
  if (!hop.why.empty()) return hop.why;
  if (before && before->count == 0)
    return fmt::format("nothing has come from {} yet", before->title);
  return "nothing has arrived yet";
}

bool is_table(HopKind kind) {
  return kind == HopKind::kBronze || kind == HopKind::kSilver || kind == HopKind::kGold;
}

}  // namespace

std::string_view hop_kind_name(HopKind kind) {
  switch (kind) {
    case HopKind::kFetched:
      return "fetched";
    case HopKind::kAppended:
      return "appended";
    case HopKind::kDecoded:
      return "decoded";
    case HopKind::kRejected:
      return "rejected";
    case HopKind::kBronze:
      return "bronze";
    case HopKind::kSilver:
      return "silver";
    case HopKind::kGold:
      return "gold";
    case HopKind::kLake:
      return "lake";
    case HopKind::kServed:
      return "served";
  }
  return "";
}

void judge(std::vector<Hop>& hops) {
  const Hop* before = nullptr;
  for (Hop& hop : hops) {
    if (hop.kind == HopKind::kRejected) {
      hop.state = HopState::kOk;
      continue;
    }
    const bool stopped = is_table(hop.kind) && !hop.last_error.empty();
    if (stopped) {
      hop.state = HopState::kError;
      hop.why = hop.last_error;
    } else if (hop.count > 0) {
      hop.state = HopState::kOk;
      if (hop.kind != HopKind::kFetched) hop.why.clear();
    } else {
      const bool wrong = !hop.last_error.empty() || hop.rejected > 0;
      hop.why = why_empty(hop, before);
      hop.state = !hop.last_error.empty() ? HopState::kError
                  : wrong                 ? HopState::kEmpty
                                          : HopState::kWaiting;
    }
    before = &hop;
  }
}

std::string explain_first_empty(const std::vector<Hop>& hops) {
  // A stopped or rejecting hop says more than the one before it that merely waits.
  for (const Hop& hop : hops)
    if (hop.state == HopState::kError)
      return fmt::format("{} `{}` has stopped: {}", hop_kind_name(hop.kind), hop.title, hop.why);
  for (const Hop& hop : hops)
    if (hop.state == HopState::kEmpty || hop.state == HopState::kWaiting)
      return fmt::format("{} `{}` is empty: {}", hop_kind_name(hop.kind), hop.title, hop.why);
  return {};
}

std::string hop_line(const Hop& hop) {
  std::string line = fmt::format("{:<9} {:<26} {:>12}", hop_kind_name(hop.kind), hop.title,
                                 with_commas(hop.count));
  if (hop.rate_per_s >= 0.5)
    line += fmt::format("  {}/s", with_commas(static_cast<std::int64_t>(hop.rate_per_s)));
  if (hop.lag_records > 0) line += fmt::format("  lag {}", with_commas(hop.lag_records));
  if (hop.rejected > 0)
    line += fmt::format("  rejected {} ({})", with_commas(hop.rejected), most_common(hop.reasons));
  if (!hop.detail.empty()) line += "  " + hop.detail;
  if (hop.state != HopState::kOk && !hop.why.empty()) line += "  " + hop.why;
  return line;
}

}  // namespace tailrace::pipeline
