"""Streams groups (KIP-1071): real Kafka and our broker answer the same heartbeats, and Kafka's own tool, the same."""
import re
import subprocess
import uuid

import pytest
import tailrace
from broker import Broker
from kafka_side import JARS, RealKafka, java, tool
from kafka_wire import Connection
from streams_member import Member, settle, state_of, topic, word_count

pytestmark = pytest.mark.skipif(not JARS, reason="TAILRACE_KAFKA_JARS names no folder of Kafka's jars")

SETTINGS = {"group.streams.initial.rebalance.delay.ms": 0, "group.streams.assignment.interval.ms": 0}
VOTER = "00000000-0000-0000-0000-0000000000aa"


GROUPS = ["wrong", "life", "sourceless", "uneven", "shown", "dumped"]


def ready(address):
    """Makes the topic, and waits until the broker knows itself to be the coordinator of all groups."""
    made = tool(address, "TopicCommand --bootstrap-server @ --create --topic text --partitions 4")
    assert made.code == 0, made
    wire = Connection(address)

    def known():
        found = wire.ask("FindCoordinator", KeyType=0, CoordinatorKeys=GROUPS)["Coordinators"]
        described = wire.ask("StreamsGroupDescribe", GroupIds=GROUPS)["Groups"]
        return {one["ErrorCode"] for one in found} == {0} and {one["ErrorCode"] for one in described} == {69}
    tailrace.wait_until(known, "the coordinator", 60)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    real = RealKafka(tmp_path_factory.mktemp("real"), **SETTINGS).start()
    ours = Broker(tmp_path_factory.mktemp("ours"), *(f"{name}={value}" for name, value in SETTINGS.items())).start()
    for one in (real, ours):
        ready(one.address)
    yield real, ours
    ours.kill()
    real.stop()


def both(brokers, life):
    real, ours = (life(one.address) for one in brokers)
    assert real == ours
    return ours


def seen(answer):
    statuses = [(one["StatusCode"], one["StatusDetail"]) for one in answer["Status"] or []]
    return answer["ErrorCode"], answer["ErrorMessage"], statuses


def refusals(address):
    """Every way to say a heartbeat wrongly, and what is answered."""
    wire = Connection(address)
    good = dict(GroupId="wrong", MemberId="m", MemberEpoch=0, RebalanceTimeoutMs=1000, ProcessId="p",
                Topology=word_count("text"), ActiveTasks=[], StandbyTasks=[], WarmupTasks=[])
    task = [{"SubtopologyId": "0", "Partitions": [0]}]

    def topology(**part):
        return {"Epoch": 0, "Subtopologies": [{"SubtopologyId": "0", "SourceTopics": ["text"], **part}]}

    changes = [
        dict(MemberId=""), dict(GroupId=""), dict(RackId=" "), dict(InstanceId="i"), dict(RebalanceTimeoutMs=-1),
        dict(ActiveTasks=task), dict(ActiveTasks=None), dict(StandbyTasks=task), dict(WarmupTasks=task),
        dict(Topology=None), dict(MemberEpoch=1), dict(MemberEpoch=1, Topology=None), dict(MemberEpoch=-1),
        dict(MemberEpoch=-2), dict(MemberEpoch=-3), dict(TaskOffsets=[]),
        dict(Topology=topology(SourceTopicRegex=["t.*"])),
        dict(Topology=topology(StateChangelogTopics=[topic("c") | {"Partitions": 3}])),
        dict(Topology=topology(SourceTopics=["__consumer_offsets"])), dict(Topology=topology(SourceTopics=["a/b"])),
        dict(Topology=topology(RepartitionSourceTopics=[topic("r")])),
        dict(Topology=topology(SourceTopics=[]))]
    return [(change, seen(wire.ask("StreamsGroupHeartbeat", **(good | change)))) for change in changes]


def test_what_is_wrong_is_refused_alike(brokers):
    both(brokers, refusals)


def test_a_life_of_a_group_is_the_same(brokers):
    def life(address):
        told = []
        one = Member(address, "life", "a", word_count("text"))
        told.append(sorted(re.split("[:,] *", one.beat()["Status"][0]["StatusDetail"])))
        settle(one)
        told.append((one.tasks(), one.statuses()))
        other = Member(address, "life", "b", word_count("text"))
        settle(one, other)
        told.append((one.tasks() | other.tasks(), len(one.tasks()), len(other.tasks())))
        told.append(seen(one.beat(MemberEpoch=one.epoch + 7)))
        told.append(seen(other.beat(MemberEpoch=1, Topology=None)))
        told.append(seen(other.beat(ActiveTasks=[{"SubtopologyId": "9", "Partitions": [0]}])))
        told.append(seen(other.beat(ActiveTasks=[{"SubtopologyId": "1", "Partitions": [9]}])))
        third = Member(address, "life", "c", word_count("text") | {"Epoch": 1})
        told.append(seen(third.beat()))
        third.topology = word_count("none")
        told.append(seen(third.beat()))
        told.append([(part["SubtopologyId"], part) for part in state_of(address, "life")["Topology"]["Subtopologies"]])
        told.append(seen(one.beat(ShutdownApplication=True)))
        told.append(seen(other.beat()))
        told.append((seen(one.leave()), seen(other.leave())))
        told.append(state_of(address, "life")["GroupState"])
        return told
    both(brokers, life)


