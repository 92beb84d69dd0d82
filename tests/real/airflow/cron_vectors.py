"""What Airflow makes of crons: `cron_vectors.py SEED COUNT RUNS [PROCESSES]` > src/calendar/testdata/crons.txt

Runs in a Python with Airflow. The zones are UTC and those of src/calendar/testdata/zoneinfo. A line is
`cron EXPRESSION<tab>DIGESTS`, one digest a zone in the order of the `zone` lines, or `refused EXPRESSION`. A digest is
of RUNS times forward and RUNS / 10 back from one of the zone's starts, which stand in its line: the one at (number of
the cron + number of the zone) % 4. It is h = h * 6364136223846793005 + t modulo 2^64 over microseconds since 1970, and
after each direction over the number of times there were; its upper 32 bits.
"""
import calendar
import functools
import multiprocessing
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
os.environ["PYTHONTZPATH"] = str(ROOT / "src/calendar/testdata/zoneinfo")

import cron_expressions  # noqa: E402
import pendulum  # noqa: E402
from airflow.timetables._cron import CronMixin  # noqa: E402
from airflow.utils.dates import cron_presets  # noqa: E402
from croniter import CroniterBadDateError, croniter  # noqa: E402

# Before the changes of the clocks, and days like others.
ODD = "2027-06-15T11:22:33.444555"
ZONES = {
    "UTC": ["2026-02-27T23:59:59.999999", "2023-12-31T00:00:00", ODD, "2098-06-01T00:00:00"],
    "Europe/Berlin": ["2026-03-28T20:00:00", "2026-10-24T22:30:00", ODD, "2037-10-20T00:00:00"],
    "America/New_York": ["2026-03-07T22:00:00", "2026-10-31T22:00:00", ODD, "2006-10-28T00:00:00"],
    "Australia/Lord_Howe": ["2026-04-04T12:00:00", "2026-10-03T12:00:00", ODD, "2019-04-06T10:00:00"],
    "Pacific/Apia": ["2011-12-28T20:00:00", "2021-04-03T12:00:00", ODD, "2010-09-25T12:00:00"],
    "Africa/Casablanca": ["2026-02-14T20:00:00", "2026-03-21T20:00:00", ODD, "2018-10-27T12:00:00"],
    "Asia/Kathmandu": ["1985-12-31T12:00:00", "2026-01-30T00:00:01", ODD, "1985-12-31T18:14:00"],
    "America/Santiago": ["2026-04-04T20:00:00", "2026-09-05T20:00:00", ODD, "2022-09-10T12:00:00"],
    "America/St_Johns": ["2026-03-07T22:00:00", "2026-10-31T22:00:00", ODD, "2006-10-28T20:00:00"],
    "Pacific/Chatham": ["2026-04-04T10:00:00", "2026-09-26T10:00:00", ODD, "2040-04-06T00:00:00"],
    "Europe/Dublin": ["2026-03-28T20:00:00", "2026-10-24T20:00:00", ODD, "1968-02-17T12:00:00"],
    "Africa/Cairo": ["2026-04-23T12:00:00", "2026-10-29T12:00:00", ODD, "2014-05-14T12:00:00"],
    "Antarctica/Troll": ["2026-03-28T20:00:00", "2026-10-24T20:00:00", ODD, "2045-03-25T00:00:00"],
}
FACTOR = 6364136223846793005
MASK = (1 << 64) - 1

# croniter reads an expression anew at each step, and the same wall times in each zone: both are functions, kept.
expand = croniter._expand.__func__
croniter._expand = classmethod(functools.cache(lambda cls, expression, **options: expand(cls, expression)))
calculate = croniter._calc_next


@functools.lru_cache(100_000)
def calculated(expression, now, is_prev):
    cron = croniter(expression, start_time=now)
    try:
        return calculate(cron, is_prev)
    except (CroniterBadDateError, ValueError, OverflowError):
        return None


def calc_next(self, is_prev):
    found = calculated(self.expression_text, self.timestamp_to_datetime(self.cur), is_prev)
    if found is None:
        raise CroniterBadDateError("none")
    return found


class KnownCroniter(croniter):
    """A croniter that remembers its text."""

    def __init__(self, expression, **options):
        super().__init__(expression, **options)
        self.expression_text = expression


KnownCroniter._calc_next = calc_next
CronMixin._get_next.__globals__["croniter"] = KnownCroniter


class Walker(CronMixin):
    """Airflow's walk without the words for people."""

    def __init__(self, expression, zone):
        self._expression = cron_presets.get(expression, expression)
        self._timezone = pendulum.timezone(zone)


def micros(moment):
    return calendar.timegm(moment.utctimetuple()) * 1_000_000 + moment.microsecond


def times_from(step, start, count):
    """Up to `count` times, ended by croniter's "failed to find"."""
    times = []
    while len(times) < count:
        try:
            start = step(start)
        except (CroniterBadDateError, OverflowError):
            break
        times.append(start)
    return times


def digest(expression, zone, start, runs):
    walker = Walker(expression, zone)
    begin = pendulum.parse(start)
    value = 0
    for step, count in ((walker._get_next, runs), (walker._get_prev, runs // 10)):
        times = times_from(step, begin, count)
        for time in times:
            value = (value * FACTOR + micros(time)) & MASK
        value = (value * FACTOR + len(times)) & MASK
    return f"{value >> 32:08x}"


def is_refused(expression):
    try:
        croniter(cron_presets.get(expression, expression))
    except ValueError:
        return True
    return False


def starts(number):
    return [texts[(number + at) % 4] for at, texts in enumerate(ZONES.values())]


def line(job):
    number, expression, runs = job
    if is_refused(expression):
        return f"refused {expression}"
    digests = [digest(expression, zone, start, runs) for zone, start in zip(ZONES, starts(number))]
    calculated.cache_clear()
    return f"cron {expression}\t{' '.join(digests)}"


def wanted(seed, count):
    """The written expressions, then random ones until `count` are taken."""
    taken = [expression for expression in cron_expressions.WRITTEN if not is_refused(expression)]
    refused = [expression for expression in cron_expressions.REFUSED if is_refused(expression)]
    for expression in cron_expressions.expressions(seed, 10 * count):
        if len(taken) >= count:
            break
        (refused if is_refused(expression) else taken).append(expression)
    return taken, refused


def main():
    seed, count, runs = (int(argument) for argument in sys.argv[1:4])
    processes = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    taken, refused = wanted(seed, count)
    print(f"# Airflow's CronMixin on croniter: tests/real/airflow/cron_vectors.py {seed} {count} {runs}", flush=True)
    print(f"runs {runs}")
    for zone, texts in ZONES.items():
        print("zone", zone, *(micros(pendulum.parse(text)) for text in texts))
    for expression in refused:
        print("refused", expression)
    sys.stdout.flush()
    jobs = [(number, expression, runs) for number, expression in enumerate(taken)]
    with multiprocessing.Pool(processes) as pool:
        for text in pool.imap(line, jobs, chunksize=1):
            print(text, flush=True)


if __name__ == "__main__":
    main()
