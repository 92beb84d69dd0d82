"""What Kafka's tools say of the state that brokers keep in topics: of transactions (TransactionsCommand), and the
records of __consumer_offsets, __transaction_state and __share_group_state through ConsoleConsumer's formatters, after
the same requests to real Kafka and to our broker."""
import concurrent.futures
import difflib
import json
import re

import kafka_side
import pytest
import tailrace
from broker import Broker
from kafka_wire import Connection
from group_stories import LOADING, Story, up_and_down
from wire_producer import Producer

SETTINGS = {"offsets.topic.num.partitions": 1, "transaction.state.log.num.partitions": 1,
            "share.coordinator.state.topic.num.partitions": 1, "num.partitions": 2, "log.retention.ms": -1,
            "transaction.partition.verification.enable": "false", "group.consumer.migration.policy": "bidirectional",
            "group.consumer.assignment.interval.ms": 0, "group.consumer.min.assignment.interval.ms": 0,
            "group.share.assignment.interval.ms": 0, "group.share.min.assignment.interval.ms": 0}

TRANSACTIONS = "TransactionsCommand --bootstrap-server @"
# One story, in order.
COMMANDS = [
    f"{TRANSACTIONS} list",
    f"{TRANSACTIONS} list --duration-filter 3600000",
    f"{TRANSACTIONS} list --transactional-id-pattern pay.*",
    f"{TRANSACTIONS} list --transactional-id-pattern (",
    f"{TRANSACTIONS} describe --transactional-id pays",
    f"{TRANSACTIONS} describe --transactional-id open",
    f"{TRANSACTIONS} describe --transactional-id fresh",
    f"{TRANSACTIONS} describe --transactional-id stranger",
    f"{TRANSACTIONS} describe-producers --topic paid --partition 0",
    f"{TRANSACTIONS} describe-producers --topic paid --partition 0 --broker-id 1",
    f"{TRANSACTIONS} find-hanging",
    f"{TRANSACTIONS} find-hanging --topic hung",
    f"{TRANSACTIONS} find-hanging --broker-id 1 --max-transaction-timeout 0",
    f"{TRANSACTIONS} find-hanging --topic hung --partition 0 --max-transaction-timeout 0",
    f"{TRANSACTIONS} find-hanging --topic paid --max-transaction-timeout 0",
    f"{TRANSACTIONS} find-hanging --partition 0",
    f"{TRANSACTIONS} abort --topic hung --partition 0 --start-offset 7",
    f"{TRANSACTIONS} abort --topic hung --partition 0",
    f"{TRANSACTIONS} abort --topic hung --partition 0 --start-offset 0",
    f"{TRANSACTIONS} abort --topic hung --partition 0 --start-offset 0",
    f"{TRANSACTIONS} describe-producers --topic hung --partition 0",
    f"{TRANSACTIONS} find-hanging --broker-id 1 --max-transaction-timeout 0",
    f"{TRANSACTIONS} forceTerminateTransaction --transactionalId open",
    f"{TRANSACTIONS} forceTerminateTransaction --transactionalId stranger",
]

READ = "consumer.ConsoleConsumer --bootstrap-server @ --partition 0 --offset earliest --timeout-ms 10000"
FORMATTER = "--formatter org.apache.kafka.tools.consumer."
READINGS = [
    f"{READ} --topic __consumer_offsets {FORMATTER}OffsetsMessageFormatter",
    f"{READ} --topic __consumer_offsets {FORMATTER}GroupMetadataMessageFormatter",
    f"{READ} --topic __transaction_state {FORMATTER}TransactionLogMessageFormatter",
    f"{READ} --topic paid {FORMATTER}LoggingMessageFormatter",
    f"{READ} --topic paid {FORMATTER}NoOpMessageFormatter",
    f"{READ} --topic paid --isolation-level read_committed {FORMATTER}DefaultMessageFormatter"
    " --formatter-property print.offset=true --formatter-property print.partition=true"
    " --formatter-property print.headers=true --formatter-property print.timestamp=true",
]
# How often a share group's state is written depends on when its members were heard.
KINDS = [
    f"{READ} --topic __consumer_offsets {FORMATTER}ShareGroupMessageFormatter",
    f"{READ} --topic __share_group_state {FORMATTER}group.share.ShareGroupStateMessageFormatter",
]


class Lasting(Producer):
    """Its transactions are open for as long as the tools take."""
    timeout_ms = 900_000


def wait_for_group(broker, group):
    wire = Connection(broker.address)
    wire.ask("FindCoordinator", KeyType=0, CoordinatorKeys=[group])
    tailrace.wait_until(lambda: wire.ask("DescribeGroups", Groups=[group])["Groups"][0]["ErrorCode"] not in LOADING,
                        "the coordinator")


