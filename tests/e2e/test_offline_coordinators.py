"""A damaged partition of a topic that coordinators keep their state in: who is kept there is not served, and all else
goes on. The file put back, all is there again."""
import json
import re
import urllib.error
import urllib.request

import confluent_kafka
import kafka_wire
import pytest
import record_batches
from broker import Broker
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from test_share_groups import Member, prepared
from wire_producer import Producer

COORDINATOR_NOT_AVAILABLE = 15
PARTITIONS = 3
GROUP, TRANSACTION, SHARE = range(3)


def home(name):
    """The partition that Kafka keeps a name in."""
    number = 0
    for letter in name.encode():
        number = (31 * number + letter) & 0xFFFFFFFF
    return abs(number - (1 << 32) if number >> 31 else number) % PARTITIONS


def names_of(word):
    """Two names that are kept in one partition, and two of another."""
    names = [f"{word}-{n}" for n in range(40)]
    lost = [name for name in names if home(name) == home(names[0])][:2]
    return lost, [name for name in names if home(name) != home(names[0])][:2]


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, *(f"{name}.num.partitions={PARTITIONS}" for name in
                                 ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"))).start()
    yield started
    started.kill()


class Asks:
    def __init__(self, broker):
        self.ask = kafka_wire.Connection(broker.address).ask

    def commit(self, group, offset):
        answer = self.ask("OffsetCommit", 8, GroupId=group, GenerationIdOrMemberEpoch=-1, MemberId="", Topics=[
            {"Name": "t", "Partitions": [{"PartitionIndex": 0, "CommittedOffset": offset}]}])
        return answer["Topics"][0]["Partitions"][0]["ErrorCode"]

    def committed(self, group):
        answer = self.ask("OffsetFetch", 8, Groups=[
            {"GroupId": group, "Topics": [{"Name": "t", "PartitionIndexes": [0]}]}], RequireStable=True)
        [one] = answer["Groups"]
        return one["ErrorCode"] or one["Topics"][0]["Partitions"][0]["CommittedOffset"]

    def finds(self, kind, *keys):
        """The error of each, and whether a broker is named."""
        answer = self.ask("FindCoordinator", 4, KeyType=kind, CoordinatorKeys=list(keys))
        alone = self.ask("FindCoordinator", 3, KeyType=kind, Key=keys[0])
        assert alone["ErrorCode"] == answer["Coordinators"][0]["ErrorCode"]
        return [(one["ErrorCode"], one["Port"] > 0) for one in answer["Coordinators"]]

    def init(self, name):
        return self.ask("InitProducerId", 4, TransactionalId=name, TransactionTimeoutMs=60_000, ProducerId=-1,
                        ProducerEpoch=-1)["ErrorCode"]

    def described(self, *names):
        answer = self.ask("DescribeTransactions", TransactionalIds=list(names))["TransactionStates"]
        assert [one["TransactionalId"] for one in answer] == list(names)
        return [one["ErrorCode"] or one["TransactionState"] for one in answer]


def damage(broker, topic, partition, how):
    """Stops the broker, breaks a batch with good ones behind it, and starts it; gives the file and what was in it."""
    getattr(broker, how)()
    [file] = record_batches.segments(broker.data, topic, partition)
    good = file.read_bytes()
    position, size, *_ = next(iter(record_batches.batches(file)))
    file.write_bytes(good[:position + size - 4] + b"!!!!" + good[position + size:])
    assert len(list(record_batches.batches(file))) > 2
    before = broker.log.stat().st_size
    broker.start()
    said = [line for line in broker.log.read_bytes()[before:].decode().splitlines() if str(file) in line]
    [line] = said
    assert f"{topic}-{partition}@" in line and "byte" in line and "put the file back" in line, line
    return file, good


def put_back(broker, file, good):
    broker.stop()
    file.write_bytes(good)
    broker.start()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_groups_of_a_damaged_partition_are_not_served(broker, how):
    lost, kept = names_of("group")
    asks = Asks(broker)
    asks.ask("Metadata", Topics=[{"Name": "t"}], AllowAutoTopicCreation=True)
    for offset in range(1, 4):
        assert [asks.commit(group, offset) for group in (*lost, *kept)] == [0] * 4
    file, good = damage(broker, "__consumer_offsets", home(lost[0]), how)

    asks = Asks(broker)
    assert [asks.committed(group) for group in (lost[0], kept[0])] == [COORDINATOR_NOT_AVAILABLE, 3]
    assert [asks.commit(group, 9) for group in (lost[0], kept[0])] == [COORDINATOR_NOT_AVAILABLE, 0]
    assert asks.finds(GROUP, lost[0], kept[0]) == [(COORDINATOR_NOT_AVAILABLE, False), (0, True)]
    described = asks.ask("DescribeGroups", Groups=[kept[0], lost[0]])["Groups"]
    assert [(one["GroupId"], one["ErrorCode"]) for one in described] == [
        (kept[0], 0), (lost[0], COORDINATOR_NOT_AVAILABLE)]
    beats = asks.ask("ConsumerGroupHeartbeat", GroupId=lost[0], MemberId="m", MemberEpoch=0, RebalanceTimeoutMs=1000,
                     SubscribedTopicNames=["t"], TopicPartitions=[])
    assert beats["ErrorCode"] == COORDINATOR_NOT_AVAILABLE
    assert {one["GroupId"] for one in asks.ask("ListGroups")["Groups"]} == set(kept)
    deleted = asks.ask("DeleteGroups", GroupsNames=[lost[1], kept[1]])["Results"]
    assert {one["GroupId"]: one["ErrorCode"] for one in deleted} == {lost[1]: COORDINATOR_NOT_AVAILABLE, kept[1]: 0}

    put_back(broker, file, good)
    asks = Asks(broker)
    assert [asks.committed(group) for group in (*lost, *kept)] == [3, 3, 9, -1]
    assert [asks.commit(group, 10) for group in lost] == [0, 0]
    assert asks.finds(GROUP, *lost) == [(0, True)] * 2


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_transactions_of_a_damaged_partition_are_not_served(broker, how):
    lost, kept = names_of("tx")
    for name in (*lost, *kept):
        producer = Producer(broker, name, "t", 13)
        assert producer.produce(0) == [0]
        producer.end(commit=True)
    open_one = Producer(broker, lost[0], "t", 13)
    assert open_one.produce(0) == [0]
    file, good = damage(broker, "__transaction_state", home(lost[0]), how)

    asks = Asks(broker)
    assert [asks.init(name) for name in (lost[1], kept[0])] == [COORDINATOR_NOT_AVAILABLE, 0]
    assert asks.finds(TRANSACTION, lost[0], kept[0]) == [(COORDINATOR_NOT_AVAILABLE, False), (0, True)]
    assert asks.described(kept[1], lost[0]) == ["CompleteCommit", COORDINATOR_NOT_AVAILABLE]
    other = Producer(broker, kept[0], "t", 13)
    assert other.produce(0) == [0]
    other.end(commit=True)

    put_back(broker, file, good)
    asks = Asks(broker)
    assert asks.described(*lost) == ["Ongoing", "CompleteCommit"]
    open_one.connection = kafka_wire.Connection(broker.address)
    open_one.end(commit=False)
    assert asks.described(lost[0]) == ["CompleteAbort"]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_share_partitions_of_a_damaged_partition_are_not_served(broker, how):
    prepared(broker, [b"x"] * 10)
    one = Member(broker, "jobs")
    assert one.fetch() == ([(0, 9, 1)], 0)
    for offset in range(4):
        assert one.say((offset, offset, [1])) == 0
    [partition] = {index for index in range(PARTITIONS)
                   if any(path.stat().st_size
                          for path in record_batches.segments(broker.data, "__share_group_state", index))}
    file, good = damage(broker, "__share_group_state", partition, how)

    one = Member(broker, "jobs", "B" * 22)
    acquired, _ = one.fetch(wait_ms=100)
    assert acquired == []
    other = Member(broker, "jobs", "C" * 22, "elsewhere")  # initialises what is kept elsewhere or nowhere
    other.fetch(wait_ms=100)
    asks = Asks(broker)
    asks.ask("Metadata", Topics=[{"Name": "t"}], AllowAutoTopicCreation=True)
    assert asks.commit("any", 1) == 0

    put_back(broker, file, good)
    acquired, _ = Member(broker, "jobs", "D" * 22).fetch()
    assert [(first, last) for first, last, _ in acquired] == [(4, 9)]


STORE_ERROR = 50001
AGES = ["int", "long", "float", "double"]  # each may follow the ones before it


@pytest.fixture
def with_registry(tmp_path):
    started = Broker(tmp_path, words=("--registry", "127.0.0.1:0", "--metrics", "127.0.0.1:0")).start()
    yield started
    started.kill()


def schemas_of(broker):
    address = re.findall(r"registry  (http://\S+)", broker.log.read_text())[-1]
    return SchemaRegistryClient({"url": address, "max.retries": 0}), address


def asked(address, method, path, body=None):
    """The status and the answer."""
    request = urllib.request.Request(address + path, json.dumps(body).encode() if body is not None else None,
                                     {"Content-Type": "application/vnd.schemaregistry.v1+json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def aged(kind):
    return Schema(json.dumps({"type": "record", "name": "R", "fields": [{"name": "age", "type": kind}]}), "AVRO")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_registry_on_a_damaged_topic_is_not_served(with_registry, how):
    broker = with_registry
    client, _ = schemas_of(broker)
    ids = [client.register_schema("checked-value", aged(kind)) for kind in AGES]
    asks = Asks(broker)
    checked = {"Name": "confluent.value.schema.validation", "Value": "true"}
    made = asks.ask("CreateTopics", Topics=[
        {"Name": name, "NumPartitions": 1, "ReplicationFactor": 1, "Assignments": [], "Configs": configs}
        for name, configs in (("t", []), ("checked", [checked]))], TimeoutMs=10_000)
    assert [one["ErrorCode"] for one in made["Topics"]] == [0, 0]
    file, good = damage(broker, "_schemas", 0, how)

    client, address = schemas_of(broker)
    proposal = {"schema": aged("int").schema_str}
    for method, path, body in (
            ("GET", "/subjects", None), ("GET", "/schemas", None), ("GET", "/contexts", None),
            ("GET", "/subjects/checked-value/versions", None), ("GET", f"/schemas/ids/{ids[0]}", None),
            ("POST", "/subjects/checked-value", proposal), ("POST", "/subjects/checked-value/versions", proposal),
            ("POST", "/subjects/fresh/versions", proposal), ("DELETE", "/subjects/checked-value", None),
            ("POST", "/compatibility/subjects/checked-value/versions/latest", proposal),
            ("GET", "/config", None), ("PUT", "/mode", {"mode": "IMPORT"})):
        status, answer = asked(address, method, path, body)
        assert (status, answer["error_code"]) == (500, STORE_ERROR), (method, path, answer)
        assert "backend data store" in answer["message"]
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema("fresh", aged("int"))
    assert (refused.value.http_status_code, refused.value.error_code) == (500, STORE_ERROR)
    assert asked(address, "GET", "/schemas/types") == (200, ["AVRO", "JSON", "PROTOBUF"])
    assert asked(address, "GET", "/v1/metadata/id")[0] == 200
    metrics = re.findall(r"metrics  (http://\S+)", broker.log.read_text())[-1]
    told = urllib.request.urlopen(metrics, timeout=30).read().decode()
    assert "tailrace_registry_connections" in told and "tailrace_registry_subjects" not in told

    # All else goes on; a record whose schema cannot be looked up waits for the registry, as a client sees it.
    asks = Asks(broker)
    assert asks.commit("any", 1) == 0
    assert written(broker, "t", b"x") is None
    record = b"\0" + ids[0].to_bytes(4, "big") + b"\x02"
    assert written(broker, "checked", record) == confluent_kafka.KafkaError._MSG_TIMED_OUT
    damaged = file.read_bytes()
    assert len(damaged) == len(good)
    said = [line for line in broker.log.read_text().splitlines() if str(file) in line and " error " in line]
    assert len(said) == 1, said  # told once, however often it is asked

    put_back(broker, file, good)
    client, _ = schemas_of(broker)
    assert client.get_versions("checked-value") == [1, 2, 3, 4]
    assert client.register_schema("fresh", aged("int")) == ids[0]
    assert client.register_schema("other", Schema('"string"', "AVRO")) == ids[-1] + 1
    assert written(broker, "checked", record) is None


def written(broker, topic, value):
    """The error's number, None for none."""
    outcome = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "message.timeout.ms": 3000})
    producer.produce(topic, value, on_delivery=lambda error, _: outcome.append(error and error.code()))
    assert producer.flush(60) == 0
    return outcome[0]
