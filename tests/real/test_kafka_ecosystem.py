"""What people run on Kafka, unchanged on our broker: Streams, Connect, the verifiable clients."""
import collections
import json
import subprocess
import uuid

import confluent_kafka
import ports
import pytest
import tailrace
from broker import Broker
from kafka_side import JARS, java, tool

pytestmark = pytest.mark.skipif(not JARS, reason="TAILRACE_KAFKA_JARS names no folder of Kafka's jars")


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "num.partitions=3").start()
    yield started
    started.kill()


class Program:
    """A Java program of the ecosystem that runs until it is stopped; `lines` is what it printed so far."""

    def __init__(self, log, *words, stdin=None):
        self.log = log
        self.process = subprocess.Popen(java(*words, options=("-Xmx400m", "-XX:+UseSerialGC")), stdin=stdin,
                                        stdout=open(log, "wb"), stderr=subprocess.STDOUT)
        tailrace.started.append(self.process)

    def lines(self):
        return self.log.read_text(errors="replace").splitlines()

    def alive(self):
        assert self.process.poll() is None, "\n".join(self.lines()[-40:])
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def properties(path, **settings):
    path.write_text("".join(f"{name.replace('__', '.')}={value}\n" for name, value in settings.items()))
    return path


def produce(address, topic, values):
    producer = confluent_kafka.Producer({"bootstrap.servers": address})
    for value in values:
        producer.produce(topic, value)
        producer.poll(0)
    assert producer.flush(60) == 0


class Reader:
    """Everything of a topic, as it comes."""

    def __init__(self, address, topic):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": address, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 1000})
        self.consumer.subscribe([topic])
        self.records = []

    def until(self, condition, what):
        def look():
            for message in self.consumer.consume(1000, 0.2):
                if message.error() is None:
                    self.records.append((message.key(), message.value()))
            return condition(self.records)
        tailrace.wait_until(look, what, 120)
        self.consumer.close()
        return self.records


def create(address, topic, partitions=1, *config):
    settings = [word for one in config for word in ("--config", one)]
    made = tool(address, " ".join(["TopicCommand --bootstrap-server @ --create --topic", topic,
                                   "--partitions", str(partitions), *settings]))
    assert made.code == 0, made


def test_streams_counts_words_across_a_killed_broker(broker, tmp_path):
    create(broker.address, "streams-plaintext-input", 2)
    create(broker.address, "streams-wordcount-output", 1, "cleanup.policy=compact")
    settings = properties(tmp_path / "streams.properties", bootstrap__servers=broker.address,
                          state__dir=tmp_path / "state", commit__interval__ms=100)
    words = Program(tmp_path / "streams.log", "org.apache.kafka.streams.examples.wordcount.WordCountDemo", settings)
    texts = ["all streams lead to kafka", "hello kafka streams", "join kafka summit"]
    truth = collections.Counter(word for text in texts for word in text.split())
    produce(broker.address, "streams-plaintext-input", texts)
    counts = Reader(broker.address, "streams-wordcount-output")

    def latest(records):
        return {key.decode(): int.from_bytes(value, "big") for key, value in records}

    counts.until(lambda records: words.alive() and latest(records) == truth, "the words of the first texts")
    broker.kill()
    broker.start()
    more = [f"again kafka {number}" for number in range(100)]
    truth.update(word for text in more for word in text.split())
    produce(broker.address, "streams-plaintext-input", more)
    counts = Reader(broker.address, "streams-wordcount-output")
    counts.until(lambda records: words.alive() and latest(records) == truth, "the words of all texts")
    words.stop()


def test_two_streams_programs_of_one_group_count_words_when_one_is_killed(broker, tmp_path):
    """group.protocol=streams: the broker assigns the tasks (KIP-1071). The count has a repartition and a store."""
    create(broker.address, "streams-plaintext-input", 4)
    create(broker.address, "streams-wordcount-output", 1, "cleanup.policy=compact")

    def start(name):
        settings = properties(tmp_path / f"{name}.properties", bootstrap__servers=broker.address,
                              group__protocol="streams", processing__guarantee="exactly_once_v2",
                              state__dir=tmp_path / name, commit__interval__ms=100)
        program = "org.apache.kafka.streams.examples.wordcount.WordCountDemo"
        return Program(tmp_path / f"{name}.log", program, settings)

    def groups(words):
        return tool(broker.address, "streams.StreamsGroupCommand --bootstrap-server @ " + words)

    def members():
        rows = groups("--describe --group streams-wordcount --members").lines
        return [row for row in rows if row.startswith("streams-wordcount ")]

    def latest(records):
        return {key.decode(): int.from_bytes(value, "big") for key, value in records}

    def counted(programs):
        counts = Reader(broker.address, "streams-wordcount-output")
        counts.until(lambda records: all(one.alive() for one in programs) and latest(records) == truth, "the counts")

    one, other = start("one"), start("other")
    truth = collections.Counter()

    def write(texts):
        truth.update(word for text in texts for word in text.split())
        produce(broker.address, "streams-plaintext-input", texts)

    write([f"word{number % 17} and kafka" for number in range(200)])
    counted([one, other])
    # One with all tasks, then both: the second joined.
    tailrace.wait_until(lambda: len(members()) == 2 and "Stable" in str(groups("--list --state")), "two members", 120)
    write([f"word{number % 5} again" for number in range(200)])
    counted([one, other])
    other.process.kill()
    other.process.wait()
    write([f"word{number % 7} without the other" for number in range(200)])
    counted([one])
    broker.kill()
    broker.start()
    write(["after the broker was killed"])
    counted([one])
    assert groups("--list").lines == ["streams-wordcount"]
    one.stop()
    tailrace.wait_until(lambda: not members(), "no members", 120)
    reset = groups("--reset-offsets --group streams-wordcount --input-topic streams-plaintext-input "
                   "--to-earliest --execute")
    assert reset.code == 0, reset
    assert groups("--delete --group streams-wordcount").code == 0
    assert groups("--list").lines == []


