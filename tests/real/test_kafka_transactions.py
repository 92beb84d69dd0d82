"""Kafka's own tools on transactions: a hung one is seen and ended, and the copier that Kafka's system tests use."""
import re
import subprocess
import threading

import confluent_kafka
import confluent_kafka.admin
import pytest
import tailrace
from broker import Broker
from kafka_side import JARS, java, tool

pytestmark = pytest.mark.skipif(not JARS, reason="TAILRACE_KAFKA_JARS names no folder of Kafka's jars")


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "num.partitions=1").start()
    yield started
    started.kill()


def open_transaction(address, name, topic):
    writer = confluent_kafka.Producer({"bootstrap.servers": address, "transactional.id": name})
    writer.init_transactions(60)
    writer.begin_transaction()
    writer.produce(topic, b"inside", partition=0)
    assert writer.flush(30) == 0
    return writer


def stable_end(address, topic):
    place = confluent_kafka.TopicPartition(topic, 0)
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    return admin.list_offsets({place: confluent_kafka.admin.OffsetSpec.latest()},
                              isolation_level=confluent_kafka.IsolationLevel.READ_COMMITTED)[place].result(10).offset


def rows(said):
    """A tool's table without its head."""
    assert said.code == 0, said
    return [re.split(r"\s+", line.strip()) for line in said.lines[1:]]


def test_an_open_transaction_is_listed_described_and_aborted(broker):
    writer = open_transaction(broker.address, "hangs", "hung")
    transactions = "TransactionsCommand --bootstrap-server @"
    listed = rows(tool(broker.address, f"{transactions} list"))
    assert [row[0] for row in listed] == ["hangs"] and listed[0][3] == "Ongoing", listed
    described = tool(broker.address, f"{transactions} describe --transactional-id hangs")
    assert "hung-0" in described.lines[-1], described
    producers = rows(tool(broker.address, f"{transactions} describe-producers --topic hung --partition 0"))
    assert len(producers) == 1 and producers[0][-1] == "0", producers
    assert stable_end(broker.address, "hung") == 0
    aborted = tool(broker.address, f"{transactions} abort --topic hung --partition 0 --start-offset 0")
    assert aborted.code == 0, aborted
    assert stable_end(broker.address, "hung") == 2
    del writer


def test_a_transaction_is_terminated_by_its_name(broker):
    writer = open_transaction(broker.address, "ends", "named")
    ended = tool(broker.address, "TransactionsCommand --bootstrap-server @ forceTerminateTransaction "
                                 "--transactionalId ends")
    assert ended.code == 0, ended
    tailrace.wait_until(lambda: stable_end(broker.address, "named") == 2, "the end of the transaction", 30)
    with pytest.raises(confluent_kafka.KafkaException):
        writer.commit_transaction(30)


def test_the_copier_of_kafkas_system_tests_copies_exactly_once_though_the_broker_is_killed(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    for future in admin.create_topics([confluent_kafka.admin.NewTopic(t, 1) for t in ("input", "output")]).values():
        future.result(30)
    writer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "enable.idempotence": True})
    count = 6000
    for n in range(count):
        writer.produce("input", b"%d" % n, partition=0)
    assert writer.flush(60) == 0
    copier = subprocess.Popen(
        java("org.apache.kafka.tools.TransactionalMessageCopier", "--input-topic", "input", "--input-partition", 0,
             "--output-topic", "output", "--broker-list", broker.address, "--transactional-id", "copier",
             "--consumer-group", "copiers", "--transaction-size", 50, "--enable-random-aborts", "--use-group-metadata"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tailrace.started.append(copier)
    output = []
    reader = threading.Thread(target=lambda: output.extend(copier.stdout))
    reader.start()
    for kill in range(4):
        before = stable_end(broker.address, "output")
        tailrace.wait_until(lambda: copier.poll() is not None or stable_end(broker.address, "output") > before + 500,
                            "records that are copied", 90)
        if copier.poll() is None:
            broker.kill()
            broker.start()
    assert copier.wait(timeout=180) == 0, b"".join(output)[-3000:]
    reader.join()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "checks",
                                         "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
    consumer.assign([confluent_kafka.TopicPartition("output", 0, 0)])
    found = []

    def read():
        found.extend(int(m.value()) for m in consumer.consume(500, 0.5) if not m.error())
        return len(found) >= count
    tailrace.wait_until(read, "the copy", 60)
    assert not consumer.consume(1, 2)
    consumer.close()
    assert found == list(range(count))
