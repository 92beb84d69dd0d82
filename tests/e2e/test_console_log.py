"""What the console says of topics, records and groups, held against what foreign clients wrote and are told."""
import json
import urllib.parse

import confluent_kafka
import pytest
import tailrace
from broker import Broker
from confluent_kafka import AcknowledgeType, ConsumerGroupTopicPartitions, ShareConsumer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic,
                                   ResourceType)
from records import lines
from streams_member import Member, word_count
from test_console_api import ask, check


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    (folder / "input").mkdir()
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input"))).start()
    yield made
    made.stop()


def get(project, path, target):
    status, kind, body = ask(project, "GET", target)
    check(path, "GET", status, kind, body)
    assert status == 200, body
    return body


def topic_of(project, name):
    return get(project, "/api/topics/{name}", f"/api/topics/{name}")


def group_of(project, name):
    return get(project, "/api/groups/{name}", f"/api/groups/{urllib.parse.quote(name, safe='')}")


def records_of(project, topic, **params):
    return get(project, "/api/topics/{name}/records", f"/api/topics/{topic}/records?{urllib.parse.urlencode(params)}")


def create(project, name, partitions=1, **config):
    admin = AdminClient({"bootstrap.servers": project.kafka()})
    admin.create_topics([NewTopic(name, partitions, config=config)])[name].result(20)
    return admin


def producer_of(project, **more):
    return confluent_kafka.Producer({"bootstrap.servers": project.kafka(), **more})


def test_a_topic_has_the_partitions_offsets_and_settings_that_clients_are_told(project):
    create(project, "described", 3, **{"retention.ms": "3600000", "cleanup.policy": "compact"})
    producer = producer_of(project)
    for n in range(60):
        producer.produce("described", f"{n}", key=str(n))
    producer.flush(20)
    detail = topic_of(project, "described")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "looker"})
    for partition in detail["partitions"]:
        told = consumer.get_watermark_offsets(TopicPartition("described", partition["id"]))
        assert (partition["start"], partition["end"]) == told
    consumer.close()
    assert detail["settings"] == [{"name": "cleanup.policy", "value": "compact"},
                                  {"name": "retention.ms", "value": "3600000"}]
    [listed] = [t for t in get(project, "/api/topics", "/api/topics")["topics"] if t["name"] == "described"]
    assert (listed["partitions"], listed["records"], listed["internal"]) == (3, 60, False)
    assert listed["bytes"] == sum(p["bytes"] for p in detail["partitions"]) > 600


def test_a_rate_is_what_was_appended_between_two_looks(project):
    create(project, "fast")
    assert topic_of(project, "fast")["info"]["records_per_s"] == 0
    producer = producer_of(project)
    for n in range(500):
        producer.produce("fast", "x" * 100)
    producer.flush(20)
    tailrace.wait_until(lambda: topic_of(project, "fast")["info"]["records_per_s"] > 0, "a rate")
    tailrace.wait_until(lambda: topic_of(project, "fast")["info"]["records_per_s"] == 0, "no rate")


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_are_shown_as_they_were_sent(project, compression):
    topic = f"shown-{compression}"
    create(project, topic)
    producer = producer_of(project, **{"compression.type": compression})
    sent = [(None, b"plain text"), (b"k", '{"n": 9007199254740993, "é": "ü"}'.encode()), (b"\x00\x01", b"\xff\xfe\x00"),
            (b"gone", None), (b"", b""), (b"long", b"x" * 5000)]
    for key, value in sent:
        producer.produce(topic, value, key, headers=[("a", b"1"), ("a", b"\xff"), ("none", None)],
                         timestamp=1234567890123)
    producer.flush(20)
    page = records_of(project, topic)
    assert (page["start"], page["end"], page["cut"]) == (0, 6, False)

    def bytes_of(shown):
        if shown is None:
            return None
        return shown["text"].encode() if shown["is_text"] else bytes.fromhex(shown["hex"])
    got = [(bytes_of(r.get("key")), bytes_of(r.get("value"))) for r in page["records"]]
    assert got == [(key, value and value[:4096]) for key, value in sent]
    assert page["records"][5]["value"]["size_bytes"] == 5000
    for offset, record in enumerate(page["records"]):
        assert (record["offset"], record["time_ms"]) == (offset, 1234567890123)
        assert [(h["key"], bytes_of(h.get("value"))) for h in record["headers"]] == [
            ("a", b"1"), ("a", b"\xff"), ("none", None)]


