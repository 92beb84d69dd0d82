"""Kafka's tools for metrics subscriptions, reassignments, StreamsResetter and what else has no story of its own in
test_kafka_tools.py, given to real Kafka and to our broker in the same state: they say the same."""
import collections
import json
import re
import signal
import subprocess

import kafka_side
import pytest
import tailrace
from broker import Broker
from test_kafka_tools import CONFIGS, GROUPS, OFFSETS, TOPICS, comparable

METRICS = "ClientMetricsCommand --bootstrap-server @"
REASSIGN = "reassign.ReassignPartitionsCommand --bootstrap-server @"
RESET = "StreamsResetter --bootstrap-server @ --application-id counters"
PRODUCE = "ConsoleProducer --bootstrap-server @ --request-required-acks all --topic"

# One story, in order: (command, standard input).
COMMANDS = [
    ("ClusterTool cluster-id --bootstrap-server @", ""),
    ("MetadataQuorumCommand --bootstrap-server @ describe --status", ""),
    (f"{TOPICS} --create --topic moved --partitions 2", ""),
    (f"{PRODUCE} moved --reader-property parse.key=true --reader-property key.separator=:", "a:1\nb:2\nc:3\n"),
    (f"{TOPICS} --describe --unavailable-partitions", ""),
    (f"{TOPICS} --describe --under-replicated-partitions", ""),
    (f"{TOPICS} --describe --at-min-isr-partitions --topic moved", ""),
    (f"{REASSIGN} --generate --topics-to-move-json-file @topics --broker-list 1", ""),
    (f"{REASSIGN} --execute --reassignment-json-file @same", ""),
    (f"{REASSIGN} --verify --reassignment-json-file @same", ""),
    (f"{REASSIGN} --execute --reassignment-json-file @away", ""),
    (f"{REASSIGN} --cancel --reassignment-json-file @same", ""),
    (f"{OFFSETS} --topic-partitions moved --exclude-internal-topics", ""),
    (f"{METRICS} --list", ""),
    (f"{METRICS} --alter --name slow --metrics org.apache.kafka.producer.,org.apache.kafka.consumer. --interval 30000",
     ""),
    (f"{METRICS} --alter --name slow --match client_id=c.*,client_software_name=librdkafka", ""),
    (f"{METRICS} --alter --name broken --match nonsense=1", ""),
    (f"{METRICS} --alter --name fast --interval 10", ""),
    (f"{METRICS} --describe --name slow", ""),
    (f"{METRICS} --describe", ""),
    (f"{METRICS} --list", ""),
    (f"{CONFIGS} --describe --entity-type client-metrics --entity-name slow", ""),
    (f"{METRICS} --delete --name slow", ""),
    (f"{METRICS} --list", ""),
    (f"{TOPICS} --create --topic text --partitions 1", ""),
    (f"{TOPICS} --create --topic counters-words-repartition --partitions 1", ""),
    (f"{PRODUCE} text", "a b\nb\n"),
    (f"{GROUPS} --group counters --topic text --reset-offsets --to-latest --execute", ""),
    (f"{RESET} --input-topics text --dry-run --force", ""),
    (f"{RESET} --input-topics text,missing --to-earliest --force", ""),
    (f"{RESET} --input-topics text --to-earliest --force", ""),
    (f"{GROUPS} --describe --group counters", ""),
    (f"{TOPICS} --list", ""),
]


def placed(replica):
    return json.dumps({"version": 1, "partitions": [
        {"topic": "moved", "partition": n, "replicas": [replica], "log_dirs": ["any"]} for n in range(2)]})


def told(said):
    """Without ids, times and the lag of a follower that there is none of."""
    changing = r"(ClusterId: +|Cluster ID: +|HighWatermark: +|LeaderEpoch: +|MaxFollowerLag\S*: +).*"
    lines = [re.sub(changing, r"\1…", line) for line in comparable(said).lines]
    return said.code, [re.sub(r'"directoryId": ?"[^"]*"|"log_dirs":\["PATH/\w+"\]', "ID", line) for line in lines]


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_tools_without_a_story_of_their_own_say_the_same(tmp_path):
    real = kafka_side.RealKafka(tmp_path).start()
    (tmp_path / "ours").mkdir()
    ours = Broker(tmp_path / "ours").start()
    files = {"@topics": json.dumps({"version": 1, "topics": [{"topic": "moved"}]}), "@same": placed(1),
             "@away": placed(7)}
    for name, text in files.items():
        (tmp_path / name[1:]).write_text(text)
    different = []
    for command, stdin in COMMANDS:
        words = command
        for name in files:
            words = words.replace(name, str(tmp_path / name[1:]))
        one, other = (kafka_side.tool(broker.address, words, stdin) for broker in (real, ours))
        if told(one) != told(other):
            different.append(f"{command}\n--- Kafka\n{one}\n--- ours\n{other}\n")
    ours.stop()
    real.stop()
    assert not different, "\n".join(different)


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_what_the_verifiable_producer_wrote_two_verifiable_share_consumers_take_once(tmp_path):
    count = 20_000
    broker = Broker(tmp_path).start()
    said = kafka_side.tool(broker.address, f"{TOPICS} --create --topic shared --partitions 4")
    assert said.code == 0, said
    consumers = []
    for name in "ab":
        log = open(tmp_path / f"{name}.log", "wb")
        consumers.append(subprocess.Popen(
            kafka_side.java("org.apache.kafka.tools.VerifiableShareConsumer", "--bootstrap-server", broker.address,
                            "--topic", "shared", "--group-id", "sharers", "--offset-reset-strategy", "earliest",
                            "--verbose"), stdout=log, stderr=log))
        tailrace.started.append(consumers[-1])
    words = f"VerifiableProducer --bootstrap-server @ --topic shared --max-messages {count} --acks -1 --throughput -1"
    assert kafka_side.tool(broker.address, words).code == 0

    def events(name, kind):
        lines = (tmp_path / f"{name}.log").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [event for event in found if event.get("name") == kind]

    def acknowledged():
        return sum(event["count"] for name in "ab" for event in events(name, "offsets_acknowledged"))

    tailrace.wait_until(lambda: acknowledged() >= count, "every record is acknowledged", 240)
    for consumer in consumers:
        consumer.send_signal(signal.SIGTERM)
        consumer.wait(timeout=60)
    taken = collections.Counter(
        event["value"] for name in "ab" for event in events(name, "record_data"))
    assert len(taken) == count and max(taken.values()) == 1
    broker.stop()
