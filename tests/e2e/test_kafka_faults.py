"""What goes wrong around a broker: too many connections, lengths that lie, readers that do not read, a full disk."""
import collections
import os
import re
import resource
import socket
import struct
import threading
import time

import confluent_kafka
import confluent_kafka.admin
import pytest
import tailrace
from broker import Broker
from small_disk import Ballast, disk  # noqa: F401 (a fixture)

API_VERSIONS = struct.pack(">hhih", 18, 0, 7, -1)


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "num.partitions=1").start()
    yield started
    started.kill()


def memory_mb(broker):
    """What is resident and not mapped from a file."""
    text = open(f"/proc/{broker.process.pid}/status").read()
    return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) / 1024


def connect(broker):
    host, port = broker.address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    return connection


def framed(body):
    return struct.pack(">i", len(body)) + body


def ask(connection, body=API_VERSIONS):
    connection.sendall(framed(body))
    head = connection.recv(4, socket.MSG_WAITALL)
    assert len(head) == 4
    return connection.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)


def send(broker, topic, values, **settings):
    """The values that were acknowledged."""
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "log_level": 0, **settings})
    acknowledged, failures = [], []

    def delivered(error, message):
        acknowledged.append(message.value()) if error is None else failures.append(error)

    for value in values:
        producer.produce(topic, value, on_delivery=delivered)
        producer.poll(0)
    producer.flush(120)
    return acknowledged, failures


def read_all(broker, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "faults", "log_level": 0})
    place = confluent_kafka.TopicPartition(topic, 0, 0)
    end = consumer.get_watermark_offsets(place, 30)[1]
    consumer.assign([place])
    values = []
    while len(values) < end:
        for message in consumer.consume(10_000, 5):
            assert message.error() is None, message.error()
            values.append(message.value())
    consumer.close()
    return values


def test_five_thousand_idle_connections_cost_little_and_hinder_nobody(broker):
    before = memory_mb(broker)
    idle = [connect(broker) for _ in range(5000)]
    for connection in idle:
        assert ask(connection)
    assert memory_mb(broker) - before < 100
    values = [b"%d" % number for number in range(10_000)]
    assert send(broker, "busy", values) == (values, [])
    assert read_all(broker, "busy") == values
    assert ask(idle[0]) and ask(idle[-1])
    for connection in idle:
        connection.close()


def test_what_is_announced_and_not_sent_takes_no_memory(broker):
    before = memory_mb(broker)
    with connect(broker) as liar:
        liar.sendall(struct.pack(">i", 0x7fffffff))
        assert liar.recv(1) == b""  # more than socket.request.max.bytes
    liars = [connect(broker) for _ in range(50)]
    for liar in liars:
        liar.sendall(struct.pack(">i", 100 << 20) + API_VERSIONS)  # as much as a request may have, never to come
    with connect(broker) as honest:
        assert ask(honest)
    assert memory_mb(broker) - before < 50
    for liar in liars:
        liar.close()


def test_readers_that_do_not_read_take_little_and_hinder_nobody(broker):
    value = b"x" * 100_000
    assert len(send(broker, "large", [value] * 1000, **{"linger.ms": 5})[0]) == 1000
    fetch = struct.pack(">hhih", 1, 4, 9, -1) + struct.pack(">iiiib", -1, 0, 1, 100 << 20, 0) + \
        struct.pack(">ih5siiqi", 1, 5, b"large", 1, 0, 0, 100 << 20)
    before = memory_mb(broker)
    slow = [connect(broker) for _ in range(40)]
    for connection in slow:
        for _ in range(10):
            connection.sendall(framed(fetch))  # 40 x 10 x 100 MB of answers, and nobody takes one
    started = time.monotonic()
    assert len(read_all(broker, "large")) == 1000
    assert time.monotonic() - started < 60
    assert memory_mb(broker) - before < 450
    for connection in slow:
        connection.close()


def test_a_full_disk_is_told_to_producers_and_they_go_on_when_there_is_room(tmp_path, disk):  # noqa: F811
    broker = Broker(tmp_path, "num.partitions=1")
    broker.data = disk / "data"
    broker.start()
    values = [b"%06d" % number + b"." * 10_000 for number in range(3000)]
    assert send(broker, "full", values[:100]) == (values[:100], [])
    ballast = Ballast(disk, 5)
    acknowledged, failures = send(broker, "full", values[100:], **{"delivery.timeout.ms": 4000, "retries": 0})
    assert len(acknowledged) < 1000 and failures
    with connect(broker) as other:
        assert ask(other)
    assert set(read_all(broker, "full")) >= set(values[:100] + acknowledged)  # reading goes on
    ballast.remove()
    late = [b"late %d" % number for number in range(100)]
    done = threading.Event()

    def again():
        if send(broker, "full", late)[0] == late:
            done.set()

    writer = threading.Thread(target=again)
    writer.start()
    writer.join(120)
    assert done.is_set(), broker.log.read_text()[-2000:]
    broker.kill()
    broker.start()
    found = collections.Counter(read_all(broker, "full"))
    assert set(found) >= set(values[:100] + acknowledged + late)
    broker.stop()


def test_too_many_open_files_are_told_with_what_to_do_and_writing_goes_on_when_there_may_be_more(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([confluent_kafka.admin.NewTopic("wide", 40)])["wide"].result(30)
    pid = broker.process.pid
    may = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = len(os.listdir(f"/proc/{pid}/fd")) + 8
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, may[1]))
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "log_level": 0})
    failures = []
    for partition in range(40):
        producer.produce("wide", b"value", partition=partition,
                         on_delivery=lambda error, _: error and failures.append(error))

    def told():
        producer.poll(0.1)
        return re.search(r"wide-\d+: not written, .*Too many open files; this process may have (\d+), more with",
                         broker.log.read_text())

    assert int(tailrace.wait_until(told, "the line about the limit", 60)[1]) == few
    resource.prlimit(pid, resource.RLIMIT_NOFILE, may)
    assert producer.flush(120) == 0 and failures == []
