"""Transactions by clients nobody here wrote: what is committed is seen once, what is aborted never."""
import asyncio
import threading
import time

import aiokafka
import aiokafka.errors
import confluent_kafka
import confluent_kafka.admin
import pytest
import tailrace
from broker import Broker

CommittedOnly, All = "read_committed", "read_uncommitted"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("broker"), "num.partitions=3").start()
    yield started
    started.stop()


def producer(address, name, **settings):
    made = confluent_kafka.Producer({"bootstrap.servers": address, "transactional.id": name, **settings})
    made.init_transactions(60)
    return made


def read(address, topic, isolation=CommittedOnly, group="readers"):
    """All that a reader sees of a topic, up to its ends."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": group, "isolation.level": isolation,
                                         "enable.auto.commit": False, "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in partitions])
    values, ended = [], set()
    deadline = time.monotonic() + 60
    while len(ended) < len(partitions):
        assert time.monotonic() < deadline, (values, ended)
        for message in consumer.consume(500, 0.2):
            if message.error():
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                ended.add(message.partition())
            else:
                values.append(message.value())
    consumer.close()
    return sorted(values)


def admin(address):
    return confluent_kafka.admin.AdminClient({"bootstrap.servers": address})


def test_a_reader_of_committed_records_sees_what_is_committed_and_no_more(broker):
    writer = producer(broker.address, "simple")
    for number, end in enumerate(["commit", "abort", "commit"]):
        writer.begin_transaction()
        for n in range(30):
            writer.produce("ends", b"%d.%d" % (number, n), key=b"%d" % n)
        assert writer.flush(30) == 0
        if end == "commit":
            writer.commit_transaction(30)
        else:
            writer.abort_transaction(30)
    committed = sorted(b"%d.%d" % (number, n) for number in (0, 2) for n in range(30))
    tailrace.wait_until(lambda: read(broker.address, "ends") == committed, "the committed records")
    assert read(broker.address, "ends", All) == sorted(committed + [b"1.%d" % n for n in range(30)])


def test_an_open_transaction_is_not_seen_before_its_end(broker):
    writer = producer(broker.address, "open")
    writer.begin_transaction()
    writer.produce("opened", b"inside", partition=0)
    assert writer.flush(30) == 0
    plain = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    plain.produce("opened", b"outside", partition=0)
    assert plain.flush(30) == 0
    assert read(broker.address, "opened") == []
    assert read(broker.address, "opened", All) == [b"inside", b"outside"]
    place = confluent_kafka.TopicPartition("opened", 0)
    latest = {place: confluent_kafka.admin.OffsetSpec.latest()}
    level = confluent_kafka.IsolationLevel
    client = admin(broker.address)
    ends = [client.list_offsets(latest, isolation_level=one)[place].result(10).offset
            for one in (level.READ_COMMITTED, level.READ_UNCOMMITTED)]
    assert ends == [0, 2]
    writer.commit_transaction(30)
    tailrace.wait_until(lambda: read(broker.address, "opened") == [b"inside", b"outside"], "the end")


def test_the_second_producer_of_a_name_fences_the_first_one_off(broker):
    zombie = producer(broker.address, "twice")
    zombie.begin_transaction()
    zombie.produce("fenced", b"of the zombie", partition=0)
    assert zombie.flush(30) == 0
    second = producer(broker.address, "twice")
    second.begin_transaction()
    second.produce("fenced", b"of the second", partition=0)
    second.commit_transaction(30)
    zombie.produce("fenced", b"too late", partition=0)
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        zombie.commit_transaction(30)
    assert refused.value.args[0].fatal(), refused.value
    tailrace.wait_until(lambda: read(broker.address, "fenced") == [b"of the second"], "the second one's record")


def test_a_transaction_that_takes_too_long_is_aborted(broker):
    slow = producer(broker.address, "slow", **{"transaction.timeout.ms": 1000})
    slow.begin_transaction()
    slow.produce("slow", b"never", partition=0)
    assert slow.flush(30) == 0
    plain = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    plain.produce("slow", b"behind it", partition=0)
    assert plain.flush(30) == 0
    tailrace.wait_until(lambda: read(broker.address, "slow") == [b"behind it"], "the end of the slow one", 30)
    with pytest.raises(confluent_kafka.KafkaException):
        slow.commit_transaction(30)


def test_aiokafka_writes_and_reads_transactions(broker):
    async def run():
        writer = aiokafka.AIOKafkaProducer(bootstrap_servers=broker.address, transactional_id="aio")
        async with writer:
            async with writer.transaction():
                for n in range(10):
                    await writer.send("aio", b"kept %d" % n, partition=n % 3)
            with pytest.raises(ValueError):
                async with writer.transaction():
                    for n in range(10):
                        await writer.send_and_wait("aio", b"dropped %d" % n, partition=n % 3)
                    raise ValueError("abort")
            async with writer.transaction():
                await writer.send("aio", b"last", partition=0)
                await writer.send_offsets_to_transaction(
                    {aiokafka.TopicPartition("aio", 0): aiokafka.OffsetAndMetadata(5, "note")}, "aio_group")
        reader = aiokafka.AIOKafkaConsumer("aio", bootstrap_servers=broker.address, auto_offset_reset="earliest",
                                           isolation_level="read_committed", group_id=None)
        found = []
        async with reader:
            while len(found) < 11:
                for records in (await reader.getmany(timeout_ms=500)).values():
                    found.extend(record.value for record in records)
        return found
    found = asyncio.run(asyncio.wait_for(run(), 60))
    assert sorted(found) == sorted([b"kept %d" % n for n in range(10)] + [b"last"])
    place = confluent_kafka.TopicPartition("aio", 0)

    client = admin(broker.address)

    def committed():
        asked = confluent_kafka.ConsumerGroupTopicPartitions("aio_group", [place])
        found = client.list_consumer_group_offsets([asked])["aio_group"].result(10)
        return found.topic_partitions[0].offset == 5
    tailrace.wait_until(committed, "the committed offset")


def test_offsets_of_an_aborted_transaction_are_not_committed(broker):
    group = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "moves_back"})
    place = confluent_kafka.TopicPartition("ends", 0, 7)
    writer = producer(broker.address, "offsets")

    def send(offset, end):
        writer.begin_transaction()
        place.offset = offset
        writer.send_offsets_to_transaction([place], group.consumer_group_metadata(), 30)
        end(30)

    def committed():
        return group.committed([confluent_kafka.TopicPartition("ends", 0)], 30)[0].offset

    send(5, writer.commit_transaction)
    tailrace.wait_until(lambda: committed() == 5, "the first offset")
    send(9, writer.abort_transaction)
    send(6, writer.commit_transaction)
    tailrace.wait_until(lambda: committed() == 6, "the last offset")
    group.close()


async def copy_all(address, count, copied):
    """Copies one topic to another, offsets and records in one transaction a batch; tells how far it is."""
    places = [aiokafka.TopicPartition("copy_from", p) for p in range(3)]
    writer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, transactional_id="copier", request_timeout_ms=5000,
                                       retry_backoff_ms=20)
    reader = aiokafka.AIOKafkaConsumer(bootstrap_servers=address, group_id="copiers", enable_auto_commit=False,
                                       isolation_level="read_committed", request_timeout_ms=5000)
    async with writer, reader:
        reader.assign(places)
        done = {place: 0 for place in places}
        while sum(done.values()) < count:
            for place in places:
                reader.seek(place, done[place])
            try:
                async with writer.transaction():
                    offsets = {}
                    for place, records in (await reader.getmany(*places, timeout_ms=500, max_records=50)).items():
                        for record in records:
                            await writer.send("copy_to", record.value, partition=record.partition)
                        offsets[place] = records[-1].offset + 1
                    if offsets:
                        await writer.send_offsets_to_transaction(offsets, "copiers")
                done.update(offsets)
            except aiokafka.errors.KafkaError as failed:
                # Perhaps it is committed all the same: what the group says decides.
                copied.setdefault("failures", []).append(repr(failed))
                await writer.stop()
                writer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, transactional_id="copier",
                                                   request_timeout_ms=5000, retry_backoff_ms=20)
                await writer.start()
                for place in places:
                    done[place] = await reader.committed(place) or 0
            copied["records"] = sum(done.values())


def test_a_copy_is_made_exactly_once_though_the_broker_is_killed(tmp_path):
    broker = Broker(tmp_path, "num.partitions=3").start()
    plain = confluent_kafka.Producer({"bootstrap.servers": broker.address, "enable.idempotence": True})
    values = [b"%d" % n for n in range(500 * (tailrace.KILLS + 1))]
    for n, value in enumerate(values):
        plain.produce("copy_from", value, partition=n % 3)
    assert plain.flush(60) == 0
    copied, ended = {"records": 0}, []

    def copy():
        asyncio.run(asyncio.wait_for(copy_all(broker.address, len(values), copied), 120 + 10 * tailrace.KILLS))
        ended.append(True)
    thread = threading.Thread(target=copy)
    thread.start()
    for kill in range(tailrace.KILLS):
        due = len(values) * (kill + 1) // (tailrace.KILLS + 1)
        tailrace.wait_until(lambda: not thread.is_alive() or copied["records"] >= due, "the copier", 150)
        broker.kill()
        broker.start()
    thread.join()
    assert ended, copied
    tailrace.wait_until(lambda: read(broker.address, "copy_to") == sorted(values), "the copy", 60)
    broker.stop()


def test_what_was_decided_before_a_crash_is_ended_after_it(tmp_path):
    broker = Broker(tmp_path, "num.partitions=3").start()
    writer = producer(broker.address, "decided")
    for number in range(10):
        writer.begin_transaction()
        for n in range(3):
            writer.produce("decided", b"%d" % (3 * number + n), partition=n)
        writer.commit_transaction(60)
        broker.kill()  # the markers are perhaps not written: the answer does not wait for them
        broker.start()
        expected = sorted(b"%d" % n for n in range(3 * (number + 1)))
        tailrace.wait_until(lambda: read(broker.address, "decided") == expected, f"transaction {number}")
    broker.stop()
