"""Reads of many rows beside few through CQL: `./dev bench serving_large [ROWS…]` (1 M and 10 M).

The tutorial's table (a UUID and eleven texts, 300 bytes a row), one server. Random single rows are read at each
number of rows, by 50 requests that follow their answers, and at a rate that both sizes can be read at, where p99 says
how long a read takes, not how many come at once: at 100 M the bar is p99 within 3 times that at 1 M. The page cache is
emptied before each, where that is allowed. The folder goes in the end; it stops before the disk has under 10 GB.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import time

from serving import ROOT, load, memory_mb, tailrace

LEAST_FREE = 10 << 30
READS = 200_000
RATE = 10_000  # a second: about what Cassandra reads at most on two cores
BATCH = 10
PART = 2_000_000  # rows written between two looks at the disk


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def settled(folder):
    """Waits until nothing is compacted any more: the files stay as they are."""
    before, since = None, time.monotonic()
    while time.monotonic() - since < 10:
        now = sorted((str(path), path.stat().st_size) for path in folder.rglob("*.sst") if path.exists())
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(1)


def write(server, first, rows):
    """Rows up to so many; those before `first` are there."""
    begun = time.monotonic()
    for start in range(first, rows, PART):
        if shutil.disk_usage(ROOT / "build").free < LEAST_FREE:
            sys.exit("the disk has less than 10 GB left")
        count = min(PART, rows - start)
        load(server, "fill", -(-count // BATCH), rows, 50, start)
    return (rows - first) / (time.monotonic() - begun)


def forget():
    """Nothing is in the page cache; only root may say so."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
    except OSError:
        print("the page cache could not be emptied", flush=True)


def measure(server, folder, rows):
    """p99 in microseconds, as fast as answers come and at the rate."""
    print(f"{rows:12,} rows   {folder_bytes(folder) / 1e9:6.1f} GB", flush=True)
    found = []
    for more, rate in enumerate((0, RATE)):
        load(server, "read", READS // 4 + more, rows, 50)
        forget()
        told = load(server, "read", READS + more, rows, 50, 0, rate)
        assert told["found"] == READS + more, f"{READS + more - told['found']} rows are not there"
        print(f"  {told['per_second']:8,.0f} reads/s   p50 {told['p50_us'] / 1000:6.2f} ms   "
              f"p99 {told['p99_us'] / 1000:6.2f} ms   {told['cpu_us']:6.1f} us of processor each   "
              f"memory {memory_mb(server.process):6.0f} MB", flush=True)
        found.append(told["p99_us"])
    return found


def main():
    sizes = [int(word) for word in sys.argv[1:]] or [1_000_000, 10_000_000]
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        folder = pathlib.Path(name)
        server = tailrace(folder).start()
        try:
            told = []
            for first, rows in zip([0, *sizes], sizes):
                rate = write(server, first, rows)
                print(f"{rows:12,} rows written, {rate:,.0f} /s", flush=True)
                settled(folder)
                told.append(measure(server, folder, rows))
            for rows, found in list(zip(sizes, told))[1:]:
                fast, steady = (now / first for now, first in zip(found, told[0]))
                print(f"p99 at {rows:,} rows: {steady:.2f} x that at {sizes[0]:,} at {RATE:,} /s, {fast:.2f} x as fast "
                      "as answers come (bar 3)")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
