#include "calendar/timetable.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "calendar/civil.h"

namespace tailrace::calendar {
namespace {

/// A time, or none: there is no such time.
using Time = std::optional<Micros>;

RunInfo run_over(Micros start, Micros end) {
  return {.run_after = end, .logical_date = start, .interval = DataInterval{start, end}};
}
RunInfo run_at(Micros time) {
  return run_over(time, time);
}

/// The times of a cron in a zone, as Airflow's CronMixin aligns to them.
struct CronSteps {
  const Cron& cron;
  const Zone& zone;

  Time next(Micros time) const { return cron.next(time, zone); }
  Time previous(Micros time) const { return cron.previous(time, zone); }

  /// The time itself where it is one of the cron's.
  Time align_next(Micros time) const {
    const Time after = next(time);
    return after && previous(*after) == Time(time) ? Time(time) : after;
  }
  Time align_previous(Micros time) const {
    const Time before = previous(time);
    return before && next(*before) == Time(time) ? Time(time) : before;
  }
};

/// The times of a delta, which has none of its own: all are aligned.
struct DeltaSteps {
  const Delta& delta;

  Time next(Micros time) const { return plus(time, delta); }
  Time previous(Micros time) const { return minus(time, delta); }
  Time align_next(Micros time) const { return time; }
  Time align_previous(Micros time) const { return time; }
};

/// The first of two times that are there.
Time later(const Time& one, const Time& other) {
  if (!one || !other) return std::nullopt;
  return std::max(*one, *other);
}

/// Airflow's _TriggerTimetable: a run at each time, about the `interval` before it.
template <typename Steps, typename FirstRun>
std::optional<RunInfo> trigger(const Steps& steps, const Delta& interval,
                               const std::optional<DataInterval>& last,
                               const Restriction& restriction, Micros now,
                               const FirstRun& first_run) {
  Time time;
  if (restriction.catchup) {
    if (last) {
      time = steps.next(last->end);
    } else {
      time = restriction.earliest ? steps.align_next(*restriction.earliest) : first_run();
    }
  } else {
    time = steps.align_previous(now);
    if (last) {
      time = later(time, steps.next(last->end));
    } else if (!restriction.earliest) {
      time = later(time, first_run());
    }
    if (restriction.earliest) time = later(time, steps.align_next(*restriction.earliest));
  }
  if (!time || (restriction.latest && *restriction.latest < *time)) return std::nullopt;
  const Time start = minus(*time, interval);
  if (!start) return std::nullopt;
  return run_over(*start, *time);
}

/// Airflow's _DataIntervalTimetable: a run at the end of each interval. `skip_to_latest` gives the
/// earliest start where runs that were missed are left out.
template <typename Steps, typename SkipToLatest>
std::optional<RunInfo> interval_run(const Steps& steps, const std::optional<DataInterval>& last,
                                    const Restriction& restriction,
                                    const SkipToLatest& skip_to_latest) {
  Time earliest;
  if (!restriction.catchup) {
    earliest = skip_to_latest(restriction.earliest);
    if (!earliest) return std::nullopt;
  } else if (restriction.earliest) {
    earliest = steps.align_next(*restriction.earliest);
    if (!earliest) return std::nullopt;
  }
  Time start = earliest;
  if (last) {
    // Aligned anew: the DAG may have another schedule since.
    start = steps.align_previous(last->end);
    if (earliest) start = later(start, earliest);
    if (start && *start <= last->start) {
      start = steps.next(*start);
      if (start && *start <= last->start) return std::nullopt;
    }
  }
  if (!start || (restriction.latest && *start > *restriction.latest)) return std::nullopt;
  const Time end = steps.next(*start);
  if (!end) return std::nullopt;
  return run_over(*start, *end);
}

/// CronTriggerTimetable's first run without a start date.
Time first_run(const CronTrigger& timetable, const CronSteps& steps, Micros now) {
  const Time past = steps.align_previous(now);
  const Time next = steps.align_next(now);
  if (!past || !next) return std::nullopt;
  if (timetable.run_immediately) return past;
  const Micros within = timetable.run_immediately_within.value_or(
      std::max<Micros>((*next - *past) / 10, 300 * kMicrosPerSecond));
  return now - *past <= within ? past : next;
}

/// What a run's place among those of several crons is, the least first: by date where all are
/// caught up; else the last that is due, and where none is, the next.
Micros rank(const std::optional<RunInfo>& run, bool catchup, Micros now) {
  if (!run) return std::numeric_limits<Micros>::max();
  return !catchup && *run->logical_date <= now ? -*run->logical_date : *run->logical_date;
}

/// Where intervals that were missed are left out, the one that ended last is the first.
Time skip_to_latest(const CronSteps& steps, const Time& earliest, Micros now) {
  const Time last_start = steps.previous(now);
  if (!last_start) return std::nullopt;
  const Time next_start = steps.next(*last_start);
  const Time start = next_start == Time(now) ? last_start : steps.previous(*last_start);
  if (!earliest) return start;
  return later(start, steps.align_next(*earliest));
}

/// The last boundary at or before `now`: of steps from `anchor` where they are months, else of
/// multiples since 1970.
Time rounded(const Delta& delta, Micros now, Micros anchor) {
  if (delta.years == 0 && delta.months == 0) {
    // A relativedelta is rounded by its whole seconds.
    const Micros size =
        delta.relative ? delta.micros / kMicrosPerSecond * kMicrosPerSecond : delta.micros;
    if (size == 0) return std::nullopt;
    return floor_div(now, size) * size;
  }
  Time boundary = anchor;
  while (boundary) {
    const Time next = plus(*boundary, delta);
    if (!next || *next <= *boundary) return std::nullopt;
    if (*next > now) break;
    boundary = next;
  }
  return boundary;
}

Time skip_to_latest(const DeltaInterval& timetable, const Time& earliest, Micros now) {
  const Time boundary = rounded(timetable.delta, now, earliest.value_or(now));
  if (!boundary) return std::nullopt;
  const Time start = minus(*boundary, timetable.delta);
  return earliest ? later(start, earliest) : start;
}

/// The question of Timetable::next, put to each kind.
struct Next {
  std::optional<DataInterval> last;
  const Restriction& restriction;
  Micros now;

