"""Clients nobody here wrote, unmodified, against the Kafka door: what one writes the others read."""
import asyncio
import socket
import subprocess
import threading
import time

import aiokafka
import confluent_kafka
import confluent_kafka.admin
import kafka
import pytest
import tailrace
from broker import Broker

COUNT = 2000
VALUES = [b"value %d" % n for n in range(COUNT)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("broker"), "num.partitions=3").start()
    yield started
    started.stop()


def write_confluent(address, topic, compression="none"):
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "enable.idempotence": True,
                                         "compression.type": compression})
    for value in VALUES:
        producer.produce(topic, value, key=value[-2:], on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(30) == 0 and not failed


def write_kafka_python(address, topic, compression="none"):
    producer = kafka.KafkaProducer(bootstrap_servers=address, compression_type=None if compression == "none"
                                   else compression)
    sent = [producer.send(topic, value, key=value[-2:]) for value in VALUES]
    for one in sent:
        one.get(30)
    producer.close()


def write_aiokafka(address, topic, compression="none"):
    async def write():
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True,
                                             compression_type=None if compression == "none" else compression)
        async with producer:
            sent = [await producer.send(topic, value, key=value[-2:]) for value in VALUES]
            await asyncio.gather(*sent)
    asyncio.run(write())


def write_kcat(address, topic, compression="none"):
    subprocess.run(["kcat", "-b", address, "-P", "-t", topic, "-z", compression, "-X", "acks=all"],
                   input=b"\n".join(VALUES) + b"\n", check=True, timeout=60, capture_output=True)


def read_confluent(address, topic, group):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": group,
                                         "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found = []
    end = time.monotonic() + 60
    while len(found) < COUNT and time.monotonic() < end:
        for message in consumer.consume(500, 0.5):
            assert message.error() is None, message.error()
            found.append(message.value())
    consumer.close()
    return found


def read_kafka_python(address, topic, group):
    consumer = kafka.KafkaConsumer(topic, bootstrap_servers=address, group_id=group, auto_offset_reset="earliest")
    found = []
    end = time.monotonic() + 60
    while len(found) < COUNT and time.monotonic() < end:
        for records in consumer.poll(500).values():
            found += [record.value for record in records]
    consumer.close()
    return found


def read_aiokafka(address, topic, group):
    async def read():
        consumer = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=address, group_id=group,
                                             auto_offset_reset="earliest")
        found = []
        async with consumer:
            while len(found) < COUNT:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found.extend(record.value for record in records)
        return found
    return asyncio.run(asyncio.wait_for(read(), 60))


def read_kcat(address, topic, group):
    done = subprocess.run(["kcat", "-b", address, "-G", group, "-X", "auto.offset.reset=earliest", "-c", str(COUNT),
                           "-q", topic], check=True, timeout=60, capture_output=True)
    return done.stdout.splitlines()


WRITERS = {"confluent": write_confluent, "kafka_python": write_kafka_python, "aiokafka": write_aiokafka,
           "kcat": write_kcat}
READERS = {"confluent": read_confluent, "kafka_python": read_kafka_python, "aiokafka": read_aiokafka,
           "kcat": read_kcat}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_one_client_writes_every_other_reads_in_a_group(broker, writer):
    topic = f"from_{writer}"
    WRITERS[writer](broker.address, topic)
    for reader, read in READERS.items():
        assert sorted(read(broker.address, topic, f"group_{reader}")) == sorted(VALUES), (writer, reader)


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_batches_are_kept_as_they_were_compressed(broker, compression):
    topic = f"as_{compression}"
    write_confluent(broker.address, topic, compression)
    for reader in ("confluent", "kcat"):
        assert sorted(READERS[reader](broker.address, topic, f"as_{reader}")) == sorted(VALUES)
    head = next(path for path in sorted((broker.data / "log").glob(f"{topic}-*/*.log")) if path.stat().st_size)
    codec = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}[compression]
    assert head.read_bytes()[22] & 7 == codec


