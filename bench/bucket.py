"""Many small objects of a bucket on a real MinIO, and many small files of a folder: `./dev bench bucket [OBJECTS]`.

OBJECTS (100,000 unless told) of three records each are put into a bucket, and as many files into a folder. Each is read
twice into new data: once undisturbed, which gives a rate, once with ten kills at random moments. Then every record must
be in the topic once. Also: how large the noted position is, and what of a core an idle folder of them costs."""
import concurrent.futures
import json
import os
import pathlib
import random
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e")]
import bucket_side  # noqa: E402
import confluent_kafka  # noqa: E402
import minio_side  # noqa: E402
import tailrace  # noqa: E402

KILLS = 10
RECORDS = 3
IDLE_SECONDS = 20


def key(i):
    return f"in/{i * 7919 % 1_000_003:07}.jsonl"


def fill_bucket(s3, count):
    s3.create_bucket(Bucket="inbox")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        def put(i):
            s3.put_object(Bucket="inbox", Key=key(i), Body=bucket_side.lines(i * RECORDS, RECORDS))
        for _ in pool.map(put, range(count)):
            pass


def fill_folder(folder, count):
    (folder / "in").mkdir(parents=True)
    for i in range(count):
        (folder / key(i)).write_bytes(bucket_side.lines(i * RECORDS, RECORDS))


def project(folder, minio, inbox):
    """Of the bucket, or, with `inbox`, of the folder."""
    folder.mkdir()
    p = bucket_side.BucketProject(folder, minio.url, url="s3://inbox/in/")
    if inbox:
        (p.folder / "tailrace.yml").write_text(json.dumps({
            "topics": {"input": {"partitions": 2, "format": "raw"}},
            "ingest": [{"name": "objects", "topic": "input", "use": "files", "files": {"path": f"{inbox}/in"}}]}))
    return p


def appended(p):
    return p.hop()["count"]


def numbers(p):
    """Of all records of the topic."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": p.kafka(), "group.id": "all",
                                         "enable.auto.commit": False})
    found = []
    for partition in range(2):
        at = confluent_kafka.TopicPartition("input", partition, 0)
        _, end = consumer.get_watermark_offsets(at, timeout=30)
        consumer.assign([at])
        read = 0
        while read < end:
            batch = [m for m in consumer.consume(10_000, timeout=5) if not m.error()]
            found += [json.loads(m.value())["n"] for m in batch]
            read = batch[-1].offset() + 1 if batch else read
        consumer.unassign()
    consumer.close()
    return found


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def undisturbed(p, count):
    start = time.monotonic()
    p.start()
    tailrace.wait_until(lambda: appended(p) >= count * RECORDS, "all records", 3600)
    seconds = time.monotonic() - start
    time.sleep(2)
    position = json.loads((p.data / "ingest" / "objects.json").read_text())["position"]
    before = cpu_seconds(p.process.pid)
    time.sleep(IDLE_SECONDS)
    idle = (cpu_seconds(p.process.pid) - before) / IDLE_SECONDS
    p.stop()
    return seconds, len(position), idle


def killed(p, count, seconds):
    rng = random.Random(1)
    for _ in range(KILLS):
        p.start()
        time.sleep(rng.random() * 2 * seconds / (KILLS + 1))
        p.kill()
    p.start()
    tailrace.wait_until(lambda: "no new" in p.hop()["why"], "nothing more to read", 3600)
    bucket_side.same(numbers(p), range(count * RECORDS))
    p.stop()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if not minio_side.MINIO:
        raise SystemExit(minio_side.SKIP)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        minio = minio_side.RealMinio(folder).start()
        try:
            fill_bucket(minio.client(), count)
            fill_folder(folder / "files", count)
            for what, inbox in (("bucket", None), ("folder", folder / "files")):
                seconds, position, idle = undisturbed(project(folder / f"{what}-1", minio, inbox), count)
                print(f"{what}: {count} of {RECORDS} records in {seconds:.1f} s, {count / seconds:,.0f}/s; the "
                      f"position has {position} bytes; idle {100 * idle:.1f} % of a core", flush=True)
                killed(project(folder / f"{what}-2", minio, inbox), count, seconds)
                print(f"{what}: with {KILLS} kills each of {count * RECORDS:,} records is there once", flush=True)
        finally:
            minio.kill()


if __name__ == "__main__":
    main()