  std::optional<RunInfo> operator()(const NoTimetable&) const { return std::nullopt; }

  std::optional<RunInfo> operator()(const Once&) const {
    const Micros time = restriction.earliest.value_or(now);
    if (last || (restriction.latest && time > *restriction.latest)) return std::nullopt;
    return run_at(time);
  }

  std::optional<RunInfo> operator()(const Continuous&) const {
    Micros start = restriction.earliest.value_or(now);
    Micros end = std::max(start, now);
    if (last && last->end > now) {
      end = start + (last->end - last->start);
    } else if (last) {
      start = last->end;
      end = now;
    }
    if (restriction.latest && end > *restriction.latest) return std::nullopt;
    return run_over(start, end);
  }

  std::optional<RunInfo> operator()(const CronTrigger& timetable) const {
    std::optional<RunInfo> best;
    for (const Cron& cron : timetable.crons) {
      const CronSteps steps{cron, timetable.zone};
      const auto run = trigger(steps, timetable.interval, last, restriction, now,
                               [&] { return first_run(timetable, steps, now); });
      if (rank(run, restriction.catchup, now) < rank(best, restriction.catchup, now)) best = run;
    }
    return best;
  }

  std::optional<RunInfo> operator()(const CronInterval& timetable) const {
    const CronSteps steps{timetable.cron, timetable.zone};
    return interval_run(steps, last, restriction,
                        [&](const Time& earliest) { return skip_to_latest(steps, earliest, now); });
  }

  std::optional<RunInfo> operator()(const DeltaTrigger& timetable) const {
    return trigger(DeltaSteps{timetable.delta}, timetable.interval, last, restriction, now,
                   [this] { return Time(now); });
  }

  std::optional<RunInfo> operator()(const DeltaInterval& timetable) const {
    return interval_run(DeltaSteps{timetable.delta}, last, restriction, [&](const Time& earliest) {
      return skip_to_latest(timetable, earliest, now);
    });
  }

  std::optional<RunInfo> operator()(const Events& timetable) const {
    Time earliest = restriction.earliest;
    if (!restriction.catchup && (!earliest || now > *earliest)) earliest = now;
    for (const Micros time : timetable.times) {
      if ((earliest && time < *earliest) || (last && time <= last->end)) continue;
      if (restriction.latest && time > *restriction.latest) return std::nullopt;
      return run_at(time);
    }
    return std::nullopt;
  }
};

/// The question of Timetable::manual_interval.
struct Manual {
  Micros run_after;

  std::optional<DataInterval> until(const Time& start, Micros end) const {
    if (!start) return std::nullopt;
    return DataInterval{*start, end};
  }

  std::optional<DataInterval> exact() const { return until(run_after, run_after); }