def test_a_group_goes_on_where_it_was_after_a_restart(tmp_path):
    broker = Broker(tmp_path, "num.partitions=2").start()
    write_confluent(broker.address, "resumed")
    settings = {"bootstrap.servers": broker.address, "group.id": "resumes", "auto.offset.reset": "earliest",
                "enable.auto.commit": False, "session.timeout.ms": 6000}  # `first` may close without a coordinator
    first = confluent_kafka.Consumer(settings)
    first.subscribe(["resumed"])
    half = []
    while len(half) < COUNT // 2:
        half += [m.value() for m in first.consume(100, 1)]
    first.commit(asynchronous=False)
    broker.kill()
    broker.start()
    first.close()
    second = confluent_kafka.Consumer(settings)
    second.subscribe(["resumed"])
    rest = []
    end = time.monotonic() + 60
    while len(half) + len(rest) < COUNT and time.monotonic() < end:
        rest += [m.value() for m in second.consume(500, 0.5) if not m.error()]
    second.close()
    assert sorted(half + rest) == sorted(VALUES)
    broker.stop()


def test_partitions_move_when_members_come_and_go(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([confluent_kafka.admin.NewTopic("shared_out", 6)])["shared_out"].result(10)
    settings = {"bootstrap.servers": broker.address, "group.id": "moves", "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 500}
    members = [confluent_kafka.Consumer(settings) for _ in range(3)]

    def spread(expected):
        def assigned():
            for member in members:
                member.poll(0.05)
            return sorted(len(member.assignment()) for member in members) == expected
        tailrace.wait_until(assigned, f"{expected} partitions", 40)

    for member in members:
        member.subscribe(["shared_out"])
    spread([2, 2, 2])
    members.pop().close()
    spread([3, 3])
    described = admin.describe_consumer_groups(["moves"])["moves"].result(10)
    assert described.state == confluent_kafka.ConsumerGroupState.STABLE and len(described.members) == 2
    for member in members:
        member.close()


def test_a_waiting_fetch_wakes_with_the_first_record(broker):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "linger.ms": 0})
    producer.produce("woken", b"first", partition=0)
    assert producer.flush(10) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "woken",
                                         "fetch.wait.max.ms": 20_000})
    consumer.assign([confluent_kafka.TopicPartition("woken", 0, 0)])
    tailrace.wait_until(lambda: consumer.poll(0.5), "the first record")
    took = []
    for n in range(20):
        start = time.monotonic()
        producer.produce("woken", b"%d" % n, partition=0)
        assert producer.flush(10) == 0
        assert consumer.poll(30).value() == b"%d" % n
        took.append(time.monotonic() - start)
    producer.produce("woken", b"so that no fetch waits while the consumer closes", partition=0)
    assert producer.flush(10) == 0
    consumer.close()
    assert sorted(took)[10] < 2, took  # not the 20 s of fetch.wait.max.ms


def test_topics_are_made_grown_described_and_deleted(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([confluent_kafka.admin.NewTopic("grows", 2, config={"retention.ms": "60000"})])[
        "grows"].result(10)
    with pytest.raises(confluent_kafka.KafkaException) as twice:
        admin.create_topics([confluent_kafka.admin.NewTopic("grows", 2)])["grows"].result(10)
    assert twice.value.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS
    admin.create_partitions([confluent_kafka.admin.NewPartitions("grows", 5)])["grows"].result(10)
    assert len(admin.list_topics("grows", 10).topics["grows"].partitions) == 5
    described = admin.describe_topics(confluent_kafka.TopicCollection(["grows"]))["grows"].result(10)
    assert len(described.partitions) == 5 and described.partitions[0].leader.id == 1
    admin.delete_topics(["grows"])["grows"].result(10)
    assert "grows" not in admin.list_topics(timeout=10).topics


def test_offsets_are_found_by_time_and_by_the_largest_timestamp(broker):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    base = int(time.time() * 1000) - 60_000  # younger than what retention takes
    for n in (3, 1, 9, 4):
        producer.produce("timed", b"%d" % n, partition=0, timestamp=base + n)
        assert producer.flush(10) == 0
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    place = confluent_kafka.TopicPartition("timed", 0)

    def offset(spec):
        return admin.list_offsets({place: spec})[place].result(10)

    spec = confluent_kafka.admin.OffsetSpec
    assert offset(spec.earliest()).offset == 0 and offset(spec.latest()).offset == 4
    assert (offset(spec.max_timestamp()).offset, offset(spec.max_timestamp()).timestamp) == (2, base + 9)
    at = offset(spec.for_timestamp(base + 4))
    assert (at.offset, at.timestamp) == (2, base + 9)
    assert offset(spec.for_timestamp(base + 10)).offset == -1


def test_records_can_be_deleted_up_to_an_offset(broker):
    write_confluent(broker.address, "cut")
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    place = confluent_kafka.TopicPartition("cut", 0, 10)
    assert admin.delete_records([place])[place].result(10).low_watermark == 10
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "cut"})
    assert consumer.get_watermark_offsets(confluent_kafka.TopicPartition("cut", 0), 10)[0] == 10
    consumer.close()


