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

using Upstream = std::vector<const Hop*>;

/// Hops before the log, which try again by themselves.
bool is_ingest(HopKind kind) {
  return kind == HopKind::kFetched || kind == HopKind::kStaged;
}

/// A source may have recovered from its last error; elsewhere an error lasts.
bool is_failing(const Hop& hop) {
  return is_ingest(hop.kind) ? hop.failing : !hop.last_error.empty();
}

bool is_table(HopKind kind) {
  return kind == HopKind::kBronze || kind == HopKind::kSilver || kind == HopKind::kGold;
}

std::string names_of(const Upstream& hops) {
  std::string names;
  for (const Hop* hop : hops) names += fmt::format("{}`{}`", names.empty() ? "" : ", ", hop->title);
  return names;
}

/// Those of `upstream` that are to blame when a hop is empty: one empty input empties a join, but
/// other hops take from all their inputs alike.
Upstream to_blame(const Hop& hop, const Upstream& upstream) {
  Upstream blamed;
  for (const Hop* before : upstream)
    if (before->count == 0 || before->state == HopState::kError) blamed.push_back(before);
  if (!is_table(hop.kind) && blamed.size() < upstream.size()) return {};
  return blamed;
}

std::string why_rejected(std::string_view what, const Hop& hop) {
  std::string why = fmt::format("{} was rejected ({} of them, most by {})", what,
                                with_commas(hop.rejected), most_common(hop.reasons));
  if (!hop.last_rejected.empty()) why += "; the last: " + hop.last_rejected;
  return why;
}

/// Why a hop that should have rows has none, seen from the hops it reads.
std::string why_empty(const Hop& hop, const Upstream& upstream) {
  if (is_failing(hop)) return hop.last_error;
  if (hop.rejected > 0) return why_rejected("every row", hop);
  if (const Upstream blamed = to_blame(hop, upstream); !blamed.empty()) {
    for (const Hop* before : blamed)
      if (before->state == HopState::kError) return fmt::format("`{}` has stopped", before->title);
    return fmt::format("nothing has come from {} yet", names_of(blamed));
  }
  if (!hop.why.empty()) return hop.why;
  for (const Hop* before : upstream)
    if (before->rejected > 0)
      return why_rejected(fmt::format("what came from `{}`", before->title), *before);
  if (is_table(hop.kind) && !upstream.empty())
    return fmt::format("rows have come from {}, and its filters and joins have let none through",
                       names_of(upstream));
  return "nothing has arrived yet";
}

Upstream upstream_of(const Hop& hop, const std::vector<Hop>& hops) {
  Upstream found;
  for (const std::string& id : hop.upstream)
    for (const Hop& other : hops)
      if (other.id == id) found.push_back(&other);
  return found;
}

}  // namespace

std::string_view hop_state_name(HopState state) {
  switch (state) {
    case HopState::kOk:
      return "ok";
    case HopState::kWaiting:
      return "waiting";
    case HopState::kEmpty:
      return "empty";
    case HopState::kError:
      return "error";
  }
  return "";
}

std::string_view hop_kind_name(HopKind kind) {
  switch (kind) {
    case HopKind::kFetched:
      return "fetched";
    case HopKind::kStaged:
      return "staged";
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
  for (Hop& hop : hops) {
    if (hop.kind == HopKind::kRejected) {
      hop.state = HopState::kOk;
      continue;
    }
    const bool shown =
        is_table(hop.kind) || is_ingest(hop.kind) || hop.kind == HopKind::kLake || hop.failing;
    if (shown && is_failing(hop)) {
      hop.state = HopState::kError;
      hop.why = hop.last_error;
    } else if (hop.count > 0) {
      hop.state = HopState::kOk;
      if (hop.kind != HopKind::kFetched) hop.why.clear();
    } else {
      hop.why = why_empty(hop, upstream_of(hop, hops));
      hop.state = is_failing(hop)    ? HopState::kError
                  : hop.rejected > 0 ? HopState::kEmpty
                                     : HopState::kWaiting;
    }
  }
}

std::string explain_first_empty(const std::vector<Hop>& hops) {
  // A stopped hop says more than one before it that merely waits.
  // A source that fails but has fetched before hides no rows.
  for (const Hop& hop : hops) {
    const bool source = is_ingest(hop.kind);
    if (hop.state == HopState::kError && !(source && hop.count > 0))
      return fmt::format("{} `{}` {}: {}", hop_kind_name(hop.kind), hop.title,
                         source        ? "fails"
                         : hop.failing ? "waits"
                                       : "has stopped",
                         hop.why);
  }
  for (const Hop& hop : hops)
    if ((hop.state == HopState::kEmpty || hop.state == HopState::kWaiting) &&
        to_blame(hop, upstream_of(hop, hops)).empty())
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
