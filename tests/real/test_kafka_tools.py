"""Kafka's own tools, each command given to real Kafka and to our broker in the same state: they say the same."""
import json
import pathlib
import re

import kafka_side
import pytest
from broker import Broker

TOPICS = "TopicCommand --bootstrap-server @"
OFFSETS = "GetOffsetShell --bootstrap-server @"
CONFIGS = "kafka.admin.ConfigCommand --bootstrap-server @"
GROUPS = "consumer.group.ConsumerGroupCommand --bootstrap-server @"
SHARES = "consumer.group.ShareGroupCommand --bootstrap-server @"
SHARER = "consumer.ConsoleShareConsumer --bootstrap-server @ --topic jobs --group workers --timeout-ms 30000"

# One story, in order: (command, standard input).
COMMANDS = [
    ("ClusterTool list-endpoints --bootstrap-server @", ""),
    (f"{TOPICS} --list", ""),
    (f"{TOPICS} --create --topic orders --partitions 3", ""),
    (f"{TOPICS} --create --topic orders --partitions 3", ""),
    (f"{TOPICS} --create --topic orders --partitions 3 --if-not-exists", ""),
    (f"{TOPICS} --create --topic bad/name --partitions 1", ""),
    (f"{TOPICS} --create --topic twice --partitions 1 --replication-factor 2", ""),
    (f"{TOPICS} --create --topic none --partitions 0", ""),
    (f"{TOPICS} --alter --topic orders --partitions 4", ""),
    (f"{TOPICS} --alter --topic orders --partitions 2", ""),
    (f"{TOPICS} --alter --topic missing --partitions 2", ""),
    (f"{TOPICS} --list", ""),
    (f"{TOPICS} --describe --topic missing", ""),
    (f"{TOPICS} --describe --topic orders", ""),
    (f"{CONFIGS} --describe --entity-type topics --entity-name orders", ""),
    (f"{CONFIGS} --alter --entity-type topics --entity-name orders"
     " --add-config retention.ms=60000000,segment.bytes=2097152", ""),
    (f"{CONFIGS} --alter --entity-type topics --entity-name orders --add-config nonsense=1", ""),
    (f"{CONFIGS} --alter --entity-type topics --entity-name orders --add-config retention.ms=soon", ""),
    (f"{CONFIGS} --alter --entity-type topics --entity-name orders --add-config cleanup.policy=[compact,delete]", ""),
    (f"{CONFIGS} --describe --entity-type topics --entity-name orders", ""),
    (f"{CONFIGS} --alter --entity-type topics --entity-name orders --delete-config segment.bytes,cleanup.policy", ""),
    (f"{CONFIGS} --describe --entity-type topics --entity-name orders --all", ""),
    (f"{TOPICS} --describe --topic orders", ""),
    (f"{TOPICS} --describe --topics-with-overrides", ""),
    (f"{CONFIGS} --alter --entity-type brokers --entity-default --add-config message.max.bytes=2000000", ""),
    (f"{CONFIGS} --describe --entity-type brokers --entity-default", ""),
    (f"{CONFIGS} --describe --entity-type topics --entity-name missing", ""),
    (f"{CONFIGS} --alter --entity-type groups --entity-name readers --add-config consumer.session.timeout.ms=50000",
     ""),
    (f"{CONFIGS} --describe --entity-type groups --entity-name readers", ""),
    ("ConsoleProducer --bootstrap-server @ --topic orders --reader-property parse.key=true"
     " --reader-property key.separator=: --request-required-acks all", "a:1\nb:2\nc:3\na:4\nd:5\n"),
    (f"{OFFSETS} --topic orders", ""),
    (f"{OFFSETS} --topic orders --time earliest", ""),
    (f"{OFFSETS} --topic orders --time max-timestamp --partitions 9", ""),
    (f"{OFFSETS} --topic-partitions orders:0,orders:2", ""),
    ("consumer.ConsoleConsumer --bootstrap-server @ --topic orders --partition 0 --offset earliest --max-messages 1"
     " --timeout-ms 20000", ""),
    ("consumer.ConsoleConsumer --bootstrap-server @ --topic orders --from-beginning --group readers --max-messages 5"
     " --timeout-ms 20000 --formatter-property print.key=true", ""),
    (f"{GROUPS} --list", ""),
    (f"{GROUPS} --list --state", ""),
    ("GroupsCommand --bootstrap-server @ --list", ""),
    (f"{GROUPS} --describe --group readers", ""),
    (f"{GROUPS} --describe --group readers --state", ""),
    (f"{GROUPS} --describe --group readers --members", ""),
    (f"{GROUPS} --describe --group strangers", ""),
    (f"{GROUPS} --group readers --topic orders --reset-offsets --to-earliest --dry-run", ""),
    (f"{GROUPS} --group readers --topic orders --reset-offsets --to-earliest --execute", ""),
    (f"{GROUPS} --group readers --topic orders:1 --reset-offsets --shift-by 1 --execute", ""),
    (f"{GROUPS} --describe --group readers", ""),
    (f"{GROUPS} --delete-offsets --group readers --topic orders:1", ""),
    (f"{GROUPS} --describe --group readers --offsets", ""),
    ("DeleteRecordsCommand --bootstrap-server @ --offset-json-file @records", ""),
    (f"{OFFSETS} --topic orders --time earliest", ""),
    (f"{GROUPS} --delete --group readers", ""),
    (f"{GROUPS} --delete --group readers", ""),
    (f"{GROUPS} --list", ""),
    (f"{TOPICS} --create --topic jobs --partitions 1", ""),
    (f"{CONFIGS} --alter --entity-type groups --entity-name workers"
     " --add-config share.auto.offset.reset=earliest,share.record.lock.duration.ms=20000", ""),
    (f"{CONFIGS} --alter --entity-type groups --entity-name workers --add-config share.auto.offset.reset=middle", ""),
    (f"{CONFIGS} --describe --entity-type groups --entity-name workers", ""),
    ("ConsoleProducer --bootstrap-server @ --topic jobs --request-required-acks all", "a\nb\nc\nd\ne\n"),
    (f"{SHARER} --max-messages 5 --formatter-property print.offset=true --formatter-property print.delivery=true", ""),
    (f"{SHARES} --list", ""),
    (f"{SHARES} --list --state", ""),
    (f"{SHARES} --list --state Stable", ""),
    ("GroupsCommand --bootstrap-server @ --list", ""),
    ("GroupsCommand --bootstrap-server @ --list --share", ""),
    (f"{SHARES} --describe --group workers", ""),
    (f"{SHARES} --describe --group workers --offsets --verbose", ""),
    (f"{SHARES} --describe --group workers --members --verbose", ""),
    (f"{SHARES} --describe --group workers --state", ""),
    (f"{SHARES} --describe --group workers --state --verbose", ""),
    (f"{SHARES} --describe --group strangers", ""),
    (f"{SHARES} --describe --all-groups", ""),
    (f"{SHARES} --group workers --topic jobs --reset-offsets --to-earliest --dry-run", ""),
    (f"{SHARES} --group workers --topic jobs --reset-offsets --to-earliest --execute", ""),
    (f"{SHARES} --describe --group workers", ""),
    (f"{SHARER} --max-messages 5 --reject --formatter-property print.delivery=true", ""),
    (f"{SHARES} --describe --group workers", ""),
    (f"{SHARES} --group workers --all-topics --reset-offsets --to-latest --execute", ""),
    (f"{SHARES} --group workers --topic jobs --reset-offsets --to-datetime 2020-01-01T00:00:00.000 --execute", ""),
    (f"{SHARES} --group newcomers --topic jobs --reset-offsets --to-latest --execute", ""),
    (f"{SHARES} --group workers --topic missing --reset-offsets --to-latest --execute", ""),
    (f"{SHARES} --describe --group newcomers", ""),
    (f"{GROUPS} --describe --group newcomers", ""),
    (f"{SHARES} --group workers --topic missing --delete-offsets", ""),
    (f"{SHARES} --group workers --topic jobs --delete-offsets", ""),
    (f"{SHARES} --describe --group workers", ""),
    (f"{SHARES} --group strangers --topic jobs --delete-offsets", ""),
    (f"{SHARES} --group workers --delete", ""),
    (f"{SHARES} --group workers --delete", ""),
    (f"{SHARES} --delete --group newcomers", ""),
    (f"{SHARES} --list", ""),
    (f"{TOPICS} --delete --topic jobs", ""),
    ("LogDirsCommand --bootstrap-server @ --describe --topic-list orders", ""),
    ("FeatureCommand --bootstrap-server @ upgrade --feature group.version=1", ""),
    ("FeatureCommand --bootstrap-server @ upgrade --feature group.version=5", ""),
    ("FeatureCommand --bootstrap-server @ upgrade --feature nonsense=1", ""),
    ("FeatureCommand --bootstrap-server @ downgrade --feature group.version=0", ""),
    ("FeatureCommand --bootstrap-server @ describe", ""),
    ("FeatureCommand --bootstrap-server @ upgrade --feature group.version=1", ""),
    ("MetadataQuorumCommand --bootstrap-server @ describe --replication", ""),
    ("LeaderElectionCommand --bootstrap-server @ --election-type preferred --all-topic-partitions", ""),
    ("LeaderElectionCommand --bootstrap-server @ --election-type preferred --topic orders --partition 0", ""),
    ("LeaderElectionCommand --bootstrap-server @ --election-type unclean --topic orders --partition 0", ""),
    ("LeaderElectionCommand --bootstrap-server @ --election-type preferred --topic missing --partition 0", ""),
    ("reassign.ReassignPartitionsCommand --bootstrap-server @ --list", ""),
    ("ClusterTool unregister --bootstrap-server @ --id 7", ""),
    (f"{TOPICS} --delete --topic orders", ""),
    (f"{TOPICS} --delete --topic orders", ""),
    (f"{TOPICS} --list", ""),
    ("BrokerApiVersionsCommand --bootstrap-server @", ""),
]


