"""Reads of many rows beside few through CQL: `./dev bench serving_large [FEW [MANY [READS]]]` (1 M, 10 M, 200,000).

The tutorial's table (a UUID and eleven texts, 300 bytes a row), one server. Random single rows are read, at few rows
and then at many: at 100 M the bar is p99 within 3 times. The folder goes in the end; it stops before the disk has under
10 GB.
"""
import pathlib
import shutil
import sys
import tempfile
import time

from serving import ROOT, load, memory_mb, tailrace

LEAST_FREE = 10 << 30
PART = 500_000  # rows written between two looks at the disk


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
        load(server, "write", count, start + count, 50, start)
    return (rows - first) / (time.monotonic() - begun)


def measure(server, folder, rows, reads):
    load(server, "read", reads // 4, rows, 50)
    told = load(server, "read", reads, rows, 50)
    assert told["found"] == reads, f"{reads - told['found']} rows are not there"
    print(f"{rows:12,} rows   {folder_bytes(folder) / 1e9:6.1f} GB   memory {memory_mb(server.process):6.0f} MB   "
          f"{told['per_second']:8,.0f} reads/s   p50 {told['p50_us'] / 1000:6.2f} ms   "
          f"p99 {told['p99_us'] / 1000:6.2f} ms   {told['cpu_us']:6.1f} us of processor each", flush=True)
    return told


def main():
    given = [int(word) for word in sys.argv[1:]]
    few, many, reads = given + [1_000_000, 10_000_000, 200_000][len(given):]
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        folder = pathlib.Path(name)
        server = tailrace(folder).start()
        try:
            told = []
            for first, rows in ((0, few), (few, many)):
                rate = write(server, first, rows)
                print(f"{rows:12,} rows written, {rate:,.0f} /s", flush=True)
                settled(folder)
                told.append(measure(server, folder, rows, reads))
            print(f"p99 at {many:,} rows: {told[1]['p99_us'] / told[0]['p99_us']:.2f} x that at {few:,} (bar 3)")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
