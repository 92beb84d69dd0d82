"""Share groups (KIP-932): by a client nobody here wrote, and request by request where a client would not go."""
import collections
import json
import subprocess
import threading

import confluent_kafka
import pytest
import tailrace
from broker import Broker
from confluent_kafka import AcknowledgeType, ShareConsumer
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic,
                                   ResourceType)
from kafka_wire import Connection

LOCK_MS = 3000  # where a test waits for the end of a lock; all others are over long before Kafka's 30 s are


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "group.share.min.record.lock.duration.ms=1000").start()
    yield started
    started.kill()


def admin(broker):
    return AdminClient({"bootstrap.servers": broker.address})


def make_topic(broker, name, partitions=1):
    asks = admin(broker)
    for made in asks.create_topics([NewTopic(name, partitions, 1)]).values():
        made.result(10)


def configure(broker, group, **settings):
    entries = [ConfigEntry("share." + name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
               for name, value in settings.items()]
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=entries)
    asks = admin(broker)
    for done in asks.incremental_alter_configs([resource]).values():
        done.result(10)


def write(broker, topic, values):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def consumer(broker, group, topic, mode="explicit"):
    one = ShareConsumer({"bootstrap.servers": broker.address, "group.id": group, "share.acknowledgement.mode": mode})
    one.subscribe([topic])
    return one


def poll(one, seconds=10):
    """The next records: some, unless the time is over."""
    messages = list(one.poll(float(seconds)))
    assert not [message.error() for message in messages if message.error()]
    return messages


def test_members_share_a_topic_and_each_record_is_processed_once(broker):
    make_topic(broker, "jobs", 3)
    configure(broker, "workers", auto_offset_reset="earliest")
    values = {b"job %d" % n for n in range(3000)}
    write(broker, "jobs", values)
    seen = collections.Counter()
    lock = threading.Lock()

    def work():
        with consumer(broker, "workers", "jobs", "implicit") as one:
            while sum(seen.values()) < len(values):
                messages = poll(one, 1)
                with lock:
                    seen.update(message.value() for message in messages)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(seen) == values and max(seen.values()) == 1


def test_what_is_released_comes_again_and_what_is_rejected_does_not(broker):
    make_topic(broker, "jobs")
    configure(broker, "workers", auto_offset_reset="earliest")
    write(broker, "jobs", [b"good", b"later", b"bad"])
    fate = {b"good": AcknowledgeType.ACCEPT, b"later": AcknowledgeType.RELEASE, b"bad": AcknowledgeType.REJECT}
    deliveries = collections.defaultdict(list)
    with consumer(broker, "workers", "jobs") as one:
        while len(deliveries[b"later"]) < 5:  # share.delivery.count.limit
            for message in poll(one):
                deliveries[message.value()].append(message.delivery_count())
                one.acknowledge(message, fate[message.value()])
            one.commit_sync()
        assert poll(one, 1) == []
    assert deliveries == {b"good": [1], b"later": [1, 2, 3, 4, 5], b"bad": [1]}


class Member:
    """A member of a share group, request by request."""

    def __init__(self, broker, topic, member="AAAAAAAAAAAAAAAAAAAAAA", group="workers"):
        self.group, self.member, self.epoch = group, member, 0
        self.wire = Connection(broker.address)
        asked = self.wire.ask("Metadata", Topics=[{"Name": topic}])
        self.topic = asked["Topics"][0]["TopicId"]
        joined = self.wire.ask("ShareGroupHeartbeat", GroupId=group, MemberId=member, MemberEpoch=0,
                               SubscribedTopicNames=[topic])
        assert joined["ErrorCode"] == 0, joined

    def batches(self, said):
        return [{"FirstOffset": first, "LastOffset": last, "AcknowledgeTypes": types} for first, last, types in said]

    def topics(self, said):
        return [{"TopicId": self.topic,
                 "Partitions": [{"PartitionIndex": 0, "AcknowledgementBatches": self.batches(said)}]}]

    def fetch(self, said=(), wait_ms=20000, epoch=None, **fields):
        """[(first, last, delivery count)], or an error's number; beside it what became of `said`."""
        epoch = self.epoch if epoch is None else epoch
        fields = {"MaxWaitMs": wait_ms, "MinBytes": 1, "MaxRecords": 500, "BatchSize": 500, **fields}
        answer = self.wire.ask("ShareFetch", GroupId=self.group, MemberId=self.member, ShareSessionEpoch=epoch,
                               Topics=self.topics(said) if said or epoch == 0 else [], **fields)
        if answer["ErrorCode"]:
            return answer["ErrorCode"], None
        self.epoch = epoch + 1
        parts = [part for topic in answer["Responses"] for part in topic["Partitions"]]
        if not parts:
            return [], None
        acquired = parts[0]["AcquiredRecords"]
        return ([(one["FirstOffset"], one["LastOffset"], one["DeliveryCount"]) for one in acquired],
                parts[0]["AcknowledgeErrorCode"])

    def say(self, *said, epoch=None, **fields):
        epoch = self.epoch if epoch is None else epoch
        answer = self.wire.ask("ShareAcknowledge", GroupId=self.group, MemberId=self.member, ShareSessionEpoch=epoch,
                               Topics=self.topics(said), **fields)
        if answer["ErrorCode"]:
            return answer["ErrorCode"]
        self.epoch = epoch + 1
        return answer["Responses"][0]["Partitions"][0]["ErrorCode"]