def test_connect_carries_a_file_through_a_topic_into_a_file(broker, tmp_path):
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    lines = [f"line {number} of the file" for number in range(5000)]
    source.write_text("\n".join(lines[:2500]) + "\n")
    [port] = ports.free(1)
    text = "org.apache.kafka.connect.storage.StringConverter"
    worker = properties(
        tmp_path / "worker.properties", bootstrap__servers=broker.address, key__converter=text, value__converter=text,
        offset__storage__file__filename=tmp_path / "offsets", offset__flush__interval__ms=500,
        listeners=f"http://127.0.0.1:{port}", plugin__discovery="service_load")
    reads = properties(tmp_path / "source.properties", name="reads", topic="lines", file=source,
                       connector__class="FileStreamSource", tasks__max=1)
    writes = properties(tmp_path / "sink.properties", name="writes", topics="lines", file=target,
                        connector__class="FileStreamSink", tasks__max=1)
    connect = Program(tmp_path / "connect.log", "org.apache.kafka.connect.cli.ConnectStandalone", worker, reads, writes)

    def arrived(count):
        return connect.alive() and target.exists() and len(target.read_text().splitlines()) >= count

    tailrace.wait_until(lambda: arrived(2500), "the first lines", 120)
    with open(source, "a") as file:
        file.write("\n".join(lines[2500:]) + "\n")
    tailrace.wait_until(lambda: arrived(5000), "the other lines", 120)
    assert sorted(target.read_text().splitlines()) == sorted(lines)  # three partitions have no order of all
    connect.stop()
    committed = tool(broker.address, "consumer.group.ConsumerGroupCommand --bootstrap-server @ --describe "
                                     "--group connect-writes")
    assert committed.code == 0 and sum(int(line.split()[3]) for line in committed.lines if " lines " in f" {line} ") \
        == 5000, committed


def test_what_the_verifiable_producer_saw_acknowledged_the_verifiable_consumer_sees_once(broker, tmp_path):
    """The producer sends nothing twice: a record that was on its way when the broker died may be there or not."""
    create(broker.address, "verified", 4)
    count = 60_000
    consumer = Program(tmp_path / "consumer.log", "org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server",
                       broker.address, "--topic", "verified", "--group-id", "verifies", "--reset-policy", "earliest",
                       "--verbose")
    producer = Program(tmp_path / "producer.log", "org.apache.kafka.tools.VerifiableProducer", "--bootstrap-server",
                       broker.address, "--topic", "verified", "--max-messages", count, "--acks", -1,
                       "--throughput", 15000)

    def of(program, name):
        events = (json.loads(line) for line in program.lines() if line.startswith("{") and line.endswith("}"))
        return [event for event in events if event.get("name") == name]

    tailrace.wait_until(lambda: len(of(producer, "producer_send_success")) > count // 5, "a part", 120)
    broker.kill()
    broker.start()
    assert producer.process.wait(timeout=240) == 0
    sent = {event["value"] for event in of(producer, "producer_send_success")}
    failed = {event["value"] for event in of(producer, "producer_send_error")}
    assert len(sent) > count * 0.8 and len(sent | failed) == count
    places = {}

    def all_seen():
        places.update({(event["partition"], event["offset"]): event["value"] for event in of(consumer, "record_data")})
        return consumer.alive() and sent <= set(places.values())

    tailrace.wait_until(all_seen, "every acknowledged record", 120)
    seen = collections.Counter(places.values())
    assert set(seen) <= sent | failed and max(seen.values()) == 1
    consumer.stop()


def test_a_client_may_expect_of_this_broker_what_it_may_of_kafka(broker):
    create(broker.address, "compatible", 1)
    said = tool(broker.address, "ClientCompatibilityTest --bootstrap-server @ --topic compatible --num-cluster-nodes 1 "
                                "--offsets-for-times-supported true --cluster-id-supported true "
                                "--expect-record-too-large-exception false --create-topics-supported true "
                                "--describe-acls-supported true --describe-configs-supported true "
                                "--idempotent-producer-supported true")
    assert said.code == 0, said
