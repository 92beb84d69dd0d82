"""Share groups through Kafka's own KafkaShareConsumer and Admin: the same life on real Kafka and on our broker, and
Kafka's DumpLogSegments reads what our broker kept of it."""
import pathlib
import re
import subprocess

import kafka_wire
import pytest
import tailrace
from broker import Broker
from kafka_side import JARS, RealKafka, java
from test_share_groups import Member, prepared

pytestmark = pytest.mark.skipif(not JARS, reason="TAILRACE_KAFKA_JARS names no folder of Kafka's jars")

LIFE = pathlib.Path(__file__).parent / "kafka_share" / "ShareLife.java"
SETTINGS = {"group.share.min.record.lock.duration.ms": 1000}


def live(address):
    """The lines that ShareLife says of its life on a broker."""
    done = subprocess.run(java(LIFE, address), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return [line for line in done.stdout.splitlines() if line.startswith("> ")]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("ours"), *(f"{name}={value}" for name, value in SETTINGS.items())).start()
    yield started, live(started.address)
    started.kill()


def test_java_share_consumers_see_the_same_of_both(ours, tmp_path):
    real = RealKafka(tmp_path, **SETTINGS).start()
    try:
        assert live(real.address) == ours[1]
    finally:
        real.stop()
    assert "> crowd saw 5000" in ours[1] and "> auditors saw [t0, t2, t4]" in ours[1]


def acquired(broker, name):
    """What a new member is given, once the coordinators serve: real Kafka's begin when they are asked for."""
    def first():
        asked = kafka_wire.Connection(broker.address).ask("FindCoordinator", KeyType=0, CoordinatorKeys=["workers"])
        if asked["Coordinators"][0]["ErrorCode"]:
            return None
        member = Member(broker, "jobs", name)
        got, _ = member.fetch(wait_ms=1000)
        return (member, got) if got and isinstance(got, list) else None

    def given():
        try:
            return first()
        except AssertionError:  # not yet its coordinator
            return None

    return tailrace.wait_until(given, f"records for {name}")


@pytest.mark.parametrize("kind", [RealKafka, Broker])
def test_what_members_had_when_the_broker_ended_was_not_delivered(kind, tmp_path):
    broker = kind(tmp_path).start()
    try:
        prepared(broker, [b"x"] * 10)
        holder, got = acquired(broker, "A" * 22)
        assert got == [(0, 9, 1)]
        for name, end in (("B" * 22, broker.stop), ("C" * 22, broker.kill), ("D" * 22, broker.stop)):
            end()
            broker.start()
            holder, got = acquired(broker, name)
            assert got == [(0, 9, 1)], end
    finally:
        broker.kill()


def dump(folder, topic, decoder):
    files = [str(path) for path in sorted(folder.glob(f"log/{topic}-*/*.log")) if path.stat().st_size]
    done = subprocess.run(java("org.apache.kafka.tools.DumpLogSegments", decoder, "--files", ",".join(files)),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return re.findall(r" key: (.*) payload: (.*)", done.stdout)


def test_kafkas_dump_reads_the_state_of_share_groups(ours):
    records = dump(ours[0].data, "__share_group_state", "--share-group-state-decoder")
    kinds = {re.search(r'"type":"(\d+)"', key).group(1) for key, _ in records}
    assert kinds == {"0", "1"}, records[:5]
    done = set()
    for key, value in records:
        if '"groupId":"leavers"' in key:
            found = re.findall(r'"firstOffset":(\d+),"lastOffset":(\d+),"deliveryState":2', value)
            done |= {offset for first, last in found for offset in range(int(first), int(last) + 1)}
    assert done == {0, 1, 2}, records[:5]


def test_kafkas_dump_reads_the_members_of_share_groups(ours):
    records = dump(ours[0].data, "__consumer_offsets", "--offsets-decoder")
    kinds = {re.search(r'"type":"(\d+)"', key).group(1) for key, _ in records if '"crowd"' in key}
    assert kinds == {"10", "11", "12", "13", "14", "15"}, records[:5]
