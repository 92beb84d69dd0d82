"""Reads of many rows beside few through CQL: `./dev bench serving_large [ROWS…]` (1 M and 10 M).

The tutorial's table (a UUID and eleven texts, 300 bytes a row), one server. Random single rows are read at each
number of rows: at 100 M the bar is p99 within 3 times that at 1 M. The folder goes in the end; it stops before the disk
has under 10 GB.
"""
import pathlib
import shutil
import sys
import tempfile
import time

from serving import ROOT, load, memory_mb, tailrace

LEAST_FREE = 10 << 30
READS = 200_000
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


def measure(server, folder, rows):
    load(server, "read", READS // 4, rows, 50)
    told = load(server, "read", READS, rows, 50)
    assert told["found"] == READS, f"{READS - told['found']} rows are not there"
    print(f"{rows:12,} rows   {folder_bytes(folder) / 1e9:6.1f} GB   memory {memory_mb(server.process):6.0f} MB   "
          f"{told['per_second']:8,.0f} reads/s   p50 {told['p50_us'] / 1000:6.2f} ms   "
          f"p99 {told['p99_us'] / 1000:6.2f} ms   {told['cpu_us']:6.1f} us of processor each", flush=True)
    return told


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
            for rows, figures in list(zip(sizes, told))[1:]:
                ratio = figures["p99_us"] / told[0]["p99_us"]
                print(f"p99 at {rows:,} rows: {ratio:.2f} x that at {sizes[0]:,} (bar 3)")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
