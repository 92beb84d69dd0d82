"""Groups that change their protocol (KIP-848), told request by request: the requests, and what a broker answers."""
import struct

import tailrace
from kafka_wire import Connection

TOPIC = "moved"
LOADING = (14, 15, 16)


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def subscription(owned=()):
    """ConsumerProtocolSubscription, version 1."""
    out = struct.pack(">hi", 1, 1) + text(TOPIC) + struct.pack(">i", -1)
    out += struct.pack(">i", 1 if owned else 0)
    return out + (text(TOPIC) + partitions(owned) if owned else b"")


def partitions(some):
    return struct.pack(f">i{len(some)}i", len(some), *some)


def assignment(some):
    return struct.pack(">hi", 1, 1) + text(TOPIC) + partitions(some) + struct.pack(">i", -1)


class Story:
    """What a broker answers, with names instead of the ids it makes up."""

    def __init__(self, address):
        self.wire, self.names, self.told = Connection(address), {}, []
        self.wire.ask("CreateTopics", Topics=[{"Name": TOPIC, "NumPartitions": 4, "ReplicationFactor": 1}],
                      TimeoutMs=10_000)
        # Asking makes __consumer_offsets; its partitions are loaded a little later.
        self.wire.ask("FindCoordinator", KeyType=0, CoordinatorKeys=["g"])
        tailrace.wait_until(self.loaded, "the coordinator")

    def loaded(self):
        [group] = self.wire.ask("DescribeGroups", Groups=["g"])["Groups"]
        return group["ErrorCode"] not in LOADING

    def note(self, what, answer, *fields):
        self.told.append((what, *(self.names.get(answer[field], answer[field]) for field in fields)))
        return answer

    def join(self, name, protocols=("range",), owned=(), member=None, instance=None):
        asked = {"GroupId": "g", "SessionTimeoutMs": 30_000, "RebalanceTimeoutMs": 30_000, "ProtocolType": "consumer",
                 "GroupInstanceId": instance,
                 "Protocols": [{"Name": one, "Metadata": subscription(owned)} for one in protocols]}
        known = next((own for own, by in self.names.items() if by == name), "") if member is None else member
        answer = self.wire.ask("JoinGroup", MemberId=known, **asked)
        if answer["ErrorCode"] == 79:
            answer = self.wire.ask("JoinGroup", MemberId=answer["MemberId"], **asked)
        if answer["ErrorCode"] == 0:
            self.names[answer["MemberId"]] = name
        return self.note(f"join {name}", answer, "ErrorCode", "GenerationId", "ProtocolType", "ProtocolName", "Leader")

    def id(self, name):
        return next(own for own, by in reversed(self.names.items()) if by == name)

    def sync(self, name, generation, assigned=(), **more):
        answer = self.wire.ask("SyncGroup", GroupId="g", GenerationId=generation, MemberId=self.id(name),
                               ProtocolType="consumer", ProtocolName="range", **more,
                               Assignments=[{"MemberId": self.id(one), "Assignment": assignment(some)}
                                            for one, some in assigned])
        self.note(f"sync {name}", answer, "ErrorCode", "Assignment")

    def beat(self, name, generation, **more):
        answer = self.wire.ask("Heartbeat", GroupId="g", GenerationId=generation, MemberId=self.id(name), **more)
        self.note(f"beat {name}", answer, "ErrorCode")

    def consume(self, name, epoch, **more):
        self.names[name] = name
        if epoch == 0:
            more = {"RebalanceTimeoutMs": 30_000, "SubscribedTopicNames": [TOPIC], "TopicPartitions": []} | more
        answer = self.wire.ask("ConsumerGroupHeartbeat", GroupId="g", MemberId=name, MemberEpoch=epoch, **more)
        given = answer["Assignment"] and sorted(
            partition for one in answer["Assignment"]["TopicPartitions"] for partition in one["Partitions"])
        self.told.append((f"consume {name}", answer["ErrorCode"], answer["MemberEpoch"], given))

    def look(self):
        listed = self.wire.ask("ListGroups")["Groups"]
        self.told.append([(one["GroupId"], one["GroupType"].lower(), one["GroupState"], one["ProtocolType"])
                          for one in listed])
        [group] = self.wire.ask("ConsumerGroupDescribe", GroupIds=["g"])["Groups"]
        self.told.append((group["ErrorCode"], group["GroupState"], group["GroupEpoch"], group["AssignmentEpoch"],
                          sorted((self.names[one["MemberId"]], one["MemberEpoch"], one["MemberType"],
                                  one["SubscribedTopicNames"]) for one in group["Members"])))

    def commit(self, name, generation):
        answer = self.wire.ask("OffsetCommit", 8, GroupId="g", GenerationIdOrMemberEpoch=generation,
                               MemberId=self.id(name), Topics=[{"Name": TOPIC, "Partitions": [
                                   {"PartitionIndex": 0, "CommittedOffset": 0}]}])
        self.told.append((f"commit {name}", answer["Topics"][0]["Partitions"][0]["ErrorCode"]))


def up_and_down(story):
    story.join("a", ("range", "sticky"))
    story.sync("a", 1, [("a", (0, 1, 2, 3))])
    story.consume("c", 0)
    story.look()
    story.beat("a", 1)
    story.beat("a", 7)
    story.sync("a", 1)
    story.join("a", ("range", "sticky"), owned=(0, 1, 2, 3))
    story.sync("a", 1)
    story.beat("a", 1)
    story.join("a", ("range", "sticky"), owned=(0, 1))
    story.sync("a", 2)
    story.beat("a", 2)
    story.consume("c", 2, TopicPartitions=[])
    story.look()
    story.commit("a", 2)
    story.commit("a", 1)
    story.commit("c", 2)
    story.join("x", ("roundrobin",))
    story.beat("c", 2)
    story.consume("c", -1)
    story.look()
    story.beat("a", 2)


def static_members(story):
    story.join("a", instance="i")
    story.sync("a", 1, [("a", (0, 1, 2, 3))], GroupInstanceId="i")
    story.consume("c", 0, InstanceId="i")
    story.look()
    story.beat("a", 1, GroupInstanceId="i")
    story.join("b", instance="i", member="")
    story.sync("b", 1, GroupInstanceId="i")
    story.beat("b", 1, GroupInstanceId="i")
    story.look()
