"""Changes of a PostgreSQL into the log, beside pg_recvlogical into a file: `./dev bench capture [ROWS]`.

pgbench's own transactions (three updates and an insert) change ROWS rows, 2,000,000 unless told. Then two slots of the
same publication and the same place are drained: one by pg_recvlogical, one by tailrace. Then pgbench runs at 5,000
changes a second, and each record tells how long after its commit it was in the log."""
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e")]
import capture_side  # noqa: E402
import confluent_kafka  # noqa: E402
import postgres_side  # noqa: E402
import psycopg  # noqa: E402
import tailrace  # noqa: E402

CHANGES = 4  # of a transaction of pgbench's
SECONDS = 20
RATE = 5000
OPTIONS = ("proto_version=2", "streaming=on", "messages=true")


def pgbench(server, *words):
    subprocess.run([postgres_side.programs() / "pgbench", "-n", *map(str, words), server.url], check=True,
                   capture_output=True, cwd="/", env={"PGOPTIONS": "-c synchronous_commit=off"})


def raw(server, slot, publications, end, folder):
    """Seconds that pg_recvlogical takes."""
    words = [postgres_side.programs() / "pg_recvlogical", "-d", server.url, "--slot", slot, "--start", "--no-loop",
             f"--endpos={end}", "-f", folder / "raw", "-o", f"publication_names={publications}"]
    for one in OPTIONS:
        words += ["-o", one]
    start = time.monotonic()
    subprocess.run(words, check=True, cwd="/")
    return time.monotonic() - start


def lags(capture, first):
    """Of each record from offset `first` on: ms from its commit to its place in the log."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": capture.kafka(), "group.id": "lag",
                                         "enable.auto.commit": False})
    at = confluent_kafka.TopicPartition("changes", 0, first)
    _, end = consumer.get_watermark_offsets(at, timeout=30)
    consumer.assign([at])
    found = []
    while len(found) < end - first:
        for message in consumer.consume(10_000, timeout=5):
            committed = message.value().rsplit(b'"__source_ts_ms":', 1)[1][:-1]
            found.append(message.timestamp()[1] - int(committed))
    consumer.close()
    return sorted(found)


def drained(capture, before, rows):
    """When all of them are in the log."""
    return capture.hop()["count"] >= before + rows


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    server = postgres_side.RealPostgres(shared_buffers="1GB", max_wal_size="16GB", checkpoint_timeout="30min").start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(server, rows, pathlib.Path(folder))
    finally:
        server.remove()


def measure(server, rows, folder):
    pgbench(server, "-i", "-s", "20", "-q")
    capture = capture_side.Capture(folder, server.bare_url, tables="pgbench_*", snapshot="never").start()
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], "the stream")
    with psycopg.connect(server.url, autocommit=True) as it:
        publications = ",".join(name for name, in it.execute("SELECT pubname FROM pg_publication ORDER BY 1"))
        it.execute("SELECT pg_create_logical_replication_slot('raw', 'pgoutput')")
        capture.stop()
        pgbench(server, "-c", "8", "-j", "2", "-M", "prepared", "-t", rows // CHANGES // 8)
        rows = rows // CHANGES // 8 * 8 * CHANGES
        it.execute("CHECKPOINT")
        end = it.execute("SELECT pg_current_wal_flush_lsn()").fetchone()[0]
    by_raw = raw(server, "raw", publications, end, folder)
    size = (folder / "raw").stat().st_size
    start = time.monotonic()
    capture.start()
    tailrace.wait_until(lambda: drained(capture, 0, rows), "all changes", 600)
    by_ours = time.monotonic() - start
    assert capture.hop()["count"] == rows
    print(f"{rows} rows changed, {size >> 20} MB of pgoutput")
    print(f"pg_recvlogical  {by_raw:6.1f} s  {rows / by_raw:9.0f} rows/s")
    print(f"tailrace        {by_ours:6.1f} s  {rows / by_ours:9.0f} rows/s  {by_raw / by_ours:.2f} of it")
    steps = RATE // CHANGES
    pgbench(server, "-c", "4", "-j", "1", "-R", steps, "-T", SECONDS)
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], "the rest")
    found = lags(capture, rows)
    print(f"at {len(found) / SECONDS:.0f} changes/s: in the log {statistics.median(found)} ms after the commit, "
          f"99 % within {found[len(found) * 99 // 100]} ms, all within {found[-1]} ms")
    capture.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
