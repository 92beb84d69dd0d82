"""A project's own registry where its log is a Kafka somewhere else: it keeps its schemas there, in `_schemas`."""
import json

import pytest
import tailrace
from broker import Broker
from confluent_kafka import Consumer, Producer
from test_topic_schemas import SQL, VERSIONS, Topic, encoded, first_version


@pytest.fixture
def kafka(tmp_path):
    (tmp_path / "kafka").mkdir()
    broker = Broker(tmp_path / "kafka").start()
    yield broker
    broker.kill()


def records_of(broker, count):
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "g", "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed"})
    consumer.subscribe(["_schemas"])
    records = []
    while len(records) < count:
        records += [one for one in consumer.consume(count - len(records), timeout=20) if not one.error()]
    consumer.close()
    return [(json.loads(one.key()), json.loads(one.value())) for one in records]


def order(number):
    return {"id": number, "name": "Ann", "amount": number, "status": "PAID"}


def test_schemas_are_kept_in_the_topic_of_that_kafka_and_followed_there(tmp_path, kafka):
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "roles": {"log": f"kafka://{kafka.address}"},
        "topics": {"orders": {"format": "avro", "schema": "schemas/order.avsc"}},
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
        "checkpoint": {"every": "200ms"},
    }))
    first_version(project)
    topic = Topic(project.start())
    topic.producer = Producer({"bootstrap.servers": kafka.address})
    assert topic.registry.ask("GET", "/subjects/orders-value/versions") == (200, [1])
    assert topic.registry.register("orders-value", VERSIONS[1]) == 2
    topic.send(1, encoded(VERSIONS[0], order(1)))
    topic.send(2, encoded(VERSIONS[1], order(2) | {"city": "Ulm"}))
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 2, "both orders", 60)
    kept = [(key["subject"], key["version"], value["id"]) for key, value in records_of(kafka, 2)
            if key["keytype"] == "SCHEMA"]
    assert kept == [("orders-value", 1, 1), ("orders-value", 2, 2)]

    other = Producer({"bootstrap.servers": kafka.address})
    key = {"keytype": "SCHEMA", "subject": "other", "version": 1, "magic": 1}
    value = {"subject": "other", "version": 1, "id": 77, "schema": '"long"', "deleted": False}
    other.produce("_schemas", json.dumps(value), json.dumps(key))
    assert other.flush(20) == 0
    tailrace.wait_until(lambda: topic.registry.ask("GET", "/subjects")[1] == ["orders-value", "other"], "the other's")
    assert topic.registry.register("third", "string") == 78

    project.kill()
    topic = Topic(project.start())
    assert topic.registry.ask("GET", "/subjects") == (200, ["orders-value", "other", "third"])
    assert topic.registry.register("third", "string") == 78
    assert topic.registry.register("fourth", "int") == 79
    project.stop()