def test_the_newest_are_found_behind_markers_and_from_an_offset_they_go_on(project):
    create(project, "newest")
    for n in range(40):
        producer = producer_of(project, **{"transactional.id": "one"}) if n == 0 else producer
        if n == 0:
            producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce("newest", f"{n}")
        producer.commit_transaction(20)
    newest = records_of(project, "newest", limit=30)
    assert [record["value"]["text"] for record in newest["records"]] == [str(n) for n in range(10, 40)]
    assert newest["end"] == 80
    some = records_of(project, "newest", offset=10, limit=5)
    assert [record["offset"] for record in some["records"]] == [10, 12, 14, 16, 18]
    assert records_of(project, "newest", offset=80)["records"] == []


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_has_the_members_offsets_and_lag_that_an_admin_is_told(project, protocol):
    topic, group = f"read-{protocol}", f"group/of {protocol} é"
    admin = create(project, topic, 2)
    producer = producer_of(project)
    for n in range(50):
        producer.produce(topic, f"{n}", partition=n % 2)
    producer.flush(20)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": group, "client.id": "c1",
                                         "group.protocol": protocol, "auto.offset.reset": "earliest",
                                         "enable.auto.commit": False})
    consumer.subscribe([topic])
    for _ in range(7):
        message = tailrace.wait_until(lambda: consumer.poll(0.5), "a record")
        consumer.commit(message, asynchronous=False)
    consumer.pause(consumer.assignment())
    [asked] = admin.describe_consumer_groups([group]).values()
    told, shown = asked.result(20), group_of(project, group)
    assert shown["info"]["state"].upper() == told.state.name and shown["info"]["type"] == protocol
    assert [(m["id"], m["client_id"], m["host"]) for m in shown["members"]] == [
        (m.member_id, m.client_id, m.host) for m in told.members]
    assert shown["members"][0]["assigned"] == sorted(
        f"{p.topic}-{p.partition}" for p in told.members[0].assignment.topic_partitions)
    [offsets] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    committed = {p.partition: p.offset for p in offsets.result(20).topic_partitions}
    rows = {row["partition"]: row for row in shown["offsets"]}
    assert set(rows) == {0, 1}
    for partition, row in rows.items():
        assert row["committed"] == committed.get(partition, -1) and row["end"] == 25 and row["member"] == "c1"
        assert row["lag"] == (25 - committed[partition] if partition in committed else -1)
    assert shown["info"]["lag"] == sum(max(0, row["lag"]) for row in rows.values()) > 0
    [listed] = [g for g in get(project, "/api/groups", "/api/groups")["groups"] if g["name"] == group]
    assert listed == shown["info"]
    [reader] = topic_of(project, topic)["readers"]
    assert reader == {"group": group, "state": shown["info"]["state"], "lag": shown["info"]["lag"]}
    consumer.close()
    tailrace.wait_until(lambda: group_of(project, group)["members"] == [], "nobody in the group")
    assert group_of(project, group)["info"]["lag"] == shown["info"]["lag"]


def test_how_the_lag_moved_is_kept(project):
    create(project, "moving")
    producer = producer_of(project)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "mover",
                                         "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition("moving", 0, 0)], asynchronous=False)

    def newest():
        history = group_of(project, "mover")["lag_history"]
        return history[-1]["lag"] if history else None
    tailrace.wait_until(lambda: newest() == 0, "a sample")
    for n in range(30):
        producer.produce("moving", str(n))
    producer.flush(20)
    tailrace.wait_until(lambda: newest() == 30, "a sample of 30")
    consumer.commit(offsets=[TopicPartition("moving", 0, 30)], asynchronous=False)
    tailrace.wait_until(lambda: newest() == 0, "a sample of 0")
    times = [sample["time_ms"] for sample in group_of(project, "mover")["lag_history"]]
    assert times == sorted(times)
    consumer.close()


def test_an_offset_of_a_deleted_topic_is_gone_and_not_an_error(project):
    admin = create(project, "doomed")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "widow"})
    producer = producer_of(project)
    producer.produce("doomed", "x")
    producer.flush(20)
    consumer.commit(offsets=[TopicPartition("doomed", 0, 1)], asynchronous=False)
    admin.delete_topics(["doomed"])["doomed"].result(20)
    assert ask(project, "GET", "/api/topics/doomed")[0] == 404
    assert all(row["end"] == -1 and row["lag"] == -1 for row in group_of(project, "widow")["offsets"])
    consumer.close()