def transactions(broker):
    """One that is committed with offsets, one aborted, one open, a producer without one, and one that hangs."""
    pays = Lasting(broker, "pays", "paid", 11)
    tailrace.wait_until(lambda: pays.add(0, 1) == [0, 0], "the transaction")
    assert pays.produce(0, 1) == [0, 0]
    pays.ask("AddOffsetsToTxn", 3, TransactionalId="pays", ProducerId=pays.id, ProducerEpoch=pays.epoch,
             GroupId="payers")
    wait_for_group(broker, "payers")
    offset = {"PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "five"}
    answer = pays.ask("TxnOffsetCommit", 3, TransactionalId="pays", GroupId="payers", ProducerId=pays.id,
                      ProducerEpoch=pays.epoch, GenerationId=-1, MemberId="",
                      Topics=[{"Name": "paid", "Partitions": [offset]}])
    assert answer["Topics"][0]["Partitions"][0]["ErrorCode"] == 0, answer
    pays.end(True)
    gives_up = Lasting(broker, "gives-up", "paid", 12)
    tailrace.wait_until(lambda: gives_up.produce(0) == [0], "the aborted record")
    gives_up.end(False)
    still_open = Lasting(broker, "open", "paid", 12)
    tailrace.wait_until(lambda: still_open.produce(1) == [0], "the open record")
    Lasting(broker, "fresh", "paid", 11)
    assert Lasting(broker, "hangs", "hung", 11).produce(0) == [0]  # in no transaction that the coordinator knows


def share(broker):
    """A group takes records and rejects them."""
    said = kafka_side.tool(broker.address, "ConsoleProducer --bootstrap-server @ --topic shared"
                                           " --request-required-acks all", "a\nb\nc\n")
    assert said.code == 0, said
    earliest = "--entity-type groups --entity-name sharers --add-config share.auto.offset.reset=earliest"
    for command in (f"kafka.admin.ConfigCommand --bootstrap-server @ --alter {earliest}",
                    "consumer.ConsoleShareConsumer --bootstrap-server @ --topic shared --group sharers --reject"
                    " --max-messages 3 --timeout-ms 30000"):
        assert (said := kafka_side.tool(broker.address, command)).code == 0, said


def live(broker):
    up_and_down(Story(broker.address))
    transactions(broker)
    share(broker)
    return broker


def in_order(found):
    """Of partitions that Kafka keeps in sets."""
    topics = json.loads(found.group())
    return json.dumps(sorted([one["topic"], sorted(one["partitionIds"])] for one in topics))


class Names:
    """What one broker made up, by the order in which it is seen: ids of members and topics, times."""

    def __init__(self):
        self.seen = {}

    def name(self, found):
        return self.seen.setdefault(found.group(), f"ID{len(self.seen)}")

    def told(self, said):
        # Transactions are listed in no order.
        listed = said.lines and said.lines[0].startswith("TransactionalId")
        text = "\n".join(sorted(said.lines) if listed else said.lines)
        # The end of a wait is told in the records' line; other groups write records too.
        text = re.sub(r"\}20\d\d-.*|\nProcessed a total of.*", "}", text).replace("}{", "}\n{")
        text = re.sub(r"\b1[78]\d{11}\b", "TIME", text)
        text = re.sub(r"(TIME\s+)\d{4,}[ \t]*", r"\1MS ", text)
        text = re.sub(r'(?<=")[\w-]{22}(?=")(?!":)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', self.name, text)
        text = re.sub(r'(?<="transactionPartitions":)\[\{.*?\}\]', in_order, text)
        return said.code, text.splitlines()


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    real = kafka_side.RealKafka(folder, **SETTINGS).start()
    (folder / "ours").mkdir()
    ours = Broker(folder / "ours", *(f"{name}={value}" for name, value in SETTINGS.items())).start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield list(pool.map(live, (real, ours)))
    ours.stop()
    real.stop()


def compare(brokers, commands, told=lambda said: Names().told(said)):
    different = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for command in commands:
            said = [*pool.map(lambda broker: kafka_side.tool(broker.address, command), brokers)]
            real, ours = map(told, said)
            if real != ours:
                lines = difflib.unified_diff(real[1], ours[1], f"Kafka: exit {real[0]}", f"ours: exit {ours[0]}", n=0)
                different.append("\n".join([command, *lines]))
    assert not different, "\n".join(different)


def kinds(said):
    return said.code, sorted(set(re.findall(r'"key":\{"type":\d+', "\n".join(said.lines))))


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_kafkas_formatters_read_the_same_records(brokers):
    compare(brokers, READINGS)
    compare(brokers, KINDS, kinds)


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_transactions_are_listed_described_and_ended_the_same(brokers):
    compare(brokers, COMMANDS)
