"""Our broker beside real Kafka 4.3.1, under the same clients: `./dev bench log`.

Java's ProducerPerformance and ConsumerPerformance and the C client kcat write and read a topic of 8 partitions, with
acks=all; we sync to the disk before that answer, Kafka does not. Then EndToEndLatency, the start until the first
answer, and memory. Both brokers run one after the other on the same disk; the clients share the cores with them, so a
client's own processor time bounds the ratio: `at most` is what a broker that costs nothing would reach beside Kafka.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e")]
import kafka_side  # noqa: E402
from broker import Broker  # noqa: E402

TICKS = 100


def cpu_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def clients_cpu_s():
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def memory_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) // 1024


def topic(broker, name, partitions=8):
    said = kafka_side.tool(broker.address, "TopicCommand --bootstrap-server @ --create"
                           f" --topic {name} --partitions {partitions}")
    assert said.code == 0, said


def java_produce(broker, name, count, size, compression):
    said = kafka_side.tool(broker.address, f"ProducerPerformance --topic {name} --num-records {count}"
                           f" --record-size {size} --throughput -1 --producer-props"
                           f" bootstrap.servers={broker.address} acks=all compression.type={compression}")
    return float(re.search(r"([\d.]+) records/sec", said.lines[-1]).group(1))


def java_consume(broker, name, count):
    said = kafka_side.tool(broker.address, f"ConsumerPerformance --bootstrap-server @ --topic {name}"
                           f" --num-records {count} --hide-header")
    return float(said.lines[-1].split(",")[5])


def timed(count, words, **kwargs):
    start = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600, **kwargs)
    return count / (time.monotonic() - start)


def kcat_produce(broker, name, lines, count):
    return timed(count, ["kcat", "-b", broker.address, "-P", "-t", name, "-l", str(lines), "-X", "acks=all", "-X",
                         "linger.ms=5", "-X", "queue.buffering.max.messages=1000000"])


def kcat_consume(broker, name, count):
    return timed(count, ["kcat", "-b", broker.address, "-C", "-t", name, "-o", "beginning", "-e", "-q"])


def measure(broker, folder, counts):
    """What was measured, by name: (figure, processor seconds of broker and client per million records)."""
    found = {}

    def note(name, count, rate_of):
        before, clients = cpu_s(broker.process), clients_cpu_s()
        rate = rate_of()
        found[name] = (rate, (cpu_s(broker.process) - before) * 1e6 / count, (clients_cpu_s() - clients) * 1e6 / count)

    for size, count in counts.items():
        for compression in ("none", "lz4"):
            name = f"java-{size}-{compression}"
            topic(broker, name)
            note(f"Java produce {size} B {compression}", count,
                 lambda n=name, c=count, s=size, z=compression: java_produce(broker, n, c, s, z))
            note(f"Java consume {size} B {compression}", count, lambda n=name, c=count: java_consume(broker, n, c))
        lines = folder / f"{size}.txt"
        lines.write_text((("x" * (size - 1)) + "\n") * count)
        topic(broker, f"kcat-{size}")
        note(f"kcat produce {size} B", count, lambda s=size, p=lines, c=count: kcat_produce(broker, f"kcat-{s}", p, c))
        note(f"kcat consume {size} B", count, lambda s=size, c=count: kcat_consume(broker, f"kcat-{s}", c))
    for acks in ("1", "all"):
        said = kafka_side.tool(broker.address, f"EndToEndLatency --bootstrap-server @ --topic latency-{acks}"
                               f" --num-records 5000 --producer-acks {acks} --record-size 100")
        p50, p99 = re.search(r"50th = (\d+), 99th = (\d+)", "\n".join(said.lines)).groups()
        found[f"latency acks={acks}, p50 ms"] = (float(p50), 0, 0)
        found[f"latency acks={acks}, p99 ms"] = (float(p99), 0, 0)
    return found


def run(kind, start, folder, counts):
    begun = time.monotonic()
    broker = start()
    ready = time.monotonic() - begun
    idle = memory_mb(broker.process)
    found = measure(broker, folder, counts)
    found["start until it answers, s"] = (ready, 0, 0)
    found["memory at start, MB"] = (idle, 0, 0)
    found["memory at the end, MB"] = (memory_mb(broker.process), 0, 0)
    broker.stop()
    print(f"{kind}: done", file=sys.stderr)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of records")
    scale = parser.parse_args().scale
    counts = {100: int(2_000_000 * scale), 1024: int(400_000 * scale)}
    with tempfile.TemporaryDirectory(prefix="bench-log-", dir=ROOT / "build") as name:
        folder = pathlib.Path(name)
        (folder / "ours").mkdir()
        ours = run("ours", lambda: Broker(folder / "ours").start(), folder, counts)
        theirs = run("Kafka", lambda: kafka_side.RealKafka(folder).start(), folder, counts)
    print(f"{'':32} {'ours':>12} {'Kafka':>12} {'ratio':>7}"
          f" {'CPU s/M':>9} {'Kafka':>9} {'client':>9} {'at most':>9}")
    for what, (figure, cpu, client) in ours.items():
        other, other_cpu, _ = theirs[what]
        ratio = figure / other if other else float("inf")
        cpus = (f"{cpu:9.2f} {other_cpu:9.2f} {client:9.2f}"
                f" {os.cpu_count() * 1e6 / client / other:9.2f}") if client else ""
        print(f"{what:32} {figure:12.1f} {other:12.1f} {ratio:7.2f} {cpus}")


if __name__ == "__main__":
    main()
