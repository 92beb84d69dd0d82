// Asset schedules: which assets a DAG listens to, whether its condition is true, and how many
// events make a run.
//
// By default every event that makes the condition true makes exactly one run at once: of one asset,
// or of any of several, one run for each event; of all of several, one run when the last of them
// has come, with all that came before it. Airflow merges what arrives until its scheduler looks;
// here nothing is merged unless the schedule declares a batch, in `extra` of one of its assets,
// which Airflow keeps and does not look at:
//
//     schedule:
//       - __type__: airflow.sdk.Asset
//         uri: x-topic://orders
//         extra: {tailrace: {batch_events: 100, batch_seconds: 5}}
//
// `batch_events`: a run waits for so many events (records, of a topic); `batch_seconds`: but for no
// longer than this after the first; alone: for so long, however many come; `batch_while_running:
// true`: events that come while a run is queued or running wait for its end and make one run
// together. Where several assets declare, the first one counts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dags/dag.h"
#include "sched/rows.h"

namespace tailrace::sched {

struct AssetBatch {
  int events = 1;
  std::optional<Micros> within;
  bool while_running = false;
  bool one_by_one() const { return events <= 1 && !while_running; }
  bool operator==(const AssetBatch&) const = default;
};

AssetBatch batch_of(const dags::AssetCondition& condition);

/// The names and URIs that an event may have to be of `condition`; aliases as `alias:NAME`.
std::vector<std::string> listens_to(const dags::AssetCondition& condition);

/// Whether `condition` is true when these assets had an event.
bool is_true(const dags::AssetCondition& condition, const std::vector<const AssetEvent*>& events);

}  // namespace tailrace::sched
