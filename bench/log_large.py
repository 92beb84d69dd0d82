"""What a broker with much in it costs, ours beside real Kafka 4.3.1: `./dev bench log_large`.

A million distinct keys, each written twice, compacted: processor time beyond what the idle broker takes. 1,000 topics
of 10 partitions: a start until it answers, and memory. 10 GB of log: kill -9, and a start until it answers. 10 GB of
log that the page cache has forgotten, read from its beginning by kcat, beside what the disk gives to who reads the same
files one after the other. Both brokers run one after the other on the same disk. --scale 0.01 tries it out, --only NAME
runs one, --ours leaves Kafka out.
"""

import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e"), str(ROOT / "bench")]
import confluent_kafka  # noqa: E402
import kafka_side  # noqa: E402
import tailrace  # noqa: E402
from broker import Broker  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from log import cpu_s, memory_mb  # noqa: E402

QUIET_S = 5
VALUE_BYTES = 100_000
SEGMENT_S = 10
COMPACT = {"cleanup.policy": "compact", "segment.bytes": str(64 << 20), "segment.ms": str(SEGMENT_S * 1000),
           "min.cleanable.dirty.ratio": "0.01"}


class Ours(Broker):
    def __init__(self, folder):
        super().__init__(folder)
        self.folder = self.data


class Theirs(kafka_side.RealKafka):
    """Starts again on what it has, at the same address."""

    def start(self):
        if self.process is None:
            return super().start()
        log = open(self.folder / "kafka.log", "ab")
        words = kafka_side.java("kafka.Kafka", self.folder / "server.properties", options=kafka_side.LASTING)
        self.process = subprocess.Popen(words, stdout=log, stderr=log)
        tailrace.started.append(self.process)
        return self


def wait(condition, what, seconds=1800):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"log_large: gave up waiting: {what}")
        time.sleep(0.02)


def answers(broker):
    try:
        admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
        return bool(admin.list_topics(timeout=1).brokers)
    except confluent_kafka.KafkaException:
        return False


def create(broker, names, partitions, config=None):
    admin = AdminClient({"bootstrap.servers": broker.address})
    topics = [NewTopic(name, partitions, 1, config=config or {}) for name in names]
    for made in admin.create_topics(topics, operation_timeout=300, request_timeout=300).values():
        made.result(300)


class Writer:
    """As fast as librdkafka sends."""

    def __init__(self, broker):
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.address, "acks": "all", "linger.ms": 20, "batch.size": 1 << 20})

    def send(self, topic, value, key=None):
        while True:
            try:
                return self.producer.produce(topic, value, key)
            except BufferError:
                self.producer.poll(0.1)

    def end(self):
        assert self.producer.flush(600) == 0


def log_bytes(broker, topic):
    """Of the topic's segments, wherever in its folder the broker keeps them."""
    return sum(os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(broker.folder)
               if f"{topic}-0" in at for file in files if file.endswith(".log"))


def killed(broker):
    """Seconds from the start after a kill -9 until it answers."""
    broker.kill()
    begun = time.monotonic()
    broker.start()
    wait(lambda: answers(broker), "the broker")
    return time.monotonic() - begun


def compacted(broker, scale):
    create(broker, ["keyed"], 1, COMPACT)
    keys, writer, random_order = list(range(int(1_000_000 * scale))), Writer(broker), random.Random(1)
    for _ in range(2):
        random_order.shuffle(keys)
        for key in keys:
            writer.send("keyed", b"v" * 100, b"%012d" % key)
    writer.end()
    written, before, begun = log_bytes(broker, "keyed"), cpu_s(broker.process), time.monotonic()
    time.sleep(SEGMENT_S + 1)  # the active segment is left alone; the next record begins another
    writer.send("keyed", b"v", b"last")
    writer.end()

    def settled():
        size = log_bytes(broker, "keyed")
        time.sleep(2)
        return size < written * 0.6 and size == log_bytes(broker, "keyed")

    wait(settled, "the topic to be compacted")
    took, lasted, quiet = cpu_s(broker.process) - before, time.monotonic() - begun, cpu_s(broker.process)
    time.sleep(QUIET_S)
    idle = (cpu_s(broker.process) - quiet) / QUIET_S
    return {"compaction, CPU s": max(0.0, took - idle * lasted),
            "compaction, part of the bytes left": log_bytes(broker, "keyed") / written}