def prepared(broker, values, **settings):
    make_topic(broker, "jobs")
    configure(broker, "workers", auto_offset_reset="earliest", **settings)
    write(broker, "jobs", values)


ACCEPT, RELEASE, REJECT, RENEW = 1, 2, 3, 4
INVALID_REQUEST, INVALID_RECORD_STATE, NO_SESSION, WRONG_EPOCH = 42, 121, 122, 123


def test_a_member_that_says_nothing_loses_its_records_to_another(broker):
    prepared(broker, [b"x"] * 10, record_lock_duration_ms=str(LOCK_MS))
    silent = Member(broker, "jobs", "A" * 22)
    other = Member(broker, "jobs", "B" * 22)
    assert silent.fetch() == ([(0, 9, 1)], 0)
    assert silent.say((0, 3, [ACCEPT])) == 0
    # Woken by the end of the lock, long before its own wait is over.
    assert other.fetch() == ([(4, 9, 2)], 0)
    assert silent.say((4, 9, [ACCEPT])) == INVALID_RECORD_STATE
    assert other.say((4, 9, [ACCEPT])) == 0


def test_a_renewed_lock_holds_longer(broker):
    prepared(broker, [b"x"] * 2, record_lock_duration_ms=str(LOCK_MS))
    slow = Member(broker, "jobs", "A" * 22)
    other = Member(broker, "jobs", "B" * 22)
    assert slow.fetch() == ([(0, 1, 1)], 0)
    for _ in range(4):
        assert other.fetch(wait_ms=LOCK_MS // 3)[0] == []
        assert slow.say((0, 1, [RENEW]), IsRenewAck=True) == 0
    assert slow.say((0, 1, [ACCEPT])) == 0
    assert other.fetch(wait_ms=LOCK_MS * 4 // 3)[0] == []


def test_a_connection_that_ends_gives_its_records_back_at_once(broker):
    prepared(broker, [b"x"] * 3)
    gone = Member(broker, "jobs", "A" * 22)
    other = Member(broker, "jobs", "B" * 22)
    assert gone.fetch() == ([(0, 2, 1)], 0)
    gone.wire.close()
    assert other.fetch() == ([(0, 2, 2)], 0)


def test_a_last_request_acknowledges_and_gives_the_rest_back(broker):
    prepared(broker, [b"x"] * 3)
    first = Member(broker, "jobs", "A" * 22)
    assert first.fetch() == ([(0, 2, 1)], 0)
    assert first.fetch(said=[(0, 0, [ACCEPT])], epoch=-1) == ([], 0)
    assert Member(broker, "jobs", "B" * 22).fetch() == ([(1, 2, 2)], 0)
    assert first.fetch(epoch=2) == (NO_SESSION, None)


def test_sessions_and_acknowledgements_that_are_wrong_are_refused(broker):
    prepared(broker, [b"x"] * 10)
    one = Member(broker, "jobs")
    assert one.fetch(epoch=1) == (NO_SESSION, None)
    assert one.fetch(said=[(0, 0, [ACCEPT])], epoch=0) == (INVALID_REQUEST, None)
    assert one.fetch(MaxRecords=4, ShareAcquireMode=1) == ([(0, 3, 1)], 0)
    assert one.fetch(epoch=7) == (WRONG_EPOCH, None)
    assert one.say((0, 0, [ACCEPT]), epoch=0) == WRONG_EPOCH
    for wrong in [[(3, 2, [1])], [(0, 2, [1, 1])], [(0, 0, [9])], [(0, 0, [])], [(2, 3, [1]), (0, 1, [1])],
                  [(0, 4, [1])], [(0, 0, [RENEW])], [(-1, 0, [1])], [(0, 2**63 - 1, [1])]]:
        assert one.say(*wrong) == INVALID_REQUEST, wrong
    assert one.say((0, 3, [ACCEPT, RELEASE, ACCEPT, REJECT])) == 0
    assert one.say((1, 2, [ACCEPT])) == INVALID_RECORD_STATE
    assert one.fetch(said=[(0, 0, [RENEW])], IsRenewAck=True) == (INVALID_REQUEST, None)
    assert one.fetch(MaxRecords=1, ShareAcquireMode=1)[0] == [(1, 1, 2)]


def test_killed_it_keeps_what_was_acknowledged_and_gives_the_rest_again(broker):
    prepared(broker, [b"x"] * 100)
    one = Member(broker, "jobs")
    assert one.fetch() == ([(0, 99, 1)], 0)
    for offset in range(0, 100, 3):
        assert one.say((offset, offset, [ACCEPT])) == 0
    assert one.say((1, 1, [RELEASE]), (2, 2, [REJECT])) == 0
    broker.kill()
    broker.start()
    again = Member(broker, "jobs", "B" * 22)
    acquired, _ = again.fetch()
    offsets = {offset: count for first, last, count in acquired for offset in range(first, last + 1)}
    assert sorted(offsets) == [offset for offset in range(100) if offset % 3 and offset != 2]
    assert offsets.pop(1) == 2 and set(offsets.values()) == {1}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_members_had_when_the_broker_ended_was_not_delivered(broker, how):
    """Real Kafka counts it neither way (tests/real/test_kafka_share.py)."""
    prepared(broker, [b"x"] * 10)
    for life in range(6):
        member = Member(broker, "jobs", f"{life:022d}")  # whose connection lasts as long as the broker
        assert member.fetch() == ([(0, 9, 1)], 0)
        getattr(broker, how)()
        broker.start()


def test_killed_again_and_again_no_job_is_lost_and_none_that_is_done_comes_back(broker):
    prepared(broker, [b"job %d" % n for n in range(400)])
    done = set()
    for life in range(8):
        member = Member(broker, "jobs", f"{life:022d}")
        acquired, _ = member.fetch(MaxRecords=60, ShareAcquireMode=1)
        for first, last, _ in acquired:
            assert not done & set(range(first, last + 1))
            middle = (first + last) // 2
            if member.say((first, middle, [ACCEPT])) == 0:
                done |= set(range(first, middle + 1))
        broker.kill()
        broker.start()
    member = Member(broker, "jobs", "Z" * 22)
    while len(done) < 400:
        acquired, _ = member.fetch()
        for first, last, _ in acquired:
            assert not done & set(range(first, last + 1))
            assert member.say((first, last, [ACCEPT])) == 0
            done |= set(range(first, last + 1))
    assert done == set(range(400))


def test_a_committed_group_gets_no_record_of_an_aborted_transaction(broker):
    make_topic(broker, "jobs")
    configure(broker, "workers", auto_offset_reset="earliest", isolation_level="read_committed")
    writer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "transactional.id": "writer"})
    writer.init_transactions(30)
    expected = []
    for number in range(6):
        writer.begin_transaction()
        writer.produce("jobs", b"job %d" % number)
        writer.flush(10)
        if number % 2:
            writer.abort_transaction(30)
        else:
            writer.commit_transaction(30)
            expected.append(b"job %d" % number)
    with consumer(broker, "workers", "jobs") as one:
        seen = []
        while len(seen) < len(expected):
            for message in poll(one):
                seen.append(message.value())
                one.acknowledge(message)
            one.commit_sync()
        assert poll(one, 1) == [] and seen == expected


