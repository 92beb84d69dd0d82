"""Topics whose records the broker checks against a schema registry before it takes them: Confluent Server's
confluent.*.schema.validation, written by foreign clients."""
import json
import struct

import confluent_kafka
import pytest
import registry
import tailrace
from broker import Broker
from confluent_kafka import Consumer, Producer, TopicPartition
from test_kafka_configs import SET, TOPIC, alter, create, describe, refused

ON = {"confluent.value.schema.validation": "true"}
STRATEGY = "io.confluent.kafka.serializers.subject."
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}
OTHER = {"type": "record", "name": "Other", "fields": [{"name": "id", "type": "long"}]}


def registry_of(folder, address):
    """The registry of a broker or project at HOST:PORT."""
    asked = registry.Registry(folder)
    asked.address = address
    asked.connection = registry.http.client.HTTPConnection(address, timeout=60)
    return asked


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, words=("--registry", "127.0.0.1:0")).start()
    address = started.log.read_text().split("registry  http://")[1].split()[0]
    started.registry = registry_of(tmp_path, address)
    yield started
    started.kill()


def wired(schema_id, data=b"\x02"):
    return b"\0" + struct.pack(">i", schema_id) + data


def produce(address, topic, *values, key=None, first=(), **settings):
    """What became of each, all sent in one batch: None or the error's name. One batch is sure only of a client that
    knows the topic, by those that it sends `first`."""
    outcomes = [0] * len(values)
    producer = Producer({"bootstrap.servers": address, "linger.ms": 60000, **settings})
    for value in first:
        producer.produce(topic, value, key, partition=0)
    assert producer.flush(60) == 0
    for number, value in enumerate(values):
        def told(error, _, number=number):
            outcomes[number] = error and error.name()
        producer.produce(topic, value, key, partition=0, on_delivery=told)
    assert producer.flush(60) == 0
    return outcomes


def records(address, topic):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.partition.eof": True,
                         "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while True:
        message = consumer.poll(30)
        assert message is not None, "the partition has no end"
        if message.error():
            assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
            consumer.close()
            return values
        values.append(message.value())


def test_only_records_of_the_topics_subject_are_taken(broker):
    good, other = broker.registry.register("orders-value", ORDER), broker.registry.register("elsewhere-value", OTHER)
    create(broker, "orders", config=ON)
    assert produce(broker.address, "orders", wired(good), None, wired(good, b"")) == [None] * 3
    for bad in (wired(4711), wired(other), b"{}", b"", wired(good)[:4]):
        assert produce(broker.address, "orders", bad) == ["INVALID_RECORD"], bad
    assert produce(broker.address, "orders", wired(good)) == [None]
    assert records(broker.address, "orders") == [wired(good), None, wired(good, b""), wired(good)]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_one_bad_record_keeps_its_whole_batch_out_however_it_is_compressed(broker, codec):
    good = broker.registry.register("orders-value", ORDER)
    create(broker, "orders", config=ON)
    fill = [wired(good, b"x" * 200)] * 50
    outcomes = produce(broker.address, "orders", *fill, wired(4711), *fill, first=fill, **{"compression.type": codec})
    assert None not in outcomes and "INVALID_RECORD" in outcomes
    assert records(broker.address, "orders") == fill


def test_a_schema_registered_later_is_taken_then(broker):
    create(broker, "orders", config=ON)
    elsewhere = broker.registry.register("elsewhere-value", ORDER)
    assert produce(broker.address, "orders", wired(elsewhere)) == ["INVALID_RECORD"]
    assert broker.registry.register("orders-value", ORDER) == elsewhere
    assert produce(broker.address, "orders", wired(elsewhere)) == [None]


def test_keys_are_checked_by_their_own_setting(broker):
    good = broker.registry.register("orders-key", {"type": "string"})
    create(broker, "orders", config={"confluent.key.schema.validation": "true"})
    assert produce(broker.address, "orders", b"anything", key=wired(good)) == [None]
    assert produce(broker.address, "orders", b"anything", key=b"k") == ["INVALID_RECORD"]
    assert produce(broker.address, "orders", b"anything") == [None]


@pytest.mark.parametrize("strategy, subject", [("RecordNameStrategy", "shop.Order"),
                                               ("TopicRecordNameStrategy", "orders-shop.Order")])
def test_subjects_may_be_named_after_the_record(broker, strategy, subject):
    good, other = broker.registry.register(subject, ORDER), broker.registry.register("orders-value", OTHER)
    create(broker, "orders", config=ON | {"confluent.value.subject.name.strategy": STRATEGY + strategy})
    assert produce(broker.address, "orders", wired(good)) == [None]
    assert produce(broker.address, "orders", wired(other)) == ["INVALID_RECORD"]


