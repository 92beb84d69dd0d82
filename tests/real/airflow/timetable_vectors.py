"""What Airflow's timetables answer: `timetable_vectors.py SEED COUNT` > src/calendar/testdata/timetables.txt

Runs in a Python with Airflow. A line is a conversation of six columns with tabs between: kind, arguments (`|` between),
restriction (`catchup earliest latest`), steps, summary, description. Times are seconds since 1970 with a fraction
where there is one, or `-`. A delta is `years,months,microseconds`, `r` before it where it is a relativedelta.
A step `NOW>AFTER,START,END` is next_dagrun_info at NOW after the run of the step before that gave one (`NOW>-`: none,
`NOW>!`: Airflow raised an error), `,=` an END that is AFTER; a step `NOW?START,END` is infer_manual_data_interval.
"""
import datetime
import os
import pathlib
import random
import sys
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[3]
os.environ["PYTHONTZPATH"] = str(ROOT / "src/calendar/testdata/zoneinfo")
warnings.simplefilter("ignore")

import cron_vectors  # noqa: E402
import pendulum  # noqa: E402
from airflow.timetables import events, interval, simple, trigger  # noqa: E402
from airflow.timetables.base import DataInterval, TimeRestriction  # noqa: E402
from dateutil.relativedelta import relativedelta  # noqa: E402

SECOND = 1_000_000
CRONS = ["* * * * *", "*/5 * * * *", "30 * * * *", "0 */2 * * *", "@hourly", "@daily", "@weekly", "@monthly",
         "@quarterly", "30 2 * * *", "0 2 * * *", "0 0 L * *", "0 9 * * mon-fri", "0 0 * * 1#1", "0 0 1,15 * 3",
         "*/30 * * * * 15", "0 0 * * * 0 2026", "15 1 * 3,10 sun", "0 0 29 2 *"]
DELTAS = ["0,0,300000000", "0,0,3600000000", "0,0,86400000000", "0,0,604800000000", "0,0,90500000", "0,0,1000000",
          "r0,1,0", "r0,3,0", "r1,0,0", "r0,0,86400000000", "r0,1,86400000000", "r0,0,5400000000", "0,0,2592000000000"]


class Clock:
    """Airflow's modules ask it for the time."""
    now = None

    def utcnow(self):
        return datetime.datetime.fromtimestamp(0, tz=pendulum.UTC) + datetime.timedelta(microseconds=self.now)

    def time(self):
        return self.now / 1e6


CLOCK = Clock()
trigger.utcnow = interval.utcnow = CLOCK.utcnow
simple.timezone.utcnow = events.timezone.utcnow = CLOCK.utcnow
trigger.time = CLOCK
micros = cron_vectors.micros


def moment(value):
    return None if value is None else pendulum.instance(
        datetime.datetime.fromtimestamp(0, tz=pendulum.UTC) + datetime.timedelta(microseconds=value))


def text(value):
    if value is None:
        return "-"
    whole, rest = divmod(value, SECOND)
    return f"{whole}.{rest:06}" if rest else str(whole)


def delta(written):
    years, months, rest = (int(part) for part in written.removeprefix("r").split(","))
    if written.startswith("r"):
        return relativedelta(years=years, months=months, microseconds=rest)
    return datetime.timedelta(microseconds=rest)


def immediately(written):
    return {"no": False, "yes": True}.get(written) if written in ("no", "yes") else \
        datetime.timedelta(microseconds=int(written))


def made(kind, arguments):
    """Airflow's timetable."""
    if kind == "crons":
        zone, span, at_once, *crons = arguments
        options = {"timezone": zone, "interval": delta(span), "run_immediately": immediately(at_once)}
        if len(crons) == 1:
            return trigger.CronTriggerTimetable(crons[0], **options)
        return trigger.MultipleCronTriggerTimetable(*crons, **options)
    if kind == "cron-interval":
        return interval.CronDataIntervalTimetable(arguments[1], arguments[0])
    if kind == "delta":
        return trigger.DeltaTriggerTimetable(delta(arguments[0]), interval=delta(arguments[1]))
    if kind == "delta-interval":
        return interval.DeltaDataIntervalTimetable(delta(arguments[0]))
    if kind == "events":
        times = [moment(int(time)) for time in arguments[2].split(",") if time]
        return events.EventsTimetable(times, arguments[0] == "yes", description=arguments[1] or None)
    return {"none": simple.NullTimetable, "once": simple.OnceTimetable,
            "continuous": simple.ContinuousTimetable}[kind]()


