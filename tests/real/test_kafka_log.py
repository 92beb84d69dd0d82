"""The example with its log on a real Kafka: the same rows as on the log on files, whatever is killed in between."""
import collections
import json
import re

import confluent_kafka
import kafka_side
import oracle
import pytest
import tailrace
import test_refresh
from broker import Broker

TABLES = ("users_raw", "users_clean", "users", "users_by_country_gender", "age_by_nationality", "top_cities")
# What no two runs have alike: the time of the append, and offsets, which transactions' markers take some of.
OF_THE_RUN = {"offset", "timestamp", "source_offset", "source_timestamp", "created_at"}
RECORDS = 3000


EVERY_KIND = pytest.mark.parametrize("kafka", [kafka_side.RealKafka, pytest.param(
    kafka_side.KafkaOnZooKeeper, marks=pytest.mark.skipif(
        not kafka_side.ZOOKEEPER_JARS, reason="TAILRACE_KAFKA39_JARS names no folder of jars"))], indirect=True)


@pytest.fixture
def kafka(tmp_path, request):
    (tmp_path / "kafka").mkdir()
    broker = getattr(request, "param", kafka_side.RealKafka)(tmp_path / "kafka").start()
    yield broker
    if broker.process.poll() is None:
        broker.kill()


def example(folder, log, limit=RECORDS, rate=100000, first=None):
    """The example itself, but for the URL of its log and an end."""
    folder.mkdir()
    project = tailrace.Project(folder)
    text = (project.folder / "tailrace.yml").read_text()
    for before, after in (("log: embedded", f"log: {log}"), ("limit: none", f"limit: {limit}"),
                          ("rate: 50", f"rate: {rate}"), ("every: 5s", "every: 300ms")):
        assert before in text, before
        text = text.replace(before, after, 1)
    if first is not None:
        text = text.replace("first: 1000", f"first: {first}")
    (project.folder / "tailrace.yml").write_text(text)
    return project


def timeless(rows):
    return collections.Counter(
        json.dumps({name: value for name, value in row.items() if name not in OF_THE_RUN}, default=str, sort_keys=True)
        for row in rows)


def records_of(project):
    """The records of the bronze table, as oracle.py takes them."""
    return [(row["key"], row["value"], row["partition"], row["offset"], int(row["timestamp"].timestamp() * 1000 + .5))
            for row in project.lake("users_raw")]


def assert_same_tables(project, embedded):
    for table in TABLES:
        ours, theirs = timeless(project.lake(table)), timeless(embedded.lake(table))
        assert ours == theirs, (table, list((ours - theirs).items())[:3], list((theirs - ours).items())[:3])
    places = [(row["partition"], row["offset"]) for row in project.lake("users_raw")]
    assert len(set(places)) == len(places)
    # What depends on the run's own offsets and times: from its records, by a third opinion.
    right = oracle.tables(records_of(project))
    for table in ("users", "users_clean", "latest_users"):
        got = collections.Counter(json.dumps(row, default=str, sort_keys=True) for row in project.lake(table))
        want = collections.Counter(json.dumps(row, default=str, sort_keys=True) for row in right[table])
        assert got == want, (table, list((got - want).items())[:2], list((want - got).items())[:2])


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    project = example(tmp_path_factory.mktemp("embedded") / "run", "embedded", first=RECORDS)
    project.once()
    return project


def served(project):
    return project.hops()["served.created_users"]["count"]


def finished(project, rows):
    return project.ended() or (served(project) == rows and len(project.lake("users_raw")) >= RECORDS)


@pytest.mark.smoke
@EVERY_KIND
def test_the_example_gives_the_same_rows(tmp_path, kafka, embedded):
    once = example(tmp_path / "once", f"kafka://{kafka.address}", first=RECORDS)
    once.once()
    assert_same_tables(once, embedded)
    said = kafka_side.tool(kafka.address, "TopicCommand --bootstrap-server @ --describe --topic users_created")
    assert "PartitionCount: 2" in said.lines[0] and "retention.ms=604800000" in said.lines[0], said