def test_missing_and_badly_partitioned_topics_are_told_alike(brokers):
    def life(address):
        none = Member(address, "sourceless", "a", word_count("nowhere"))
        told = [seen(none.beat())]
        assert tool(address, "TopicCommand --bootstrap-server @ --create --topic three --partitions 3").code == 0
        parts = {"Epoch": 0, "Subtopologies": [{"SubtopologyId": "0", "SourceTopics": ["text", "three"],
                                                "CopartitionGroups": [{"SourceTopics": [0, 1]}]}]}
        uneven = Member(address, "uneven", "a", parts)
        told.append(seen(uneven.beat()))
        told.append([state_of(address, group)["GroupState"] for group in ("sourceless", "uneven")])
        told.append([seen(one.leave()) for one in (none, uneven)])
        return told
    both(brokers, life)


def test_raft_voters_are_refused_alike(brokers):
    def life(address):
        wire = Connection(address)
        voter = {"VoterId": 2, "VoterDirectoryId": uuid.UUID(VOTER)}
        nowhere = {"VoterId": 2, "VoterDirectoryId": uuid.UUID(int=0)}
        listeners = [{"Name": "CONTROLLER", "Host": "localhost", "Port": 9}]
        asked = [
            ("AddRaftVoter", dict(ClusterId=None, Listeners=listeners, **voter)),
            ("AddRaftVoter", dict(ClusterId=None, Listeners=[], **voter)),
            ("AddRaftVoter", dict(ClusterId=None, Listeners=listeners, **voter | {"VoterId": -1})),
            ("AddRaftVoter", dict(ClusterId=None, Listeners=listeners, **nowhere)),
            ("RemoveRaftVoter", dict(ClusterId=None, **voter)),
            ("RemoveRaftVoter", dict(ClusterId=None, VoterId=1, VoterDirectoryId=uuid.UUID(int=0)))]
        return [(answer["ErrorCode"], answer["ErrorMessage"])
                for answer in (wire.ask(api, **fields) for api, fields in asked)]
    both(brokers, life)


TOOL = "streams.StreamsGroupCommand --bootstrap-server @"
COMMANDS = [
    "--list", "--list --state", "--list --state Empty", "--describe --group shown",
    "--describe --group shown --members",
    "--describe --group shown --members --verbose", "--describe --group shown --state",
    "--describe --group shown --state --verbose", "--describe --group shown --offsets --verbose",
    "--describe --group none", "--reset-offsets --group shown --input-topic text --to-earliest --dry-run",
    "--reset-offsets --group shown --input-topic text --to-latest --execute", "--describe --group shown",
    "--delete-offsets --group shown --input-topic text", "--delete --group shown", "--list"]


def test_kafkas_tool_says_the_same_of_both(brokers):
    def life(address):
        for described in Connection(address).ask("ListGroups")["Groups"]:
            tool(address, f"{TOOL} --delete --group {described['GroupId']}")
        one = Member(address, "shown", "a", word_count("text"))
        settle(one)
        topics = Connection(address).ask("Metadata", Topics=[{"Name": "text"}])["Topics"]
        commits = [{"TopicId": topics[0]["TopicId"], "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 0}]}]
        one.wire.ask("OffsetCommit", GroupId="shown", MemberId="a", GenerationIdOrMemberEpoch=one.epoch, Topics=commits)
        told = []
        for words in COMMANDS:
            if words.startswith("--reset-offsets") and "dry" in words:
                one.leave()
            elif one.tasks():
                assert one.beat()["ErrorCode"] == 0
            said = tool(address, f"{TOOL} {words}")
            # Epochs depend on how many of the topics a heartbeat finds at once; rows come as they are hashed.
            told.append((words, said.code, sorted(re.sub(r"\b\d+\b", "N", line) for line in said.lines)))
        return told
    both(brokers, life)


def test_kafkas_dump_reads_the_members_of_streams_groups(brokers):
    ours = brokers[1]
    settle(Member(ours.address, "dumped", "a", word_count("text")))
    files = [str(path) for path in sorted(ours.data.glob("log/__consumer_offsets-*/*.log")) if path.stat().st_size]
    words = java("org.apache.kafka.tools.DumpLogSegments", "--offsets-decoder", "--files", ",".join(files))
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    records = re.findall(r" key: (.*) payload: (.*)", done.stdout)
    kinds = {re.search(r'"type":"(\d+)"', key).group(1) for key, _ in records if '"dumped"' in key}
    assert kinds == {"17", "19", "20", "21", "22", "23"}, records[:5]
