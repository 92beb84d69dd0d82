"""`log: kafka://…` beside other programs that write to its topics."""
import json

import pytest
import tailrace
from broker import Broker
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

SQL = "CREATE STREAMING TABLE orders_raw AS SELECT key, partition, offset FROM STREAM orders;"


@pytest.fixture
def kafka(tmp_path):
    (tmp_path / "kafka").mkdir()
    broker = Broker(tmp_path / "kafka").start()
    yield broker
    broker.kill()


def write(kafka, keys, partition=0):
    producer = Producer({"bootstrap.servers": kafka.address})
    for key in keys:
        producer.produce("orders", "{}", key, partition=partition)
    assert producer.flush(30) == 0


def wait_for(project, keys):
    def seen():
        return sorted(row["key"] for row in project.sql("SELECT key FROM orders_raw")) == sorted(keys)
    tailrace.wait_until(seen, f"the keys {keys}", 60)


def test_the_end_of_a_topic_is_that_of_what_is_committed(tmp_path, kafka):
    admin = AdminClient({"bootstrap.servers": kafka.address})
    admin.create_topics([NewTopic("orders", 1)])["orders"].result(30)
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "roles": {"log": f"kafka://{kafka.address}"}, "topics": {"orders": {"format": "json", "partitions": 1}},
        "checkpoint": {"every": "200ms"}}))
    project.start()
    write(kafka, ["a"])
    wait_for(project, ["a"])
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": "slow"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for key in "bcd":
        producer.produce("orders", "{}", key, partition=0)
    assert producer.flush(30) == 0
    write(kafka, ["e"])  # behind what is open

    def end():
        return project.get("/api/topics/orders")["partitions"][0]["end"]
    # Nothing is left to read, so nothing lags, until the transaction has an end.
    tailrace.wait_until(lambda: end() == 1, "the end of what is committed", 30)
    assert sum(hop["lag_records"] for hop in project.hops().values()) == 0
    producer.commit_transaction(30)
    wait_for(project, list("abcde"))
    tailrace.wait_until(lambda: end() == 6, "the end behind the marker", 30)
    project.stop()


def test_what_others_write_is_read_from_an_empty_topic_from_its_end_and_after_a_restart(tmp_path, kafka):
    admin = AdminClient({"bootstrap.servers": kafka.address})
    admin.create_topics([NewTopic("orders", 2)])["orders"].result(30)
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "roles": {"log": f"kafka://{kafka.address}"}, "topics": {"orders": {"format": "json", "partitions": 2}},
        "checkpoint": {"every": "200ms"}}))
    project.start()
    write(kafka, ["a", "b"])
    wait_for(project, ["a", "b"])
    write(kafka, ["c"], partition=1)
    wait_for(project, ["a", "b", "c"])
    project.stop()
    project.start()
    wait_for(project, ["a", "b", "c"])
    write(kafka, ["d"])
    write(kafka, ["e"], partition=1)
    wait_for(project, ["a", "b", "c", "d", "e"])
    project.kill()
    write(kafka, ["f"])
    project.start()
    wait_for(project, ["a", "b", "c", "d", "e", "f"])
    project.stop()
