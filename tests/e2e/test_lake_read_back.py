"""Delta tables written by the lake, read by delta-rs and DuckDB: every row as often as it must be there."""

import collections
import datetime
import decimal
import json
import os
import pathlib
import subprocess

import duckdb
import pytest
from deltalake import DeltaTable

WRITER = os.environ.get("LAKE_WRITER", "build/tests/lake/lake_writer")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake") / "table"
    out = subprocess.run([WRITER, str(folder)], check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    return folder, {row["id"]: row["times"] for row in rows if row["times"]}


def row_of(i):
    """What tests/lake/lake_writer.cc writes for id i."""
    seventh = i % 7 == 0
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return {
        "id": i, "flag": i % 2 == 0, "tiny": i % 100, "small": -(i % 1000), "int": 5 if seventh else i * 3,
        "real": i / 4, "double": i * 1.5e10, "money": decimal.Decimal(i * 12345 - 1000).scaleb(-4),
        "text": None if seventh else f'text ä"\\\n {i % 50}', "bytes": b"\0\xff" + str(i).encode(),
        "day": datetime.date(1970, 1, 1) + datetime.timedelta(days=i - 100),
        "at": epoch + datetime.timedelta(microseconds=i * 1_000_003 - 5_000_000),
        "point": {"x": i, "tags": ["tag"] * (i % 3)}, "counts": [("k", i)],
    }


def checked(rows, expected):
    counts = collections.Counter()
    for row in rows:
        if isinstance(row["counts"], dict):
            row["counts"] = list(row["counts"].items())
        assert row == row_of(row["id"])
        counts[row["id"]] += 1
    assert dict(counts) == expected


def arrow_table(table):
    return DeltaTable(str(table)).to_pyarrow_table()


def test_delta_rs_reads_every_row(written):
    folder, expected = written
    checked(arrow_table(folder).to_pylist(), expected)


def test_delta_rs_reads_it_from_the_log_alone(written, tmp_path):
    folder, expected = written
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    for checkpoint in list(pathlib.Path(copy, "_delta_log").glob("*checkpoint*")):
        checkpoint.unlink()
    checked(arrow_table(copy).to_pylist(), expected)


def test_delta_rs_reads_it_from_the_checkpoint_when_older_commits_are_gone(written, tmp_path):
    folder, expected = written
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    log = pathlib.Path(copy, "_delta_log")
    version = json.loads((log / "_last_checkpoint").read_text())["version"]
    for commit in log.glob("*.json"):
        if int(commit.stem) < version:
            commit.unlink()
    checked(arrow_table(copy).to_pylist(), expected)


def test_duckdb_reads_the_active_files(written):
    folder, expected = written
    files = DeltaTable(str(folder)).file_uris()
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'")
    found = connection.execute("select id, count(*) from read_parquet($1) group by id", [files]).fetchall()
    assert dict(found) == expected
    total = connection.execute("select sum(x) from (select point.x as x from read_parquet($1))", [files]).fetchone()[0]
    assert total == sum(i * times for i, times in expected.items())


def test_statistics_hold_every_value(written):
    folder, expected = written
    files = DeltaTable(str(folder)).get_add_actions(flatten=True)
    rows = files.to_pylist() if hasattr(files, "to_pylist") else [
        dict(zip(files.schema.names, values))
        for values in zip(*[files[name].to_pylist() for name in files.schema.names])]
    assert sum(row["num_records"] for row in rows) == sum(expected.values())
    assert min(row["min.id"] for row in rows) == min(expected)
    assert max(row["max.id"] for row in rows) == max(expected)


def test_filters_on_statistics_find_their_rows(written):
    folder, expected = written
    table = DeltaTable(str(folder)).to_pyarrow_dataset()
    import pyarrow.dataset as ds

    wanted = {i for i in expected if row_of(i)["text"] == row_of(51)["text"]}
    assert {row["id"] for row in table.to_table(filter=ds.field("text") == row_of(51)["text"]).to_pylist()} == wanted
    at = row_of(200)["at"]
    assert {row["id"] for row in table.to_table(filter=ds.field("at") == at).to_pylist()} == {200}


def test_delta_rs_writes_and_compacts_the_same_table(written, tmp_path):
    folder, expected = written
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    DeltaTable(str(copy)).optimize.compact()
    checked(arrow_table(copy).to_pylist(), expected)