  std::optional<DataInterval> operator()(const NoTimetable&) const { return exact(); }
  std::optional<DataInterval> operator()(const Once&) const { return exact(); }
  std::optional<DataInterval> operator()(const Continuous&) const { return exact(); }
  std::optional<DataInterval> operator()(const CronTrigger& timetable) const {
    return until(minus(run_after, timetable.interval), run_after);
  }
  std::optional<DataInterval> operator()(const CronInterval& timetable) const {
    const CronSteps steps{timetable.cron, timetable.zone};
    const Time end = steps.align_previous(run_after);
    if (!end) return std::nullopt;
    return until(steps.previous(*end), *end);
  }
  std::optional<DataInterval> operator()(const DeltaTrigger& timetable) const {
    return until(minus(run_after, timetable.interval), run_after);
  }
  std::optional<DataInterval> operator()(const DeltaInterval& timetable) const {
    return until(minus(run_after, timetable.delta), run_after);
  }
  std::optional<DataInterval> operator()(const Events& timetable) const {
    if (!timetable.restrict_to_events || timetable.times.empty()) return exact();
    const auto after = std::ranges::upper_bound(timetable.times, run_after);
    const Micros time = after == timetable.times.begin() ? *after : *(after - 1);
    return until(time, time);
  }
};

template <typename Text>
std::string joined(const std::vector<Cron>& crons, Text text) {
  std::string all;
  for (const Cron& cron : crons) {
    if (&cron != &crons.front()) all += ", ";
    all += std::invoke(text, cron);
  }
  return all;
}

struct Summary {
  std::string operator()(const NoTimetable&) const { return "None"; }
  std::string operator()(const Once&) const { return "@once"; }
  std::string operator()(const Continuous&) const { return "@continuous"; }
  std::string operator()(const CronTrigger& timetable) const {
    return joined(timetable.crons, &Cron::expression);
  }
  std::string operator()(const CronInterval& timetable) const {
    return timetable.cron.expression();
  }
  std::string operator()(const DeltaTrigger& timetable) const {
    return delta_text(timetable.delta);
  }
  std::string operator()(const DeltaInterval& timetable) const {
    return delta_text(timetable.delta);
  }
  std::string operator()(const Events& timetable) const {
    if (!timetable.description.empty()) return timetable.description;
    return fmt::format("{} events", timetable.times.size());
  }
};

struct Description {
  std::string operator()(const NoTimetable&) const { return "Never, external triggers only"; }
  std::string operator()(const Once&) const { return "Once, as soon as possible"; }
  std::string operator()(const Continuous&) const {
    return "As frequently as possible, but only one run at a time.";
  }
  std::string operator()(const CronTrigger& timetable) const {
    return joined(timetable.crons, &Cron::description);
  }
  std::string operator()(const CronInterval& timetable) const {
    return timetable.cron.description();
  }
  std::string operator()(const DeltaTrigger&) const { return ""; }
  std::string operator()(const DeltaInterval&) const { return ""; }
  std::string operator()(const Events& timetable) const {
    if (!timetable.description.empty()) return timetable.description;
    if (timetable.times.empty()) return "No events";
    return fmt::format("{} events between {} and {}", timetable.times.size(),
                       isoformat({timetable.times.front()}), isoformat({timetable.times.back()}));
  }
};

}  // namespace

Timetable::Timetable(Kind kind) : kind_(std::move(kind)) {
  if (auto* const events = std::get_if<Events>(&kind_)) std::ranges::sort(events->times);
}

Status Timetable::check() const {
  const auto* const trigger = std::get_if<DeltaTrigger>(&kind_);
  const auto* const interval = std::get_if<DeltaInterval>(&kind_);
  if (trigger == nullptr && interval == nullptr) return {};
  const Delta& delta = trigger != nullptr ? trigger->delta : interval->delta;
  const Time later = plus(0, delta);
  if (later && *later > 0) return {};
  return error(Code::kInvalidArgument,
               fmt::format("a schedule's interval must be positive, not {}", delta_text(delta)));
}

std::optional<RunInfo> Timetable::next(const std::optional<RunInfo>& last,
                                       const Restriction& restriction, Micros now) const {
  return std::visit(Next{last ? last->interval : std::nullopt, restriction, now}, kind_);
}

std::optional<DataInterval> Timetable::manual_interval(Micros run_after) const {
  return std::visit(Manual{run_after}, kind_);
}

std::string Timetable::summary() const {
  return std::visit(Summary{}, kind_);
}

std::string Timetable::description() const {
  return std::visit(Description{}, kind_);
}

}  // namespace tailrace::calendar
