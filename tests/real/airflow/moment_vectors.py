"""Times as text and back as pendulum and Python have them: `moment_vectors.py SEED COUNT` > …/testdata/moments.txt

Runs in a Python with pendulum. The zones are those of src/calendar/testdata/zoneinfo. Lines, with tabs between:
`moment MICROSECONDS ZONE ISOFORMAT FOLD ABBREVIATION FORMAT STRFTIME`, where the local time goes back to the instant;
`local ZONE TIME FOLD MICROSECONDS`, as pendulum converts a local time (fold 0: by PEP 495, outside of gaps);
`parse ZONE TEXT ISOFORMAT`, where the last is empty for what pendulum.parse refuses, or what is no time of a date.
"""
import calendar
import datetime
import os
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
os.environ["PYTHONTZPATH"] = str(ROOT / "src/calendar/testdata/zoneinfo")
os.environ["TZ"] = "UTC"

import pendulum  # noqa: E402
from pendulum.parsing import parse  # noqa: E402

ZONES = ["UTC", *sorted(str(path.relative_to(folder)) for folder in [ROOT / "src/calendar/testdata/zoneinfo"]
                        for path in folder.glob("*/*"))]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
LETTERS = "aAbBcCdDeFfgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%QEOivqJKNL1"
FORMATS = ["%Y-%m-%dT%H:%M:%S%z", "%-d.%-m.%Y", "%_H|%_d|%_j", "%^a %^B %#p %#Z", "%10Y|%03d|%_5m|%5A|%-5H", "100%",
           "%", "%E", "%Ey %OH %Od", "%-", "%5", "%%Y %%%d", "ü %d — %B",
           "%s", "%c|%x|%X|%r", "%#c|%^c|%30c|%-30c|%030c",
           "%-I:%M %p", "%G-W%V-%u", "%U %W %w", "%+", "%:z", "%05f", "%-f", "%0e %-e %e %k %-l %l", "%a", ""]
DATES = ["2026", "2026-03", "2026-03-29", "20260329", "2026-10-25", "2026W134", "2026-W13-4", "2026-W13", "2026W13",
         "2026-088", "2026088", "2024-366", "2026-366", "2026/03/29", "2026:03:29", "2011-12-30", "2026/0329",
         "2026-W53-7", "2026-W54", "2026-02-29", "0001-01-01", "9999-12-31", "2026-1-2", "26-01-02", "202603",
         "2026-W00-0"]
TIMES = ["", "", "T02", "T02:30", "T0230", "T023015", "T02:30:15", "T02:30:15.5", "T023015,123", "T02:30:15.1234567",
         " 2:3", " 02:30:15.25", "02:30", " 02:30|5", "T2:30", "T24:00", "T23:59:60", "T02:3015", "t02:30", "T", " ",
         "T02:30:15."]
OFFSETS = ["", "", "", "Z", "+02", "+0530", "-11:00", "+00:00", "-00:00", "+02:", "+2", "+24:00", "z", "+02:60",
           "-23:59"]


def moment_line(draw):
    # Most within our lives, some in all years of Python's calendar, some about the changes of clocks.
    seconds = draw.choice([draw.randint(0, 2 ** 32), draw.randint(0, 2 ** 32),
                           draw.randint(-61_000_000_000, 253_000_000_000), 1_774_746_000 + draw.randint(-7200, 7200),
                           1_792_890_000 + draw.randint(-7200, 7200)])
    micro = draw.choice([0, 0, draw.randint(0, 999_999)])
    zone = draw.choice(ZONES)
    time = pendulum.instance(EPOCH + datetime.timedelta(seconds=seconds, microseconds=micro)).in_timezone(zone)
    written = draw.choice(FORMATS) if draw.random() < .5 else "|".join(
        "%" + draw.choice(["", "", "", "-", "_", "0", "^", "#", "5", "-3", "_6", "E", "O"]) + draw.choice(LETTERS)
        for _ in range(4))
    text = datetime.datetime.strftime(time, written).replace("\n", "\\n").replace("\t", "\\t")
    return "\t".join(["moment", str(seconds * 1_000_000 + micro), zone, time.isoformat(), str(time.fold), time.tzname(),
                      written, text])


def local_line(draw):
    zone = draw.choice(ZONES)
    day = draw.choice(["2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04", "2011-12-30", "2026-02-15", "2026-03-22",
                       "1986-01-01", "2026-09-06", "2026-03-08", "2026-11-01", "2026-04-24", "2026-10-30",
                       "2088-03-28"])
    text = f"{day}T{draw.randint(0, 4):02}:{draw.randint(0, 59):02}"
    naive = datetime.datetime.fromisoformat(text).replace(fold=1)
    time = pendulum.timezone(zone).convert(naive)
    fold = 1
    if draw.random() < .3 and naive.replace(tzinfo=time.tzinfo, fold=0).utcoffset() >= \
            naive.replace(tzinfo=time.tzinfo, fold=1).utcoffset():
        time, fold = naive.replace(tzinfo=time.tzinfo, fold=0), 0
    return "\t".join(["local", zone, text, str(fold), str(calendar.timegm(time.utctimetuple()) * 1_000_000)])


def parsed(zone, text):
    try:
        if isinstance(parse(text, exact=True), datetime.time):
            return ""
        time = pendulum.parse(text, tz=zone)
        return time.isoformat() if isinstance(time, pendulum.DateTime) else ""
    except (TypeError, ValueError):
        return ""


def parse_line(draw):
    zone = draw.choice(ZONES)
    letters = list(draw.choice(DATES) + draw.choice(TIMES) + draw.choice(OFFSETS))
    if draw.random() < .3:
        place, other = draw.randrange(len(letters)), draw.choice("0123456789-:TWZ+/ .,")
        letters[place:place + draw.choice([0, 1])] = draw.choice([other, ""])
    text = "".join(letters)
    return "\t".join(["parse", zone, text, parsed(zone, text)])


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(seed)
    print(f"# pendulum's times: tests/real/airflow/moment_vectors.py {seed} {count}")
    for _ in range(count):
        print(draw.choice([moment_line, moment_line, local_line, parse_line])(draw))


if __name__ == "__main__":
    main()