def offsets_of(wire, group):
    asked = wire.ask("DescribeShareGroupOffsets", Groups=[{"GroupId": group, "Topics": None}])["Groups"][0]
    assert asked["ErrorCode"] == 0, asked
    return {(topic["TopicName"], part["PartitionIndex"]): (part["StartOffset"], part["Lag"])
            for topic in asked["Topics"] for part in topic["Partitions"]}


def test_an_admin_moves_and_deletes_what_an_empty_group_begins_with(broker):
    prepared(broker, [b"x"] * 10)
    wire = Connection(broker.address)
    move = {"GroupId": "workers", "Topics": [{"TopicName": "jobs",
                                              "Partitions": [{"PartitionIndex": 0, "StartOffset": 7}]}]}
    one = Member(broker, "jobs")
    assert one.fetch() == ([(0, 9, 1)], 0)
    assert one.say((0, 9, [ACCEPT])) == 0
    assert wire.ask("AlterShareGroupOffsets", **move)["ErrorCode"] == 68  # NON_EMPTY_GROUP
    left = wire.ask("ShareGroupHeartbeat", GroupId="workers", MemberId=one.member, MemberEpoch=-1)
    assert left["ErrorCode"] == 0
    assert offsets_of(wire, "workers")[("jobs", 0)][1] == 0
    assert wire.ask("AlterShareGroupOffsets", **move)["ErrorCode"] == 0
    assert offsets_of(wire, "workers") == {("jobs", 0): (7, 3)}
    broker.kill()
    broker.start()
    assert Member(broker, "jobs", "B" * 22).fetch() == ([(7, 9, 1)], 0)
    wire = Connection(broker.address)
    assert wire.ask("ShareGroupHeartbeat", GroupId="workers", MemberId="B" * 22, MemberEpoch=-1)["ErrorCode"] == 0
    deleted = wire.ask("DeleteShareGroupOffsets", GroupId="workers", Topics=[{"TopicName": "jobs"}])
    assert deleted["ErrorCode"] == deleted["Responses"][0]["ErrorCode"] == 0
    assert offsets_of(wire, "workers") == {}
    assert wire.ask("DeleteGroups", GroupsNames=["workers"])["Results"] == [{"GroupId": "workers", "ErrorCode": 0}]
    assert wire.ask("ListGroups", TypesFilter=["share"])["Groups"] == []


