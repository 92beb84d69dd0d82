"""The door for webhooks under 10,000 requests a second of 1 KB: `./dev bench hooks`.

The program has one core, the load the other: 256 kept connections send at a fixed rate (with 64 a disk whose sync
takes 6 ms could answer no more than 10,000 a second), and each request is timed from when it was due to its answer,
which comes when the record is on the disk. First without, then with an idempotency key a request, then as fast as
answers come. Each answered record is counted in the topic in the end. What a sync of 64 KB costs on the disk by
itself is told beside.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import tailrace  # noqa: E402

SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() - 1
LOAD = pathlib.Path(os.environ.get("HOOKS_LOAD_BENCH", ROOT / "build" / "src" / "hooks" / "hooks_load_bench"))
CONNECTIONS = 256
SYNCS = 500
TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = {"topics": {"events": {"partitions": 4, "format": "json"}},
            "ingest": [{"name": "load", "topic": "events", "use": "webhook", "key": "$.id"}]}
SQL = "CREATE STREAMING TABLE events_raw AS SELECT key, value FROM STREAM events;\n"


def cpu_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def disk_sync_ms(folder):
    """What appending 64 KB and fdatasync take on that disk with nothing beside: ms, sorted."""
    took, block = [], b"x" * 65536
    file = os.open(pathlib.Path(folder) / "syncs", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for _ in range(SYNCS):
        begun = time.perf_counter()
        os.write(file, block)
        os.fdatasync(file)
        took.append((time.perf_counter() - begun) * 1e3)
    os.close(file)
    return sorted(took)


def load(project, count, rate, keys=""):
    address = urllib.parse.urlsplit(project.hooks())
    words = [LOAD, address.hostname, address.port, "/hooks/load",
             count, CONNECTIONS, rate, 1024, keys]
    before = cpu_s(project.process)
    done = subprocess.run(["taskset", "-c", str(CLIENT_CORE), *map(str, words)], capture_output=True, text=True,
                          timeout=600, check=True)
    found = json.loads(done.stdout)
    found["cpu_us_a_request"] = round((cpu_s(project.process) - before) / count * 1e6, 1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--any-core", action="store_true", help="do not keep the program on one core")
    options = parser.parse_args()
    if LOAD.parent.name == "hooks":
        subprocess.run(["ninja", "-C", ROOT / "build", "hooks_load_bench"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="bench_hooks_") as folder:
        syncs = disk_sync_ms(folder)
        print(f"a sync of the disk: p50 {syncs[SYNCS // 2]:.2f} ms, p99 {syncs[SYNCS * 99 // 100]:.2f} ms, longest "
              f"{syncs[-1]:.2f} ms", flush=True)
        project = tailrace.with_sql(folder, SQL, json.dumps(SETTINGS))
        project.start()
        if not options.any_core:
            for thread in os.listdir(f"/proc/{project.process.pid}/task"):
                os.sched_setaffinity(int(thread), {SERVER_CORE})
        time.sleep(0.5)
        load(project, 5000, 0)
        total = 5000
        for what, count, rate, keys in ((f"{options.rate}/s", options.count, options.rate, ""),
                                        (f"{options.rate}/s, idempotency keys", options.count, options.rate, "k"),
                                        ("as fast as answers come", options.count, 0, "")):
            found = load(project, count, rate, keys)
            total += count
            print(f"{what}: {found['rate']} requests/s, p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, p99.9 "
                  f"{found['p999_ms']} ms, longest {found['max_ms']} ms, {found['cpu_us_a_request']} us of processor a "
                  f"request, {found['refused']} refused", flush=True)
        hops = project.hops()
        print(f"in the topic: {hops['appended.events']['count']} of {total}")
        project.stop()


if __name__ == "__main__":
    main()
