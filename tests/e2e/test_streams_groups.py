"""Streams groups (KIP-1071), request by request: tests/real has them with Kafka's own programs."""
import json
import subprocess

import confluent_kafka
import pytest
import tailrace
from broker import Broker
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from kafka_wire import Connection
from streams_member import Member, settle, state_of, word_count

TASKS = {(part, partition) for part in "01" for partition in range(4)}
EAGER = ("group.streams.initial.rebalance.delay.ms=0", "group.streams.assignment.interval.ms=0")


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, *EAGER).start()
    asks = AdminClient({"bootstrap.servers": started.address})
    [made] = asks.create_topics([NewTopic("text", 4, 1)]).values()
    made.result(10)
    yield started
    started.kill()


def member(broker, name, **more):
    return Member(broker.address, "counters", name, word_count("text"), **more)


def described(broker):
    """A group's members with their tasks, and its state."""
    group = state_of(broker.address, "counters")
    return group["GroupState"], group["GroupEpoch"], [
        (one["MemberId"], one["MemberEpoch"], one["Assignment"], one["TargetAssignment"]) for one in group["Members"]]


def test_the_broker_makes_the_topics_of_a_topology(broker):
    one = member(broker, "a")
    one.beat()
    assert one.statuses() == [(3, "Internal topics are missing: counts, words")]
    settle(one)
    assert one.tasks() == TASKS
    asks = AdminClient({"bootstrap.servers": broker.address})
    topics = asks.list_topics(timeout=10).topics
    assert {name: len(topics[name].partitions) for name in ("words", "counts")} == {"words": 4, "counts": 4}
    policies = {}
    for name in ("words", "counts"):
        [found] = asks.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
        policies[name] = found.result(10)["cleanup.policy"].value
    assert policies == {"words": "delete", "counts": "compact"}


def test_members_share_the_tasks_and_a_killed_broker_forgets_nothing(broker):
    one, other = member(broker, "a"), member(broker, "b")
    settle(one)
    settle(one, other)
    assert one.tasks() | other.tasks() == TASKS and len(one.tasks()) == len(other.tasks()) == 4
    before = described(broker)
    broker.kill()
    broker.start()
    assert described(broker) == before
    one.wire, other.wire = Connection(broker.address), Connection(broker.address)
    settle(one, other)
    assert described(broker) == before
    assert one.leave()["ErrorCode"] == 0
    settle(other)
    assert other.tasks() == TASKS


def test_offsets_are_committed_by_who_is_at_its_epoch(broker):
    one = member(broker, "a")
    settle(one)

    def commit(epoch):
        topics = [{"TopicId": topic_id(broker, "text"), "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 3}]}]
        answer = one.wire.ask("OffsetCommit", GroupId="counters", MemberId="a", GenerationIdOrMemberEpoch=epoch,
                              Topics=topics)
        return answer["Topics"][0]["Partitions"][0]["ErrorCode"]

    assert commit(one.epoch + 1) == 113  # STALE_MEMBER_EPOCH
    assert commit(one.epoch) == 0
    assert one.wire.ask("DeleteGroups", GroupsNames=["counters"])["Results"][0]["ErrorCode"] == 68  # NON_EMPTY_GROUP
    one.leave()
    assert one.wire.ask("DeleteGroups", GroupsNames=["counters"])["Results"][0]["ErrorCode"] == 0
    assert one.wire.ask("ListGroups")["Groups"] == []


def topic_id(broker, name):
    [topic] = Connection(broker.address).ask("Metadata", Topics=[{"Name": name}])["Topics"]
    return topic["TopicId"]


def test_the_command_shows_streams_groups_with_their_lag(broker):
    one = member(broker, "a")
    settle(one)
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for _ in range(5):
        producer.produce("text", b"hello", partition=1)
    assert producer.flush(30) == 0
    topics = [{"TopicId": topic_id(broker, "text"), "Partitions": [{"PartitionIndex": 1, "CommittedOffset": 2}]}]
    one.wire.ask("OffsetCommit", GroupId="counters", MemberId="a", GenerationIdOrMemberEpoch=one.epoch, Topics=topics)
    words = [tailrace.PROGRAM, "groups", "--broker", broker.address, "--json"]
    rows = [json.loads(line) for line in subprocess.run(words, capture_output=True, check=True).stdout.splitlines()]
    assert rows == [{"group": "counters", "type": "streams", "state": "Stable", "lag": 3}]


def test_raft_voters_stay_as_they_are(broker):
    wire = Connection(broker.address)
    voter = {"VoterId": 2, "VoterDirectoryId": topic_id(broker, "text")}
    listeners = [{"Name": "CONTROLLER", "Host": "h", "Port": 1}]
    added = wire.ask("AddRaftVoter", ClusterId=None, Listeners=listeners, **voter)
    assert (added["ErrorCode"], added["ErrorMessage"]) == (
        35, "Cluster doesn't support adding voter because the kraft.version feature is 0")
    removed = wire.ask("RemoveRaftVoter", ClusterId="another", **voter)
    assert removed["ErrorCode"] == 104  # INCONSISTENT_CLUSTER_ID
