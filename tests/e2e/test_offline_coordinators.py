"""A damaged partition of a topic that coordinators keep their state in: who is kept there is not served, and all else
goes on. The file put back, all is there again."""
import kafka_wire
import pytest
import record_batches
from broker import Broker
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
