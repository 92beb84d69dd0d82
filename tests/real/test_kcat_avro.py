"""kcat with `-s value=avro` reads what a source of ours wrote, with schemas that it gets from our registry.

Debian's kcat is built without Avro: TAILRACE_KCAT_AVRO is one that was built with libserdes and avro-c."""
import io
import json
import os
import subprocess
import urllib.request

import fastavro
import pytest
import tailrace
from confluent_kafka import Consumer

KCAT = os.environ.get("TAILRACE_KCAT_AVRO", "")
pytestmark = pytest.mark.skipif(not KCAT, reason="TAILRACE_KCAT_AVRO is not set: a kcat that was built with Avro")
COUNT = 500
SETTINGS = {
    "topics": {"users": {"format": "avro", "partitions": 1}},
    "ingest": [{"name": "people", "topic": "users", "key": "$.login.uuid", "use": "fake",
                "fake": {"kind": "random_user", "seed": 5, "first": COUNT, "rate": 1, "limit": COUNT}}],
}
SQL = "CREATE STREAMING TABLE users_raw AS SELECT value.*, offset FROM STREAM users;\n"


def read_by_kcat(project):
    done = subprocess.run([KCAT, "-b", project.kafka(), "-C", "-e", "-q", "-t", "users", "-s", "value=avro",
                           "-r", project.run_file()["registry"]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def read_by_fastavro(project):
    """The same records in Avro's own JSON: a union's value is told with its type."""
    reader = Consumer({"bootstrap.servers": project.kafka(), "group.id": "by-fastavro",
                       "auto.offset.reset": "earliest"})
    reader.subscribe(["users"])
    schemas, rows = {}, []
    while len(rows) < COUNT:
        message = reader.poll(30)
        assert message is not None and message.error() is None, message and message.error()
        data = message.value()
        number = int.from_bytes(data[1:5], "big")
        if number not in schemas:
            with urllib.request.urlopen(f"{project.run_file()['registry']}/schemas/ids/{number}") as answer:
                schemas[number] = fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
        row = fastavro.schemaless_reader(io.BytesIO(data[5:]), schemas[number])
        out = io.StringIO()
        fastavro.json_writer(out, schemas[number], [row])
        rows.append(json.loads(out.getvalue()))
    reader.close()
    return rows


def test_kcat_reads_the_records_of_a_source_by_their_schema(tmp_path):
    project = tailrace.with_sql(tmp_path, SQL, json.dumps(SETTINGS)).start()
    tailrace.wait_until(lambda: project.hops()["appended.users"]["count"] == COUNT, "the records")
    read = read_by_kcat(project)
    assert len(read) == COUNT
    assert read == read_by_fastavro(project)
    project.stop()
