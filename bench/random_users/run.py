"""Spark local[2] and Tailrace over the same records and the same SQL into Delta: `./dev bench random_users`.

For each number of records: Tailrace's generator appends them to a topic (reported by itself). Then `tailrace run
--once` drains that topic through bronze, silver, gold, lake and serving; and `spark-pipelines run` does the same
project, as `tailrace spark` writes it, from the same records as Parquet files. Each side's time begins with the records
on disk and ends with the last Delta commit; the start of Spark's server and the export are not counted, and Spark
leaves out the check for JSON and the rejected table, so Spark does less than Tailrace. At the end the rows of all
tables are counted on both sides, the small gold tables compared value by value; a difference ends the run with 1.
The last lines hold the figures to their bars, and change nothing of how the run ends: they are of this machine.
"""

import argparse
import os
import pathlib
import shutil
import sys

import sides

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIG = ("users_raw", "users_clean", "users")
SMALL = ("users_by_country_gender", "signups_per_minute", "age_by_nationality", "top_cities", "latest_users")
# The bars of a machine with two cores. Ten times the records, and the memory is the same but for caches that fill.
LEAST_RATE, LEAST_RATIO, MOST_SPREAD, MOST_MEMORY = 120_000, 5, 0.2, 1.5


def differences(ours, theirs):
    """What is not the same in the two lakes; nothing when all is well."""
    found = []
    for name in BIG:
        mine, other = sides.row_count(ours / name), sides.row_count(theirs / name)
        if mine != other:
            found.append(f"{name}: {mine} rows, Spark has {other}")
    for name in SMALL:
        mine, other = sides.rows(ours / name), sides.rows(theirs / name)
        if mine != other:
            found.append(f"{name}: {len(mine)} rows, Spark has {len(other)}; {mine[:1]} and {other[:1]}")
    return found


def lost(lake, count):
    """What Tailrace's own tables lack of `count` sound records."""
    counts = {name: sides.row_count(lake / name) for name in BIG}
    return [f"{name}: {rows} rows of {count}" for name, rows in counts.items() if rows != count]


def line(count, name, use):
    per_record = f"{use.cpu_s / count * 1e6:>8.2f}" if use.cpu_s else f"{'-':>8}"
    print(f"{count:>10}  {name:<16} {use.wall_s:>8.2f} {count / use.wall_s:>10.0f} {per_record} {use.peak_mb:>8.0f}",
          flush=True)


def measure(options, work, count, drains, ratios):
    """One size; gives what is wrong with the rows."""
    data, spark = work / "data", work / "spark"
    ingest = sides.append(options.program, work, data, count)
    line(count, "ingest → log", ingest)
    ours = sides.drain(options.program, work, data, options.perf and f"{options.perf}-{count}.data")
    line(count, "Tailrace drain", ours)
    drains[count] = ours
    wrong = lost(data / "lake", count)
    if options.jars and count <= options.spark_up_to:
        sides.export(options.program, work, data, spark, options.check_json)
        theirs = sides.spark(spark, options.jars)
        line(count, "Spark local[2]", theirs)
        print(f"{'':>10}  ratio {theirs.wall_s / ours.wall_s:.1f} in time, {theirs.cpu_s / ours.cpu_s:.1f} in CPU, "
              f"{theirs.peak_mb / ours.peak_mb:.1f} in memory", flush=True)
        ratios.append(theirs.wall_s / ours.wall_s)
        wrong += differences(data / "lake", spark / "warehouse")
    return wrong


def judge(drains, ratios):
    """Each figure beside its bar."""
    rates = [count / use.wall_s for count, use in drains.items()]
    smallest, largest = drains[min(drains)], drains[max(drains)]
    memory = largest.peak_mb / smallest.peak_mb
    bars = [(f"slowest drain {min(rates):.0f} records/s, at least {LEAST_RATE}", min(rates) >= LEAST_RATE)]
    if ratios:
        bars.append((f"{min(ratios):.1f} times as fast as Spark, at least {LEAST_RATIO}", min(ratios) >= LEAST_RATIO))
    if len(drains) > 1:
        spread = 1 - min(rates) / max(rates)
        bars += [(f"rates {spread:.0%} apart, at most {MOST_SPREAD:.0%}", spread <= MOST_SPREAD),
                 (f"memory of the largest {memory:.2f} times that of the smallest, at most {MOST_MEMORY}",
                  memory <= MOST_MEMORY)]
    for text, held in bars:
        print(f"bar: {text}: {'held' if held else 'MISSED'}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=int, nargs="*", default=[200_000, 2_000_000], help="records; 10000000 too")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "tailrace")
    parser.add_argument("--jars", type=pathlib.Path, default=os.environ.get("TAILRACE_SPARK_JARS"),
                        help="folder of the Delta jars; without it Spark is left out")
    parser.add_argument("--no-spark", dest="jars", action="store_const", const=None)
    parser.add_argument("--spark-up-to", type=int, default=2_000_000, metavar="N", help="Spark is left out above")
    parser.add_argument("--check-json", action="store_true", help="Spark sets apart what is not JSON, too")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench" / "random_users")
    parser.add_argument("--perf", metavar="PREFIX", help="profile the drain: perf record into PREFIX-COUNT.data")
    parser.add_argument("--keep", action="store_true", help="leave the last size's folder")
    return parser.parse_args()


def main():
    options = arguments()
    work = options.work.resolve()
    wrong, drains, ratios = [], {}, []
    print(f"{'records':>10}  {'what':<16} {'wall s':>8} {'records/s':>10} {'CPU µs/r':>8} {'peak MB':>8}")
    for count in options.counts:
        sides.empty(work)
        need = count * 4000
        if shutil.disk_usage(work).free < need:
            sys.exit(f"{count} records need {need // 10**9} GB free at {work}; name another folder with --work")
        wrong += measure(options, work, count, drains, ratios)
        if not options.keep:
            shutil.rmtree(work)
    judge(drains, ratios)
    print("rows: " + ("; ".join(wrong) if wrong else "every table holds every record"), flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