def drawn(draw, now):
    """A kind and its arguments."""
    zone = draw.choice(list(cron_vectors.ZONES))
    kind = draw.choice(["crons"] * 6 + ["cron-interval"] * 5 + ["delta", "delta-interval"] * 3 + ["events"] * 2 +
                       ["none", "once", "once", "continuous", "continuous"])
    if kind == "crons":
        span = draw.choice(["0,0,0", "0,0,0", "0,0,3600000000", "0,0,86400000000", "r0,1,0"])
        at_once = draw.choice(["no", "no", "yes", "60000000", "86400000000"])
        return kind, [zone, span, at_once, *draw.sample(CRONS, draw.choice([1, 1, 1, 2, 3]))]
    if kind == "cron-interval":
        return kind, [zone, draw.choice(CRONS)]
    if kind == "delta":
        return kind, [draw.choice(DELTAS), draw.choice(["0,0,0", "0,0,3600000000", "r0,1,0"])]
    if kind == "delta-interval":
        return kind, [draw.choice(DELTAS)]
    if kind == "events":
        times = [now + draw.randint(-20, 20) * 86_400 * SECOND for _ in range(draw.choice([0, 1, 3, 8]))]
        return kind, [draw.choice(["yes", "no"]), draw.choice(["", "Games"]), ",".join(map(str, times))]
    return kind, []


def step(timetable, last, restriction, now):
    CLOCK.now = now
    try:
        found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
    except (AssertionError, OverflowError, TypeError, ValueError):
        return f"{text(now)}>!", last, None
    if found is None:
        return f"{text(now)}>-", last, None
    start, end = (micros(time) for time in found.data_interval)
    after = micros(found.run_after)
    return f"{text(now)}>{text(after)},{text(start)},{'=' if end == after else text(end)}", found.data_interval, after


def manual(timetable, now):
    try:
        found = timetable.infer_manual_data_interval(run_after=moment(now))
    except (OverflowError, ValueError):
        return f"{text(now)}?!"
    return f"{text(now)}?{text(micros(found.start))},{text(micros(found.end))}"


def start_of(draw):
    """A time near a change of some clock, on the second or not."""
    starts = [text for texts in cron_vectors.ZONES.values() for text in texts]
    start = micros(pendulum.parse(draw.choice(starts)))
    seconds = draw.choice([0, 3600, 14_400, 86_400, draw.randint(0, 10 ** 6)])
    return start + seconds * SECOND + draw.choice([0, 0, 250_000])


def conversation(draw):
    now = start_of(draw)
    kind, arguments = drawn(draw, now)
    timetable = made(kind, arguments)
    day = 86_400 * SECOND
    earliest = draw.choice([None, now - draw.randint(0, 90) * day, now - draw.randint(0, 10 ** 6) * SECOND, now,
                            now + draw.randint(0, 9) * day])
    latest = draw.choice([None, None, now + draw.randint(-5, 60) * day])
    catchup = draw.random() < .5
    restriction = TimeRestriction(moment(earliest), moment(latest), catchup)
    last, after, steps = None, None, []
    for _ in range(5):
        written, last, after = step(timetable, last, restriction, now)
        steps.append(written)
        due = after or now
        now = draw.choice([due, due + 1, due + SECOND, now, now + draw.randint(0, 9) * day,
                           now + draw.randint(0, 10_000) * SECOND])
    steps.append(manual(timetable, now))
    catchup_text = f"{'yes' if catchup else 'no'} {text(earliest)} {text(latest)}"
    return "\t".join([kind, "|".join(arguments), catchup_text, " ".join(steps), timetable.summary,
                      timetable.description])


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(seed)
    print(f"# Airflow's timetables: tests/real/airflow/timetable_vectors.py {seed} {count}")
    for _ in range(count):
        print(conversation(draw))


if __name__ == "__main__":
    main()
