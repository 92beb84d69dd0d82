"""tailrace topics, groups, produce and consume, against our broker and beside a foreign client."""
import json
import subprocess

import confluent_kafka
import pytest
import tailrace
from broker import Broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("commands"), "num.partitions=4").start()
    yield started
    started.stop()


def run(broker, *words, stdin="", code=0):
    done = subprocess.run([tailrace.PROGRAM, *words, "--broker", broker.address], input=stdin, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def rows(broker, *words):
    return [json.loads(line) for line in run(broker, *words, "--json").splitlines()]


def test_lines_are_sent_and_read_again_and_a_key_has_the_partition_kafkas_clients_give_it(broker):
    keys = [f"key-{n}" for n in range(200)]
    run(broker, "produce", "lines", "-K", ":", stdin="".join(f"{key}:value of {key}\n" for key in keys))
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "partitioner": "murmur2_random"})
    for key in keys:
        producer.produce("foreign", key, key=key)
    assert producer.flush(20) == 0
    ours, theirs = ({row["key"]: row["partition"] for row in rows(broker, "consume", topic)}
                    for topic in ("lines", "foreign"))
    assert ours == theirs and sorted(ours) == sorted(keys)
    assert sorted(run(broker, "consume", "lines").splitlines()) == sorted(f"value of {key}" for key in keys)


def test_where_the_lines_are_is_told_as_json(broker):
    sent = []
    for _ in range(2):
        told = run(broker, "produce", "placed", "-K", ":", "--json", stdin="".join(f"{n}:x\n" for n in range(50)))
        sent.append({row["partition"]: row for row in map(json.loads, told.splitlines())})
    assert sum(row["records"] for row in sent[0].values()) == 50
    for partition, row in sent[1].items():
        assert row["topic"] == "placed" and row["first"] == sent[0][partition]["last"] + 1
        assert row["last"] == row["first"] + row["records"] - 1
        read = rows(broker, "consume", "placed", "--partition", str(partition))
        assert read[-1]["offset"] == row["last"]


def test_a_topic_is_read_from_where_one_likes(broker):
    run(broker, "produce", "numbers", "-K", ":", stdin="".join(f"one:{n}\n" for n in range(50)))
    place = rows(broker, "consume", "numbers", "-n", "1")[0]["partition"]
    part = ("consume", "numbers", "--partition", str(place))
    assert run(broker, *part, "--from", "48").split() == ["48", "49"]
    assert run(broker, *part, "--from", "end") == ""
    assert len(run(broker, *part, "-n", "7").split()) == 7
    assert run(broker, *part, "--from", "50") == ""
    assert f"--from 51 is beyond the end: numbers-{place} at 50" in run(broker, *part, "--from", "51", code=1)
    assert f"numbers-{place} at 50" in run(broker, "consume", "numbers", "--from", "99", "-f", code=1)
    # The other partitions end before it; they have nothing to say.
    assert run(broker, "consume", "numbers", "--from", "49").split() == ["49"]
    assert "beginning, end or an offset" in run(broker, *part, "--from", "noon", code=1)
    assert "UNKNOWN_TOPIC_OR_PARTITION" in run(broker, "consume", "missing", code=1)


def test_topics_and_groups_are_listed_with_sizes_and_lag(broker):
    run(broker, "produce", "listed", stdin="x\n" * 30)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "slow",
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe(["listed"])
    message = tailrace.wait_until(lambda: consumer.poll(0.5), "a record")
    consumer.commit(message, asynchronous=False)
    consumer.close()
    listed = {row["topic"]: row for row in rows(broker, "topics")}["listed"]
    assert (listed["partitions"], listed["records"]) == (4, 30) and listed["bytes"] > 30
    assert sum(row["end"] for row in rows(broker, "topics", "listed")) == 30
    [committed] = rows(broker, "groups", "slow")
    assert committed["committed"] == 1 and committed["lag"] == committed["end"] - 1
    [group] = [row for row in rows(broker, "groups") if row["group"] == "slow"]
    assert group["lag"] == committed["lag"] and group["type"] == "classic"


def test_a_broker_that_is_not_there_is_one_line_that_says_what_to_do(tmp_path):
    done = subprocess.run([tailrace.PROGRAM, "topics", "--broker", "127.0.0.1:1"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 1 and "no broker at 127.0.0.1:1" in done.stderr and "tailrace broker" in done.stderr
    assert len(done.stderr.splitlines()) == 1
