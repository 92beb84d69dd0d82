"""Our schema registry beside Apicurio's, under the same requests: `./dev bench registry`.

Each in turn, on one core (the client has the other): the start until the first answer, 10,000 subjects registered one
after the other by four connections, lookups of random ids over kept connections, memory, and the start with all of it.
Apicurio keeps its schemas in memory here, ours on the disk, synced before each answer; so it has no second start. Then
the cost of the broker's check of records: a producer's rate into a topic that is checked and one that is not.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import re
import selectors
import socket
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e")]
from broker import Broker  # noqa: E402
from confluent_kafka import Producer  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from registry import JSON, Registry  # noqa: E402
from test_registry import APICURIO, Apicurio  # noqa: E402  (tests/real)

SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() - 1


def memory_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def on_core(core, process=0):
    """Moves all threads of a process; its children follow."""
    for thread in os.listdir(f"/proc/{process or os.getpid()}/task"):
        os.sched_setaffinity(int(thread), {core})


def schema(number):
    fields = [{"name": f"f{i}", "type": "string"} for i in range(5)] + [{"name": f"n{number}", "type": "long"}]
    return json.dumps({"type": "record", "name": "R", "fields": fields})


class Line:
    """One kept connection: whole answers by their Content-Length."""

    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def receive(self):
        """The body of an answer when it is whole; None before."""
        self.held += self.socket.recv(65536)
        head, blank, rest = self.held.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
        if len(rest) < length:
            return None
        assert head.startswith(b"HTTP/1.1 200"), self.held
        self.held = rest[length:]
        return rest[:length]


def request(registry, method, path, body=b""):
    root = registry.url.removeprefix(f"http://{registry.address}")
    head = f"{method} {root}{path} HTTP/1.1\r\nHost: {registry.address}\r\nAccept: {JSON}\r\n"
    if body:
        head += f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def register(registry, count, lines=4):
    """Seconds, and the ids."""
    ids = [0] * count

    def run(first):
        line = Line(registry.address)
        for number in range(first, count, lines):
            body = json.dumps({"schema": schema(number)}).encode()
            line.socket.sendall(request(registry, "POST", f"/subjects/s{number}-value/versions", body))
            answer = None
            while answer is None:
                answer = line.receive()
            ids[number] = json.loads(answer)["id"]

    begun = time.monotonic()
    threads = [threading.Thread(target=run, args=(first,)) for first in range(lines)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return time.monotonic() - begun, ids


def look_up(registry, ids, seconds, lines=16):
    """Answers a second and the 99th percentile in milliseconds, over connections that ask as soon as they are
    answered."""
    requests = [request(registry, "GET", f"/schemas/ids/{one}") for one in random.Random(1).choices(ids, k=5000)]
    selector, waits, asked = selectors.DefaultSelector(), [], {}
    for number in range(lines):
        line = Line(registry.address)
        selector.register(line.socket, selectors.EVENT_READ, line)
        asked[line] = time.monotonic()
        line.socket.sendall(requests[number])
    begun, number = time.monotonic(), lines
    while time.monotonic() < begun + seconds:
        for key, _ in selector.select():
            line = key.data
            if line.receive() is None:
                continue
            now = time.monotonic()
            waits.append(now - asked[line])
            asked[line] = now
            line.socket.sendall(requests[number % len(requests)])
            number += 1
    rate = len(waits) / (time.monotonic() - begun)
    return rate, sorted(waits)[len(waits) * 99 // 100] * 1000


def started(registry):
    """Seconds until it answers."""
    begun = time.monotonic()
    registry.start()
    assert registry.ask("GET", "/subjects")[0] == 200
    return time.monotonic() - begun


def measure(name, registry, arguments):
    on_core(SERVER_CORE)  # for what it starts
    first = started(registry)
    on_core(CLIENT_CORE)
    spent, ids = register(registry, arguments.subjects)
    look_up(registry, ids, min(5, arguments.seconds))  # Java's compiler has something to do first
    rate, wait = look_up(registry, ids, arguments.seconds)
    print(f"{name:9} start {first:6.2f} s   {arguments.subjects} subjects {spent:6.2f} s   lookups {rate:8.0f}/s"
          f"   p99 {wait:6.2f} ms   memory {memory_mb(registry.process):6.0f} MB", flush=True)
    return rate


def produced(broker, topic, value, count):
    producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 20, "queue.buffering.max.messages": 1000000,
                         "acks": 1})
    begun = time.monotonic()
    for _ in range(count):
        while True:
            try:
                producer.produce(topic, value)
                break
            except BufferError:
                producer.poll(0.01)
    assert producer.flush(120) == 0
    return count / (time.monotonic() - begun)


def broker_check(folder, records):
    on_core(SERVER_CORE)
    broker = Broker(folder, words=("--registry", "127.0.0.1:0")).start()
    on_core(CLIENT_CORE)
    registry = Registry(folder)
    registry.address = broker.log.read_text().split("registry  http://")[1].split()[0]
    registry.connection = http.client.HTTPConnection(registry.address)
    known = registry.register("checked-value", json.loads(schema(0)))
    admin = AdminClient({"bootstrap.servers": broker.address})
    topics = [NewTopic("plain", 1), NewTopic("checked", 1, config={"confluent.value.schema.validation": "true"})]
    for made in admin.create_topics(topics).values():
        made.result(20)
    value = b"\0" + known.to_bytes(4, "big") + b"x" * 200
    rates = {"plain": [], "checked": []}
    for _ in range(5):
        for topic, told in rates.items():
            before = cpu_s(broker.process)
            rate = produced(broker, topic, value, records)
            told.append((rate, (cpu_s(broker.process) - before) / records * 1e6))
    for topic, told in rates.items():
        rate, cost = sorted(told)[len(told) // 2]
        print(f"broker    {topic:8} {rate:9.0f} records/s   {cost:5.2f} us of the broker's core a record", flush=True)
    broker.stop()


def cpu_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10, help="of lookups")
    parser.add_argument("--records", type=int, default=500_000, help="of the broker's check; 0 leaves it out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for part in ("ours", "apicurio", "broker"):
            (folder / part).mkdir()
        ours = Registry(folder / "ours")
        rate = measure("tailrace", ours, arguments)
        ours.stop()
        on_core(SERVER_CORE)
        again = started(ours)
        print(f"tailrace  start again {again:.2f} s, {memory_mb(ours.process):.0f} MB", flush=True)
        ours.stop()
        if APICURIO:
            other = Apicurio(folder / "apicurio")
            print(f"tailrace answers {rate / measure('apicurio', other, arguments):.1f} times as many lookups")
            other.process.kill()
            other.process.wait()
        else:
            print("Apicurio is not here: eval \"$(tests/real/registry_env.sh)\", export TAILRACE_APICURIO")
        if arguments.records:
            broker_check(folder / "broker", arguments.records)


if __name__ == "__main__":
    main()
