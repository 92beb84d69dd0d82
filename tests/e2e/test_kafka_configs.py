"""Settings of topics, the broker and groups over the Kafka door: described, changed, refused, kept through a kill."""
import time

import confluent_kafka
import pytest
import tailrace
from broker import Broker
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, NewTopic, ResourceType)

SET, DELETE = AlterConfigOpType.SET, AlterConfigOpType.DELETE
APPEND, SUBTRACT = AlterConfigOpType.APPEND, AlterConfigOpType.SUBTRACT
TOPIC, BROKER, GROUP = ResourceType.TOPIC, ResourceType.BROKER, ResourceType.GROUP


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "log.retention.hours=2", "num.partitions=3").start()
    yield started
    started.kill()


def answer(broker, call, asked, **kwargs):
    """Of the one thing that was asked for."""
    admin = AdminClient({"bootstrap.servers": broker.address})
    [future] = getattr(admin, call)([asked], **kwargs).values()
    return future.result(30)


def create(broker, name, **kwargs):
    answer(broker, "create_topics", NewTopic(name, **kwargs))


def describe(broker, kind, name):
    return answer(broker, "describe_configs", ConfigResource(kind, name))


def alter(broker, kind, name, *changes):
    entries = [ConfigEntry(key, value, incremental_operation=operation) for operation, key, value in changes]
    answer(broker, "incremental_alter_configs", ConfigResource(kind, name, incremental_configs=entries))


def refused(call, *args, **kwargs):
    with pytest.raises(confluent_kafka.KafkaException) as raised:
        call(*args, **kwargs)
    error = raised.value.args[0]
    return error.name(), error.str()


def test_a_topic_shows_what_it_said_and_what_it_has_from_the_broker(broker):
    create(broker, "t", config={"cleanup.policy": "compact,delete", "segment.bytes": "2000000", "preallocate": "TRUE"})
    shown = describe(broker, TOPIC, "t")
    assert len(shown) == 33
    own = {name for name, entry in shown.items() if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value}
    assert own == {"cleanup.policy", "segment.bytes", "preallocate"}
    assert shown["preallocate"].value == "true" and shown["retention.ms"].value == "7200000"
    assert shown["segment.bytes"].value == "2000000" and shown["flush.messages"].value == "9223372036854775807"
    assert "log.segment.bytes" in shown["segment.bytes"].synonyms


def test_a_bad_setting_makes_no_topic_and_changes_none(broker):
    name, why = refused(create, broker, "t", config={"retention.sm": "1"})
    assert name == "INVALID_CONFIG" and why == "Unknown topic config name: retention.sm"
    name, why = refused(create, broker, "t", config={"retention.ms": "-2"})
    assert (name, why) == ("INVALID_CONFIG",
                           "Invalid value -2 for configuration retention.ms: Value must be at least -1")
    create(broker, "t")
    assert refused(alter, broker, TOPIC, "t", (SET, "retention.ms", "5"), (SET, "segment.ms", "0"))[0] \
        == "INVALID_CONFIG"
    assert describe(broker, TOPIC, "t")["retention.ms"].value == "7200000"
    assert refused(alter, broker, TOPIC, "none", (SET, "retention.ms", "5"))[0] == "UNKNOWN_TOPIC_OR_PART"
    assert refused(alter, broker, TOPIC, "t", (APPEND, "retention.ms", "5"))[1] \
        == "Can't APPEND to key retention.ms because its type is not LIST."


def test_lists_grow_and_shrink_and_a_deleted_setting_follows_the_broker_again(broker):
    create(broker, "t", config={"retention.ms": "1000"})
    alter(broker, TOPIC, "t", (APPEND, "cleanup.policy", "compact"))
    assert describe(broker, TOPIC, "t")["cleanup.policy"].value == "delete,compact"
    alter(broker, TOPIC, "t", (SUBTRACT, "cleanup.policy", "delete"), (DELETE, "retention.ms", None))
    shown = describe(broker, TOPIC, "t")
    assert shown["cleanup.policy"].value == "compact" and shown["retention.ms"].value == "7200000"


def test_the_old_way_of_altering_unsets_what_is_not_named(broker):
    create(broker, "t", config={"retention.ms": "1000", "segment.ms": "5000"})
    answer(broker, "alter_configs", ConfigResource(TOPIC, "t", set_config={"retention.ms": "2000"}))
    shown = describe(broker, TOPIC, "t")
    assert shown["retention.ms"].value == "2000" and shown["segment.ms"].value == "604800000"