@EVERY_KIND
def test_nothing_is_lost_or_doubled_by_kills_of_us_and_of_the_broker(tmp_path, kafka, embedded):
    project = example(tmp_path / "killed", f"kafka://{kafka.address}", first=100, rate=150)
    rows = len(embedded.lake("users"))
    for seen in (300, 700, 1100):
        project.start()
        tailrace.wait_until(lambda: project.hops()["fetched.random_users"]["count"] >= seen, "records")
        project.kill()
    project.start()
    tailrace.wait_until(lambda: project.hops()["fetched.random_users"]["count"] >= 1300, "records")
    kafka.kill()
    hop = tailrace.wait_until(lambda: project.hops()["appended.users_created"]["last_error"], "the hop says so")
    assert re.match(rf"kafka://{kafka.address} is not reachable: .*[Cc]onnect", hop), hop
    kafka.start()
    tailrace.wait_until(lambda: project.hops()["fetched.random_users"]["count"] >= 1900, "it goes on")
    kafka.stop()
    kafka.start()
    tailrace.wait_until(lambda: project.hops()["fetched.random_users"]["count"] >= 2300, "it goes on", 120)
    kafka.kill()
    project.kill()
    kafka.start()
    project.start()
    tailrace.wait_until(lambda: finished(project, rows), "all rows", 180)
    project.stop()
    assert_same_tables(project, embedded)


def test_the_example_gives_the_same_rows_on_our_own_broker(tmp_path, embedded):
    (tmp_path / "broker").mkdir()
    broker = Broker(tmp_path / "broker").start()
    project = example(tmp_path / "ours", f"kafka://{broker.address}", first=RECORDS)
    done = project.command("run", project.folder, "--data", project.data, "--once")
    assert done.returncode == 0, done.stderr
    assert_same_tables(project, embedded)
    broker.stop()


def test_of_two_with_one_id_the_older_is_shut_out(tmp_path, kafka):
    older = example(tmp_path / "older", f"kafka://{kafka.address}", limit="none", rate=50).start()
    tailrace.wait_until(lambda: older.hops()["appended.users_created"]["count"] > 1000, "records")
    younger = example(tmp_path / "younger", f"kafka://{kafka.address}", limit="none", rate=50).start()
    tailrace.wait_until(lambda: re.search("another tailrace writes to kafka://.* as `random_users` now",
                                          older.hops()["fetched.random_users"]["last_error"]), "the older says so")
    tailrace.wait_until(lambda: younger.hops()["appended.users_created"]["count"] > 2000, "the younger goes on")
    younger.stop()
    older.stop()


def ends(address, isolation):
    """Where the example's topic ends for somebody who reads at this isolation."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": "ends",
                                         "isolation.level": isolation})
    found = [consumer.get_watermark_offsets(confluent_kafka.TopicPartition("users_created", p), 10)[1] for p in (0, 1)]
    consumer.close()
    return found


def test_a_refresh_ends_whatever_transactions_a_topic_ends_with(tmp_path, kafka):
    settings = test_refresh.settings(tmp_path, roles={"log": f"kafka://{kafka.address}"})
    project = tailrace.Project(tmp_path, settings=settings).start()
    test_refresh.refresh_between_transactions(
        project, kafka.address, rounds=40,
        decided=lambda: ends(kafka.address, "read_committed") == ends(kafka.address, "read_uncommitted"))
    project.stop()


def refused(tmp_path, log):
    (tmp_path / "bad").mkdir(exist_ok=True)
    settings = {"roles": {"log": log}} | json.loads(tailrace.settings(tailrace.files_from(tmp_path)))
    project = tailrace.Project(tmp_path / "bad", settings=json.dumps(settings))
    done = project.command("check", project.folder, env={"PATH": "/bin", "SECRET_WORD": "hunter-two"})
    assert done.returncode != 0 and "hunter-two" not in done.stderr + done.stdout
    return done.stderr


@pytest.mark.parametrize("log, says", [
    ({"url": "kafka://h:1", "properties": {"securty.protocol": "ssl"}}, "no setting `securty.protocol`"),
    ({"url": "kafka://h:1", "properties": {"security.protocol": "${SECRET_WORD}"}}, "`security.protocol`"),
    ({"url": "kafka://h:1", "properties": {"transactional.id": "x"}}, "`transactional.id` cannot be set"),
    ("kafka://user@h:1", "sasl.username"), ("kafka://h:port", "a port is 1 to 65535"),
    ("http://h", "kafka://HOST:PORT"),
])
def test_a_setting_that_cannot_be_is_one_line_without_secrets(tmp_path, log, says):
    line = refused(tmp_path, log)
    assert says in line and len(line.strip().splitlines()) == 1, line