def test_a_bad_request_closes_its_connection_and_no_other(broker):
    host, port = broker.address.split(":")
    before = kafka.KafkaAdminClient(bootstrap_servers=broker.address)
    for frame in (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\x00\x01",
                  b"\x00\x00\x00\x0a\x00\x00\x00\x63\x00\x00\x00\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection((host, int(port))) as bad:
            bad.settimeout(20)
            bad.sendall(frame)
            assert bad.recv(1) == b"", frame
    assert before.list_topics() is not None
    before.close()


def test_two_brokers_cannot_hold_one_folder(broker):
    second = subprocess.run([tailrace.PROGRAM, "broker", "--data", broker.data, "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and "in use by process" in second.stderr


def test_kafkas_clients_feed_a_running_project_and_read_its_topics(tmp_path):
    ingest = tailrace.files_from(tmp_path / "input")
    (tmp_path / "input").mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(ingest)).start()
    from records import user
    import json

    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka(), "enable.idempotence": True})
    for n in range(50):
        producer.produce("users_created", json.dumps(user(n)), key=str(n))
    producer.produce("users_created", b"no JSON at all")
    assert producer.flush(20) == 0
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == 50, "the users")
    # It may lie in another partition, and in a later step.
    tailrace.wait_until(lambda: len(project.sql("SELECT * FROM system.dead_letters")) == 1, "the dead letter")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "outside",
                                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["users_created"])
    found = []
    while len(found) < 51:
        found += consumer.consume(100, 1)
    consumer.close()
    project.stop()


class Load(threading.Thread):
    """Writes numbers with an idempotent producer through kills; `acknowledged` holds what the broker said it has."""

    def __init__(self, address, topic):
        super().__init__(daemon=True)
        self.address, self.topic = address, topic
        self.acknowledged, self.sent, self.stopping = set(), 0, False

    def run(self):
        producer = confluent_kafka.Producer({"bootstrap.servers": self.address, "enable.idempotence": True,
                                             "message.timeout.ms": 120_000, "reconnect.backoff.max.ms": 200,
                                             "retry.backoff.max.ms": 200, "linger.ms": 1})

        def delivered(error, message):
            if error is None:
                self.acknowledged.add(int(message.value()))

        while not self.stopping:
            try:
                producer.produce(self.topic, b"%d" % self.sent, on_delivery=delivered)
                self.sent += 1
            except BufferError:
                pass
            producer.poll(0.001 if self.sent % 50 == 0 else 0)
        assert producer.flush(60) == 0


def test_kills_lose_nothing_that_was_acknowledged_and_double_nothing(tmp_path):
    broker = Broker(tmp_path, "num.partitions=2").start()
    load = Load(broker.address, "killed")
    load.start()
    for kill in range(tailrace.KILLS):
        seen = len(load.acknowledged)
        tailrace.wait_until(lambda: len(load.acknowledged) > seen + 500, f"records after kill {kill}")
        broker.kill()
        broker.start()
    load.stopping = True
    load.join(90)
    assert not load.is_alive() and len(load.acknowledged) == load.sent
    done = subprocess.run(["kcat", "-b", broker.address, "-C", "-t", "killed", "-e", "-q"], capture_output=True,
                          check=True, timeout=60)
    found = [int(line) for line in done.stdout.split()]
    assert len(found) == len(set(found)) and set(found) == load.acknowledged
    broker.stop()