def test_a_broker_setting_reaches_topics_that_do_not_say_and_lives_through_a_kill(broker):
    create(broker, "follows")
    create(broker, "says", config={"retention.ms": "1000"})
    alter(broker, BROKER, "1", (SET, "log.retention.ms", "5000"), (SET, "message.max.bytes", "2000000"))
    alter(broker, TOPIC, "says", (SET, "min.insync.replicas", "1"))
    alter(broker, GROUP, "g", (SET, "consumer.session.timeout.ms", "50000"))

    def as_set():
        assert describe(broker, TOPIC, "follows")["retention.ms"].value == "5000"
        assert describe(broker, TOPIC, "follows")["max.message.bytes"].value == "2000000"
        says = describe(broker, TOPIC, "says")
        assert says["retention.ms"].value == "1000"
        assert says["min.insync.replicas"].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        assert describe(broker, BROKER, "1")["log.retention.ms"].value == "5000"
        assert describe(broker, GROUP, "g")["consumer.session.timeout.ms"].value == "50000"

    as_set()
    broker.kill()
    broker.start()
    as_set()
    alter(broker, BROKER, "1", (DELETE, "log.retention.ms", None))
    assert describe(broker, TOPIC, "follows")["retention.ms"].value == "7200000"


def test_the_broker_shows_all_its_settings_and_refuses_what_cannot_change(broker):
    shown = describe(broker, BROKER, "1")
    assert shown["num.partitions"].value == "3" and shown["num.partitions"].is_read_only
    assert shown["num.partitions"].source == ConfigSource.STATIC_BROKER_CONFIG.value
    assert shown["node.id"].value == "1" and shown["ssl.keystore.password"].is_sensitive
    assert shown["advertised.listeners"].value == f"PLAINTEXT://{broker.address}"
    assert refused(alter, broker, BROKER, "1", (SET, "num.partitions", "4")) \
        == ("INVALID_REQUEST", "Cannot update these configs dynamically: [num.partitions]")
    assert refused(alter, broker, GROUP, "g", (SET, "no.such", "4"))[1] == "Unknown group config name: no.such"


def test_a_wrong_setting_of_the_command_line_names_the_nearest(tmp_path):
    program = [tailrace.PROGRAM, "broker", "--data", tmp_path / "data", "--listen", "127.0.0.1:0"]
    done = tailrace.subprocess.run([*program, "--set", "num.partition=3"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "num.partitions" in done.stderr
    properties = tmp_path / "server.properties"
    properties.write_text("num.partitions=2\nlog.retention.hours=x\n")
    done = tailrace.subprocess.run([*program, "--config", properties], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and f"{properties}: line 2: " in done.stderr and "log.retention.hours" in done.stderr


def send(broker, topic, **record):
    """What the broker answers, and where the record lies."""
    told = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "log_level": 0})
    producer.produce(topic, b"value" * 100, on_delivery=lambda error, message: told.append((error, message)), **record)
    assert producer.flush(30) == 0
    return told[0]


def newest(broker, topic):
    reader = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "newest"})
    end = reader.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), 30)[1]
    reader.assign([confluent_kafka.TopicPartition(topic, 0, end - 1)])
    message = tailrace.wait_until(lambda: reader.poll(1), "the newest record", 30)
    reader.close()
    return message


def test_records_have_the_time_of_the_log_where_a_topic_says_so(broker):
    create(broker, "t", num_partitions=1, config={"message.timestamp.type": "LogAppendTime"})
    began = int(time.time() * 1000)
    error, told = send(broker, "t", timestamp=5)
    assert error is None and told.timestamp()[0] == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
    read = newest(broker, "t")
    assert read.timestamp() == told.timestamp() and began <= read.timestamp()[1] <= time.time() * 1000
    alter(broker, TOPIC, "t", (SET, "message.timestamp.type", "CreateTime"))
    later = began - 1
    assert send(broker, "t", timestamp=later)[0] is None
    assert newest(broker, "t").timestamp() == (confluent_kafka.TIMESTAMP_CREATE_TIME, later)


def test_a_time_that_is_too_far_from_now_is_refused(broker):
    create(broker, "t", num_partitions=1, config={"message.timestamp.before.max.ms": "3600000"})
    now = int(time.time() * 1000)
    for hours, name in ((-2, "INVALID_TIMESTAMP"), (2, "INVALID_TIMESTAMP"), (-0.9, None), (0.9, None)):
        error, _ = send(broker, "t", timestamp=now + int(hours * 3_600_000))
        assert (error and error.name()) == name, hours


def test_a_topic_is_compressed_as_it_says_whatever_its_producers_do(broker):
    create(broker, "t", num_partitions=1, config={"compression.type": "zstd"})
    assert send(broker, "t")[0] is None
    file = next((broker.data / "log").glob("t-0/*.log"))
    assert file.read_bytes()[22] & 7 == 4 and file.stat().st_size < 200
    assert newest(broker, "t").value() == b"value" * 100


def test_what_has_no_effect_here_is_named_at_the_start(tmp_path):
    started = Broker(tmp_path, "num.io.threads=4", "log.retention.hours=2", "log.cleaner.threads=3").start()
    lines = [line for line in started.log.read_text().splitlines() if "without effect" in line]
    assert len(lines) == 1 and lines[0].endswith("without effect here: log.cleaner.threads, num.io.threads")
    started.stop()