def topics(broker, scale):
    for at in range(0, int(1000 * scale), 100):
        create(broker, [f"many-{n}" for n in range(at, min(at + 100, int(1000 * scale)))], 10)
    ready = killed(broker)
    return {"1,000 topics, start until it answers, s": ready, "1,000 topics, memory, MB": memory_mb(broker.process)}


def fill(broker, scale):
    """10 GB in 8 partitions."""
    create(broker, ["large"], 8)
    writer, value = Writer(broker), os.urandom(VALUE_BYTES)
    for _ in range(int(10_000_000_000 / VALUE_BYTES * scale)):
        writer.send("large", value)
    writer.end()


def segments(broker):
    return sorted(os.path.join(at, file) for at, _, files in os.walk(broker.folder) if "large-" in at
                  for file in files if file.endswith(".log"))


def forget(broker):
    """Out of the page cache."""
    for path in segments(broker):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk_rate(broker):
    """Bytes a second to who reads the segments one after the other."""
    begun, size = time.monotonic(), 0
    for path in segments(broker):
        with open(path, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                size += len(block)
    return size / (time.monotonic() - begun)


def reread(broker, scale):
    fill(broker, scale)
    forget(broker)
    disk = disk_rate(broker)
    forget(broker)
    size, before, most = sum(map(os.path.getsize, segments(broker))), memory_mb(broker.process), 0
    begun = time.monotonic()
    reader = subprocess.Popen(["kcat", "-b", broker.address, "-C", "-t", "large", "-o", "beginning", "-e", "-q"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while reader.poll() is None:
        most = max(most, memory_mb(broker.process))
        time.sleep(0.1)
    assert reader.returncode == 0
    rate = size / (time.monotonic() - begun)
    return {"10 GB read back, MB/s": rate / 1e6, "10 GB read back, part of the disk's own rate": rate / disk,
            "10 GB read back, memory more than before, MB": most - before}


def recovered(broker, scale):
    fill(broker, scale)
    return {"10 GB, start after kill -9 until it answers, s": killed(broker)}


BARS = {"compacted": compacted, "topics": topics, "recovered": recovered, "reread": reread}


def run(make, folder, bars, scale):
    found = {}
    for name in bars:
        (folder / name).mkdir(parents=True)
        broker = make(folder / name).start()
        found |= BARS[name](broker, scale)
        broker.kill()
        print(f"{make.__name__.lower()}: {name} done", file=sys.stderr)
        subprocess.run(["rm", "-rf", folder / name], check=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual size")
    parser.add_argument("--only", choices=BARS, action="append", help="this bar alone")
    parser.add_argument("--ours", action="store_true", help="without Kafka")
    asked = parser.parse_args()
    bars = asked.only or list(BARS)
    with tempfile.TemporaryDirectory(prefix="bench-log-large-", dir=ROOT / "build") as name:
        ours = run(Ours, pathlib.Path(name) / "ours", bars, asked.scale)
        theirs = {} if asked.ours else run(Theirs, pathlib.Path(name) / "kafka", bars, asked.scale)
    print(f"{'':48} {'ours':>10} {'Kafka':>10} {'ratio':>7}")
    for what, figure in ours.items():
        other = theirs.get(what)
        print(f"{what:48} {figure:10.2f} " + (f"{other:10.2f} {figure / other:7.2f}" if other else ""))


if __name__ == "__main__":
    main()