def test_it_is_switched_on_and_off_while_producers_write_and_described(broker):
    create(broker, "orders")
    assert produce(broker.address, "orders", b"{}") == [None]
    alter(broker, TOPIC, "orders", (SET, "confluent.value.schema.validation", "true"))
    assert describe(broker, TOPIC, "orders")["confluent.value.schema.validation"].value == "true"
    assert produce(broker.address, "orders", b"{}") == ["INVALID_RECORD"]
    broker.kill()
    broker.start()
    assert produce(broker.address, "orders", b"{}") == ["INVALID_RECORD"]
    alter(broker, TOPIC, "orders", (SET, "confluent.value.schema.validation", "false"))
    assert describe(broker, TOPIC, "orders")["confluent.value.schema.validation"].value == "false"
    assert produce(broker.address, "orders", b"{}") == [None]
    name, why = refused(alter, broker, TOPIC, "orders", (SET, "confluent.value.subject.name.strategy", "mine"))
    assert name == "INVALID_CONFIG" and "TopicRecordNameStrategy" in why


def test_transactions_are_checked_too(broker):
    good = broker.registry.register("orders-value", ORDER)
    create(broker, "orders", config=ON)
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": "t"})
    producer.init_transactions(30)
    errors = []
    for value in (wired(good), wired(4711)):
        producer.begin_transaction()
        producer.produce("orders", value, on_delivery=lambda error, _: errors.append(error and error.name()))
        producer.flush(30)
        producer.abort_transaction(30) if errors[-1] else producer.commit_transaction(30)
    assert errors == [None, "INVALID_RECORD"]
    assert records(broker.address, "orders") == [wired(good)]


def test_many_batches_in_flight_stay_in_order_while_their_ids_are_asked_for(broker):
    ids = [broker.registry.register("orders-value", ORDER | {"doc": str(n)}) for n in range(30)]
    create(broker, "orders", config=ON)
    values = [wired(ids[n // 10], str(n).encode()) for n in range(300)]
    outcomes = produce(broker.address, "orders", *values, **{
        "enable.idempotence": True, "linger.ms": 0, "batch.num.messages": 1, "max.in.flight": 5})
    assert set(outcomes) == {None}
    assert records(broker.address, "orders") == values


def test_without_a_registry_it_cannot_be_switched_on(tmp_path):
    alone = Broker(tmp_path).start()
    name, why = refused(create, alone, "orders", config=ON)
    assert name == "INVALID_CONFIG" and "needs a schema registry, and this broker has none" in why
    create(alone, "orders", config={"confluent.value.schema.validation": "false"})
    name, why = refused(alter, alone, TOPIC, "orders", (SET, "confluent.value.schema.validation", "TRUE"))
    assert name == "INVALID_CONFIG" and "needs a schema registry" in why
    assert produce(alone.address, "orders", b"{}") == [None]
    alone.stop()


SQL = """CREATE STREAMING TABLE orders_raw TBLPROPERTIES ('quality' = 'bronze') AS
SELECT value.*, offset FROM STREAM orders;"""


def project_of(folder, **more):
    (folder / "order.avsc").write_text(json.dumps(ORDER))
    topic = {"format": "avro", "schema": str(folder / "order.avsc"), "schema_validation": True}
    return tailrace.with_sql(folder, SQL, json.dumps({"topics": {"orders": topic}, **more}))


def test_a_projects_topic_is_checked_where_tailrace_yml_says_so(tmp_path):
    project = project_of(tmp_path).start()
    assert produce(project.kafka(), "orders", wired(1)) == [None]
    assert produce(project.kafka(), "orders", wired(4711)) == ["INVALID_RECORD"]
    project.stop()


def test_while_a_registry_somewhere_else_is_down_producers_try_again(tmp_path):
    (tmp_path / "alone").mkdir()
    alone = registry.Registry(tmp_path / "alone").start()
    newer = ORDER | {"fields": ORDER["fields"] + [{"name": "n", "type": "int", "default": 0}]}
    project = project_of(tmp_path, roles={"registry": alone.url}).start()
    known = alone.ask("GET", "/subjects/orders-value/versions/latest")[1]["id"]
    new = alone.register("orders-value", newer)
    assert produce(project.kafka(), "orders", wired(known)) == [None]
    alone.kill()
    assert produce(project.kafka(), "orders", wired(known)) == [None]
    told = []
    producer = Producer({"bootstrap.servers": project.kafka()})
    producer.produce("orders", wired(new, b"\x02\x02"), on_delivery=lambda error, _: told.append(error))
    silence = "records cannot be checked: the schema registry"
    tailrace.wait_until(lambda: silence in project.log.read_text(), "its silence")
    assert told == [] and producer.poll(0) == 0
    alone.start()
    assert producer.flush(60) == 0 and told == [None]
    assert produce(project.kafka(), "orders", wired(4711)) == ["INVALID_RECORD"]
    project.stop()
    alone.stop()