def apis(said):
    """api key → versions of what BrokerApiVersionsCommand prints."""
    return dict(re.findall(r"\w+\((\d+)\): (\S+(?: to \d+)?)", "\n".join(said.lines)))


# What can be the same on no two brokers: addresses, folders, sizes, epochs of a controller, times, random ids.
DIFFERS = [
    (re.compile(r"TopicId: \S+"), "TopicId: ID"),
    (re.compile(r"127\.0\.0\.1:\d+|127\.0\.0\.1 +\d+"), "ADDRESS"), (re.compile(r'"logDir":"[^"]*"'), "FOLDER"),
    (re.compile(r'"size":\d+'), "SIZE"), (re.compile(r"Epoch: \d+"), "EPOCH"), (re.compile(r"\b17\d{11}\b"), "TIME"),
    (re.compile(r"^1 +\tA{22}\t\d+ *\t"), "1 DIRECTORY END "), (re.compile(r"/\S+/"), "PATH/"),
]


def comparable(said):
    for pattern, word in DIFFERS:
        said.lines = [pattern.sub(word, line) for line in said.lines]
    said.lines = [re.sub(r" +", " ", line) for line in said.lines]
    return said


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    real = kafka_side.RealKafka(folder).start()
    (folder / "ours").mkdir()
    ours = Broker(folder / "ours").start()
    yield real, ours, folder
    ours.stop()
    real.stop()


def test_every_tool_says_the_same_of_both(brokers):
    real, ours, folder = brokers
    records = pathlib.Path(folder / "records.json")
    records.write_text(json.dumps({"version": 1, "partitions": [{"topic": "orders", "partition": 0, "offset": 1}]}))
    different, said = [], []
    for command, stdin in COMMANDS:
        words = command.replace("@records", str(records))
        one, other = (kafka_side.tool(broker.address, words, stdin) for broker in (real, ours))
        said.append(f"$ {command}\n{one}\n")
        if command.startswith("BrokerApiVersions"):
            missing = {key: versions for key, versions in apis(one).items() if apis(other).get(key) != versions}
            print("not served in Kafka's versions:", missing)
            continue
        if comparable(one) != comparable(other):
            different.append(f"{command}\n--- Kafka\n{one}\n--- ours\n{other}\n")
    (folder / "said.txt").write_text("\n".join(said))
    assert not different, "\n".join(different)
