"""Kafka's own DumpLogSegments reads the files of transactional and compacted partitions.

tests/log/life_writer.cc writes them and says what is in them; the tool must say the same of every batch, aborted
transaction and producer, and find no index that disagrees with its records.
"""
import os
import pathlib
import re
import subprocess

import pytest
from kafka_side import JARS, java

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = os.environ.get("LIFE_WRITER", ROOT / "build" / "tests" / "log" / "life_writer")

BATCH = re.compile(r"baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .*deleteHorizonMs: "
                   r"OptionalLong(?:\[(\d+)\]|\.empty).* isvalid: (true|false)")
ABORTED = re.compile(r"version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)")
PRODUCER = re.compile(r"producerId: (\d+) producerEpoch: (\d+) coordinatorEpoch: (-?\d+) currentTxnFirstOffset: "
                      r"OptionalLong(?:\[(\d+)\]|\.empty)(?:.*lastSequence: (\d+))?")


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """The folder, and what its writer says of it."""
    if not JARS:
        pytest.skip("TAILRACE_KAFKA_JARS names no jars of Kafka")
    folder = tmp_path_factory.mktemp("life") / "log"
    said = subprocess.run([WRITER, folder], capture_output=True, text=True, check=True).stdout
    return folder, said


@pytest.fixture(scope="module")
def dump(life):
    """What Kafka's tool says: file name with its topic → lines."""
    files = sorted(path for path in life[0].glob("*-0/*") if path.suffix != ".tmp")
    done = subprocess.run(java("org.apache.kafka.tools.DumpLogSegments", "--print-data-log", "--files",
                               ",".join(map(str, files))), capture_output=True, text=True, check=True)
    found, lines = {}, []
    for line in done.stdout.splitlines():
        if line.startswith("Dumping "):
            path = pathlib.Path(line.removeprefix("Dumping "))
            lines = found.setdefault(f"{path.parent.name}/{path.name}", [])
        else:
            lines.append(line)
    assert len(found) == len(files)
    return found, done.stdout + done.stderr


def lines_of(dump, topic, suffix):
    return [line for name, lines in sorted(dump[0].items()) for line in lines
            if name.startswith(topic + "-0/") and name.endswith(suffix)]


@pytest.mark.parametrize("topic", ["ledger", "keyed"])
def test_every_batch_is_read_with_its_offsets_count_and_horizon(life, dump, topic):
    said = re.findall(rf"^{topic} batch (\d+) (\d+) count (\d+) horizon (-?\d+)$", life[1], re.MULTILINE)
    found = [match.groups() for match in map(BATCH.match, lines_of(dump, topic, ".log")) if match]
    assert [(*batch[:3], batch[3] or "-1") for batch in found] == said
    assert {batch[4] for batch in found} == {"true"}
    horizons = {batch[3] for batch in said} - {"-1"}
    assert bool(horizons) == (topic == "keyed")


@pytest.mark.parametrize("topic", ["ledger", "keyed"])
def test_every_aborted_transaction_is_read(life, dump, topic):
    said = re.findall(rf"^{topic} aborted (\d+) (\d+) (\d+) (\d+)$", life[1], re.MULTILINE)
    found = [match.groups() for match in map(ABORTED.match, lines_of(dump, topic, ".txnindex")) if match]
    assert found == said and len(found) >= 5


@pytest.mark.parametrize("topic", ["ledger", "keyed"])
def test_the_newest_snapshot_has_every_producer(life, dump, topic):
    said = re.findall(rf"^{topic} producer (\d+) epoch (\d+) sequence (-?\d+) coordinator (-?\d+) open (-?\d+)$",
                      life[1], re.MULTILINE)
    newest = max(name for name in dump[0] if name.startswith(topic + "-0/") and name.endswith(".snapshot"))
    found = [match.groups() for match in map(PRODUCER.match, dump[0][newest]) if match]
    assert [(p[0], p[1], p[4] or "-1", p[2], p[3] or "-1") for p in found] == said and len(found) == 5


def test_every_marker_and_tombstone_is_read(dump):
    text = "\n".join(lines_of(dump, "ledger", ".log"))
    assert text.count("endTxnMarker: ABORT coordinatorEpoch: 3") == 19
    assert text.count("endTxnMarker: COMMIT coordinatorEpoch: 3") == 54
    assert "payload: value" in text


def test_no_index_disagrees_with_its_records(dump):
    complaints = re.findall(r".*(?:[Mm]ismatch|out of order|sanity|not found|corrupt|invalid bytes).*", dump[1])
    assert complaints == []