def test_a_share_group_has_what_its_members_hold_and_how_often_it_was_delivered(project):
    admin = create(project, "jobs", 2)
    earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.GROUP, "pickers", incremental_configs=[earliest])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(20)
    producer = producer_of(project)
    for value in (b"good", b"bad", b"again", b"again"):
        producer.produce("jobs", value, partition=1)
        producer.flush(20)
    sharer = ShareConsumer({"bootstrap.servers": project.kafka(), "group.id": "pickers", "client.id": "p1",
                            "share.acknowledgement.mode": "explicit"})
    sharer.subscribe(["jobs"])
    fate = {b"good": AcknowledgeType.ACCEPT, b"bad": AcknowledgeType.REJECT, b"again": AcknowledgeType.RELEASE}
    held = []
    while len(held) < 2:
        messages = list(sharer.poll(1.0))
        held += [message for message in messages if message.delivery_count() == 2]
        for message in messages:
            if message.delivery_count() == 1:
                sharer.acknowledge(message, fate[message.value()])
        if not held:
            sharer.commit_sync()
    shown = group_of(project, "pickers")
    assert (shown["info"]["type"], shown["info"]["state"], shown["info"]["topics"]) == ("share", "Stable", ["jobs"])
    [member] = shown["members"]
    assert member["client_id"] == "p1" and member["assigned"] == ["jobs-0", "jobs-1"]
    [_, offset] = shown["offsets"]
    assert (offset["partition"], offset["end"], offset["lag"]) == (1, 4, 2)
    assert offset["committed"] <= 2  # what is kept of it moves with the next fate that is kept, as Kafka's does
    assert offset["in_flight"] == [{"first": 2, "last": 3, "state": "acquired", "delivery_count": 2,
                                    "member": member["id"]}]
    assert shown["info"]["lag"] == 2
    sharer.close()

    def given_back():
        [_, offset] = group_of(project, "pickers")["offsets"]
        return [(one["first"], one["last"], one["state"], one["member"]) for one in offset["in_flight"]] == [
            (2, 3, "available", "")]

    tailrace.wait_until(given_back, "what the member had is available again")
    assert group_of(project, "pickers")["members"] == []
    done = project.command("groups", "pickers", "--json", "--broker", project.kafka())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["partition"], row["committed"], row["lag"]) for row in rows][1] == (1, 2, 2), done.stdout


def test_a_streams_group_has_its_members_tasks(project):
    create(project, "text", 2)
    one, other = (Member(project.kafka(), "counters", name, word_count("text")) for name in "ab")

    def settled():
        return all(member.beat()["ErrorCode"] == 0 for member in (one, other)) and all(
            len(member.tasks()) == 2 for member in (one, other))

    tailrace.wait_until(settled, "tasks for both")
    shown = {member["id"]: member for member in group_of(project, "counters")["members"]}
    for member in (one, other):
        tasks = {tuple(task.split("_")) for task in shown[member.name]["active_tasks"]}
        assert tasks == {(part, str(partition)) for part, partition in member.tasks()}
        assert {f"text-{partition}" for part, partition in member.tasks() if part == "0"} <= set(
            shown[member.name]["assigned"])
        assert shown[member.name]["standby_tasks"] == shown[member.name]["warmup_tasks"] == []
    done = project.command("groups", "counters", "--members", "--json", "--broker", project.kafka())
    rows = {row["member"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert {name: row["active"] for name, row in rows.items()} == {
        name: ", ".join(member["active_tasks"]) for name, member in shown.items()}, done.stdout


@pytest.mark.parametrize("protocol", ["classic", "consumer", "share"])
def test_the_members_of_a_group_are_listed_with_what_they_read(project, protocol):
    topic, group = f"members-{protocol}", f"members of {protocol}"
    admin = create(project, topic, 2)
    settings = {"bootstrap.servers": project.kafka(), "group.id": group, "client.id": "c1"}
    if protocol == "share":
        consumer = ShareConsumer(settings)
    else:
        consumer = confluent_kafka.Consumer(settings | {"group.protocol": protocol, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])

    def rows():
        list(consumer.poll(0.1) or []) if protocol == "share" else consumer.poll(0.1)
        done = project.command("groups", group, "--members", "--json", "--broker", project.kafka())
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [row for row in found if row["assigned"]]

    [row] = tailrace.wait_until(rows, "a member with partitions")
    assert (row["group"], row["type"], row["client"], row["assigned"]) == (
        group, protocol, "c1", f"{topic}-0, {topic}-1")
    if protocol == "consumer":
        [told] = admin.describe_consumer_groups([group]).values()
        assert row["member"] == told.result(20).members[0].member_id
    text = project.command("groups", group, "--members", "--broker", project.kafka()).stdout
    assert text.splitlines()[0].split() == ["member", "client", "host", "assigned"] and f"{topic}-1" in text
    consumer.close()


def test_a_log_on_another_kafka_has_its_topics_and_records_here_and_says_where_its_groups_are(tmp_path):
    (tmp_path / "broker").mkdir()
    broker = Broker(tmp_path / "broker").start()
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.jsonl").write_text(lines(range(40)))
    settings = json.loads(tailrace.settings(tailrace.files_from(tmp_path / "input")))
    settings["roles"] = {"log": f"kafka://{broker.address}"}
    project = tailrace.Project(tmp_path, settings=json.dumps(settings)).start()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 40, "the users", 120)
    detail = topic_of(project, "users_created")
    assert sum(p["end"] - p["start"] for p in detail["partitions"]) >= 40
    newest = records_of(project, "users_created", partition=0, limit=5)
    ends = {p["id"]: p["end"] for p in detail["partitions"]}
    assert 0 < len(newest["records"]) <= 5 and newest["records"][-1]["offset"] < ends[0]
    assert all(json.loads(record["value"]["text"])["login"]["uuid"] for record in newest["records"])
    groups = get(project, "/api/groups", "/api/groups")
    assert groups["groups"] == [] and broker.address in groups["unseen"]
    assert ask(project, "GET", "/metrics")[0] == 200
    project.stop()
    broker.stop()
