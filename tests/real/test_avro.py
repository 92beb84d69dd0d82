"""Avro for Java says of random schemas and records what our code says of them.

tests/schema/avro_cases.cc makes the cases and our answers; tests/real/avro/*.java say the same with Avro's own classes.
TAILRACE_AVRO_PAIRS and TAILRACE_AVRO_RECORDS say how many (100,000 and 50,000), TAILRACE_AVRO_SEED which.
"""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = os.environ.get("AVRO_CASES", ROOT / "build" / "tests" / "schema" / "avro_cases")
JARS = os.environ.get("TAILRACE_AVRO_JARS", "")
SEED = os.environ.get("TAILRACE_AVRO_SEED", "1")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    if not JARS:
        pytest.skip("TAILRACE_AVRO_JARS is not set; tests/real/kafka_env.sh prints it")
    folder = tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-d", folder, "-cp", f"{JARS}/*", *(ROOT / "tests" / "real" / "avro").glob("*.java")],
                   check=True)
    return folder


def cases(kind, count, path):
    with open(path, "wb") as out:
        subprocess.run([CASES, kind, str(count), SEED], stdout=out, check=True)


def java(classes, name, path):
    with open(path, "rb") as lines:
        return subprocess.run(["java", "-Xmx1g", "-cp", f"{classes}:{JARS}/*", name], stdin=lines, capture_output=True,
                              text=True, check=True)


def counts(text):
    """"same 3 different 0" → {"same": 3, "different": 0}, of the last line."""
    return {name: int(count) for name, count in re.findall(r"([a-z ]+?) (\d+)\s?", text.strip().splitlines()[-1])}


def test_java_says_the_same_of_every_pair_of_schemas(classes, tmp_path):
    """Whether both are schemas, the canonical text, the parsing form and fingerprint of the reader, and every
    incompatibility with type, location and detail, in order."""
    count = int(os.environ.get("TAILRACE_AVRO_PAIRS", "100000"))
    cases("pairs", count, tmp_path / "pairs")
    said = java(classes, "AvroPairs", tmp_path / "pairs").stdout
    found = counts(said)
    assert found["different"] == 0, said
    assert found["same"] > count * 0.999
    assert min(found["compatible"], found["incompatible"], found["refused"]) > count / 10, found


def test_java_reads_the_same_of_every_record_and_we_read_javas(classes, tmp_path):
    """A record resolved to another schema and written again, by both, is the same bytes; and so it is when Java
    wrote the record, in blocks."""
    count = int(os.environ.get("TAILRACE_AVRO_RECORDS", "50000"))
    cases("records", count, tmp_path / "records")
    done = java(classes, "AvroRecords", tmp_path / "records")
    found = counts(done.stderr)
    assert found["different"] == 0, done.stderr[-20000:]
    assert found["same"] > count * 0.95
    (tmp_path / "javas").write_text(done.stdout)
    with open(tmp_path / "javas", "rb") as lines:
        read = subprocess.run([CASES, "read"], stdin=lines, capture_output=True, text=True)
    assert counts(read.stdout) == {"same": count, "different": 0}, read.stdout[-20000:]
