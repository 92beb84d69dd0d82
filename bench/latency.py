"""Time from a record's append to the served gold row, at a steady rate: `./dev bench latency`.

The example runs with its console; the generator appends RATE records/s to the log, which stamps each with the
millisecond of its append. Outside, one HTTP connection asks again and again for the gold table latest_users
(GET /api/tables/latest_users, four flows behind the log) and notes when each answer came and the newest created_at in
it.
Afterwards the appended records are read from the lake: a record's latency is the time from its timestamp to the first
answer whose newest created_at is not older. So no record is left out, and each figure includes the request itself and
the wait for the next one: the distance of the answers, printed too, is what the method adds at most.
"""

import argparse
import bisect
import datetime
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench" / "random_users"))
import sides  # noqa: E402

PATH = "/api/tables/latest_users?limit=20"


def quantiles(values):
    ordered = sorted(values)
    return {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
            for name, share in (("p50", 0.50), ("p90", 0.90), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))}


def show(name, values):
    print(f"{name:<28}" + "  ".join(f"{key} {value:8.2f}" for key, value in quantiles(values).items()), flush=True)


def milliseconds(text):
    """A timestamp of the API as milliseconds since 1970."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp() * 1000


def console(data, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            run = json.loads((data / "run.json").read_text())
            if run["pid"] == process.pid:
                return urllib.parse.urlparse(run["url"]).netloc
        except (OSError, ValueError):
            time.sleep(0.01)
    sys.exit("the program did not start; its output is beside its data")


def answers(address, seconds, pause):
    """(moment of the answer in ms since 1970, newest created_at) of each answer, and their distances in ms."""
    connection = http.client.HTTPConnection(address, timeout=30)
    seen, end = [], time.monotonic() + seconds
    column = None
    while time.monotonic() < end:
        connection.request("GET", PATH)
        page = json.loads(connection.getresponse().read())
        now = time.time() * 1000
        if column is None:
            column = [c["name"] for c in page["columns"]].index("created_at")
        newest = max((row[column] for row in page["rows"]), default=None)
        if newest is not None:
            seen.append((now, milliseconds(newest)))
        time.sleep(pause)
    return seen, [b[0] - a[0] for a, b in zip(seen, seen[1:])]


def latencies(records, seen):
    """Of each record that was appended while the answers were watched, how long until it was in one."""
    newest = [mark for _, mark in seen]
    begin, end = seen[0][0], seen[-1][1]
    found = []
    for stamp in records:
        if begin <= stamp <= end:
            found.append(seen[bisect.bisect_left(newest, stamp)][0] - stamp)
    return found


def appended(lake):
    from deltalake import DeltaTable
    table = DeltaTable(str(lake / "users_raw")).to_pyarrow_dataset().to_table(columns=["timestamp"], use_threads=False)
    return [stamp / 1000 for stamp in table["timestamp"].cast("int64").to_pylist()]


def stalls(seen, least_ms):
    """(seconds since the first answer, length in ms) of each time without anything newer for `least_ms` or longer."""
    found, since = [], seen[0]
    for moment, newest in seen:
        if newest > since[1]:
            if moment - since[0] >= least_ms:
                found.append(((since[0] - seen[0][0]) / 1000, moment - since[0]))
            since = (moment, newest)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=30)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=0.002, help="seconds between an answer and the next request")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "tailrace")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench" / "latency")
    options = parser.parse_args()
    work = options.work.resolve()
    sides.empty(work)
    project = sides.write_project(work / "project", sides.fake(rate=options.rate))
    data = work / "data"
    with open(work / "run.log", "wb") as log:
        process = subprocess.Popen([options.program, "run", project, "--data", data, "--console", "127.0.0.1:0",
                                    "--kafka", "off", "--registry", "off", "--cql", "off"], stdout=log, stderr=log)
    try:
        address = console(data, process)
        answers(address, 3, options.pause)  # until the pace is steady
        seen, distances = answers(address, options.seconds, options.pause)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    found = latencies(appended(data / "lake"), seen)
    print(f"{len(found)} records in {options.seconds:.0f} s, {len(seen)} answers; milliseconds:")
    show("append → served gold row", found)
    show("distance of the answers", distances)
    print("nothing new for 50 ms or more (at s: ms): "
          + (", ".join(f"{at:.1f}: {ms:.0f}" for at, ms in stalls(seen, 50)) or "never"))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # deltalake and Arrow each end threads the other still uses
