"""A member of a streams group (KIP-1071), heartbeat by heartbeat: what a Kafka Streams program says, without it."""
import tailrace
from kafka_wire import Connection

TASKS = ("ActiveTasks", "StandbyTasks", "WarmupTasks")


def topic(name, **configs):
    pairs = [{"Key": key.replace("_", "."), "Value": value} for key, value in configs.items()]
    return {"Name": name, "TopicConfigs": pairs}


def word_count(source):
    """Words of `source` go through the topic `words` and are counted in a store with the changelog `counts`."""
    return {"Epoch": 0, "Subtopologies": [
        {"SubtopologyId": "0", "SourceTopics": [source], "RepartitionSinkTopics": ["words"]},
        {"SubtopologyId": "1", "RepartitionSourceTopics": [topic("words", cleanup_policy="delete", retention_ms="-1")],
         "StateChangelogTopics": [topic("counts", cleanup_policy="compact")]}]}


class Member:
    def __init__(self, address, group, name, topology, process=None):
        self.wire = Connection(address)
        self.group, self.name, self.topology, self.process = group, name, topology, process or name
        self.epoch, self.owned, self.last = 0, {kind: [] for kind in TASKS}, None

    def beat(self, **changed):
        """One heartbeat; the answer. What is not said otherwise is as a program says it."""
        fields = dict(GroupId=self.group, MemberId=self.name, MemberEpoch=self.epoch, **self.owned)
        if fields["MemberEpoch"] == 0:
            fields.update(RebalanceTimeoutMs=60000, Topology=self.topology, ProcessId=self.process)
        self.last = answer = self.wire.ask("StreamsGroupHeartbeat", **(fields | changed))
        if answer["ErrorCode"] == 0:
            self.epoch = max(answer["MemberEpoch"], 0)
            if answer["ActiveTasks"] is not None:
                self.owned = {kind: answer[kind] for kind in TASKS}
        return answer

    def leave(self):
        answer = self.beat(MemberEpoch=-1, **{kind: None for kind in TASKS})
        self.owned = {kind: [] for kind in TASKS}
        return answer

    def tasks(self, kind="ActiveTasks"):
        return {(one["SubtopologyId"], partition) for one in self.owned[kind] for partition in one["Partitions"]}

    def statuses(self):
        return [(one["StatusCode"], one["StatusDetail"]) for one in self.last["Status"]]


def state_of(address, group):
    [described] = Connection(address).ask("StreamsGroupDescribe", GroupIds=[group])["Groups"]
    return described


def settle(*members):
    """Heartbeats of all, until the group is stable and nobody is told anything."""
    def stable():
        for member in members:
            assert member.beat()["ErrorCode"] == 0, member.last
        return (state_of_member(members[0]) == "Stable" and not any(member.statuses() for member in members))
    tailrace.wait_until(stable, "the group to be stable", 60)


def state_of_member(member):
    return member.wire.ask("StreamsGroupDescribe", GroupIds=[member.group])["Groups"][0]["GroupState"]
