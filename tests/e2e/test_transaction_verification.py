"""KIP-890 on the wire: records of a transaction go to partitions only that are in it. Older clients have added them,
newer ones (Produce since version 12) leave that to the broker, and what comes after the end of its transaction
leaves nothing open behind it."""
import kafka_wire
import pytest
from broker import Broker
from wire_producer import Producer

INVALID_EPOCH, INVALID_STATE, UNKNOWN_MAPPING, DENIED, ABORTABLE = 47, 48, 49, 53, 120


def verification(broker, value):
    answer = kafka_wire.Connection(broker.address).ask("IncrementalAlterConfigs", Resources=[
        {"ResourceType": 4, "ResourceName": "", "Configs": [
            {"Name": "transaction.partition.verification.enable", "ConfigOperation": 0, "Value": value}]}])
    assert answer["Responses"][0]["ErrorCode"] == 0, answer


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("broker"), "num.partitions=2").start()
    yield started
    started.stop()


@pytest.mark.parametrize("version,error", [(3, INVALID_STATE), (9, INVALID_STATE), (10, INVALID_STATE),
                                           (11, ABORTABLE)])
def test_a_partition_that_was_not_added_is_refused_to_older_clients(broker, version, error):
    producer = Producer(broker, f"not-added-{version}", f"not-added-{version}", version)
    assert producer.produce(0) == [error]
    assert producer.add(1) == [0]
    assert producer.produce(0, 1) == [error, 0]
    assert producer.written(0) == (0, []) and producer.written(1) == (1, [0])
    assert producer.add(0) == [0] and producer.produce(0) == [0]
    producer.end(True)
    assert producer.written(0) == (2, []) and producer.written(1) == (2, [])


@pytest.mark.parametrize("version", [12, 13])
def test_newer_clients_leave_it_to_the_broker(broker, version):
    producer = Producer(broker, f"implicit-{version}", f"implicit-{version}", version)
    assert producer.produce(0) == [0] and producer.partitions() == [0]
    assert producer.produce(1) == [0] and producer.partitions() == [0, 1]
    producer.end(False)
    assert producer.produce(1) == [0] and producer.partitions() == [1]
    producer.end(True)
    assert producer.written(0) == (2, []) and producer.written(1) == (4, [])


def test_what_comes_after_its_transaction_ended_opens_no_other_one(broker):
    producer = Producer(broker, "late", "late", 11)
    assert producer.add(0) == [0] and producer.produce(0) == [0]
    producer.end(True)
    assert producer.produce(0) == [ABORTABLE]
    assert producer.written(0) == (2, [])


def test_what_comes_with_the_epoch_of_the_transaction_before_is_fenced(broker):
    producer = Producer(broker, "fenced", "fenced", 12)
    assert producer.produce(0) == [0]
    before, sequence = (producer.id, producer.epoch), dict(producer.sequence)
    producer.end(True)
    after = producer.id, producer.epoch
    (producer.id, producer.epoch), producer.sequence = before, sequence
    assert producer.produce(0) == [INVALID_EPOCH] and producer.produce(1) == [INVALID_EPOCH]
    (producer.id, producer.epoch), producer.sequence = after, {}
    assert producer.produce(0) == [0]
    producer.end(True)
    assert producer.written(0) == (4, []) and producer.written(1) == (0, [])


@pytest.mark.parametrize("version", [9, 11, 12])
def test_a_producer_that_does_not_have_the_name_is_refused(broker, version):
    producer = Producer(broker, f"mapping-{version}", "mapping", version)
    assert producer.produce(0, producer=producer.id + 1000) == [UNKNOWN_MAPPING]
    assert producer.produce(0, name=None) == [DENIED]
    assert producer.produce(0, name="of nobody") == [UNKNOWN_MAPPING]


def test_partitions_that_nobody_added_are_written_to_where_verification_is_off(broker):
    old = Producer(broker, "careless", "careless", 11)
    new = Producer(broker, "careful", "careless", 12)
    assert old.produce(0) == [ABORTABLE]
    verification(broker, "false")
    try:
        assert old.produce(0) == [0] and old.written(0) == (1, [0])
        assert old.partitions() == [], "a transaction that hangs"
        assert new.produce(1) == [0] and new.partitions() == [1], "what the broker adds itself it adds"
    finally:
        verification(broker, "true")
    assert Producer(broker, "third", "careless", 11).produce(0) == [ABORTABLE]
