"""Reads of many rows beside few through CQL: `./dev bench serving_large [ROWS…]` (1 M and 10 M).

The tutorial's table (a UUID and eleven texts, 300 bytes a row), one server. Random single rows are read at each
number of rows, by 50 requests that follow their answers and at a rate: at 100 M the bar is p99 within 3 times that at
1 M. First the files are in the page cache, if it holds them; then it is emptied, where that is allowed, and what the
disk itself gives for pieces of the same files is told beside: no p99 of rows can be better than that of the disk. The
folder goes in the end; it stops before the disk has under 10 GB.
"""
import mmap
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
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


def fill_page_cache(folder):
    for path in folder.rglob("*.sst"):
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass


def empty_page_cache():
    """Only root may."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
    except OSError:
        print("  the page cache could not be emptied", flush=True)


def disk_reads(folder, threads=32, each=300):
    """Pieces of the same files, past the page cache: how many a second, p50 and p99 in milliseconds."""
    files = [(os.open(path, os.O_RDONLY | os.O_DIRECT), path.stat().st_size) for path in folder.rglob("*.sst")]
    took = []

    def read_some(seed):
        chosen, page = random.Random(seed), mmap.mmap(-1, 4096)
        for _ in range(each):
            file, size = chosen.choice(files)
            begun = time.monotonic()
            os.preadv(file, [page], chosen.randrange(size // 4096) * 4096)
            took.append((time.monotonic() - begun) * 1000)

    running = [threading.Thread(target=read_some, args=(seed,)) for seed in range(threads)]
    begun = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for file, _ in files:
        os.close(file)
    took.sort()
    return len(took) / (time.monotonic() - begun), took[len(took) // 2], took[len(took) * 99 // 100]


def measure(server, folder, rows):
    """p99 in microseconds with the files in the page cache, as fast as answers come and at the rate."""
    print(f"{rows:12,} rows   {folder_bytes(folder) / 1e9:6.1f} GB", flush=True)
    fill_page_cache(folder)
    load(server, "read", READS // 2, rows, 50)
    found = [read(server, rows, READS + more, rate, "") for more, rate in enumerate((0, RATE))]
    empty_page_cache()
    rate, p50, p99 = disk_reads(folder)
    print(f"  {rate:8,.0f} pieces/s  p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   from the disk itself, 32 at a time")
    read(server, rows, READS // 4, 0, "from the disk")
    return found


def read(server, rows, count, rate, how):
    told = load(server, "read", count, rows, 50, 0, rate)
    assert told["found"] == count, f"{count - told['found']} rows are not there"
    print(f"  {told['per_second']:8,.0f} reads/s   p50 {told['p50_us'] / 1000:6.2f} ms   "
          f"p99 {told['p99_us'] / 1000:6.2f} ms   {told['cpu_us']:6.1f} us of processor each   "
          f"memory {memory_mb(server.process):6.0f} MB   {how}", flush=True)
    return told["p99_us"]


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
                print(f"p99 at {rows:,} rows: {fast:.2f} x that at {sizes[0]:,} as fast as answers come (bar 3), "
                      f"{steady:.2f} x at {RATE:,} /s")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