def test_the_state_topic_is_pruned_and_still_tells_all(tmp_path):
    broker = Broker(tmp_path, "share.coordinator.state.topic.prune.interval.ms=100",
                    "share.coordinator.state.topic.num.partitions=1",
                    "share.coordinator.snapshot.update.records.per.snapshot=20").start()
    prepared(broker, [b"x"] * 300)
    one = Member(broker, "jobs")
    assert one.fetch() == ([(0, 299, 1)], 0)
    for offset in range(0, 300, 2):
        assert one.say((offset, offset, [ACCEPT])) == 0

    asks = admin(broker)

    def starts():
        place = confluent_kafka.TopicPartition("__share_group_state", 0)
        earliest = {place: confluent_kafka.admin.OffsetSpec.earliest()}
        return asks.list_offsets(earliest)[place].result(10).offset

    tailrace.wait_until(lambda: starts() > 100, "the state topic's start to move")
    broker.kill()
    broker.start()
    acquired, _ = Member(broker, "jobs", "B" * 22).fetch()
    assert [first for first, last, _ in acquired] == list(range(1, 300, 2)) and {one[2] for one in acquired} == {1}
    broker.kill()


def test_tailrace_groups_shows_how_much_a_share_group_has_before_it(broker):
    prepared(broker, [b"x"] * 10)
    one = Member(broker, "jobs")
    assert one.fetch() == ([(0, 9, 1)], 0)
    assert one.say((0, 3, [ACCEPT]), (6, 6, [REJECT])) == 0

    def rows(*words):
        done = subprocess.run([tailrace.PROGRAM, "groups", *words, "--json", "--broker", broker.address],
                              capture_output=True, text=True, timeout=60, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert rows() == [{"group": "workers", "type": "share", "state": "Stable", "lag": 5}]
    assert [(row["topic"], row["end"], row["lag"]) for row in rows("workers")] == [("jobs", 10, 5)]
