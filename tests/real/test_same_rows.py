"""One project, two engines, same rows: the example run by tailrace --once, then by real Spark from the same records."""
import datetime
import json
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import tailrace  # noqa: E402
from records import lines, user  # noqa: E402

JARS = os.environ.get("TAILRACE_SPARK_JARS", "")
TABLES = ["users_raw", "users_clean", "users", "users_by_country_gender", "signups_per_minute", "age_by_nationality",
          "top_cities", "latest_users"]


def comparable(folder):
    from deltalake import DeltaTable

    def cell(value):
        if isinstance(value, datetime.datetime):
            return value.astimezone(datetime.timezone.utc).isoformat()
        return repr(value)

    rows = DeltaTable(str(folder)).to_pyarrow_table().to_pylist()
    return sorted(tuple((name, cell(row[name])) for name in sorted(row)) for row in rows)


def odd(number):
    """Records that each expectation and each odd cast meets."""
    return [
        user(number, login={"uuid": None, "username": "x"}), user(number + 1, email="nobody"),
        user(number + 2, dob={"date": "no date", "age": 150}), user(number + 3, gender=" FEMALE "),
        user(number + 4, registered={"date": "2026-01-02"}), user(number + 5, picture={"medium": "m.jpg"}),
        user(number + 6, location={"city": "Nowhere"}, nat=None), {},
    ]


def letters(project):
    """Dead letters of silver as the quarantine table has them: partition, offset → reason."""
    rows = project.sql("SELECT partition, offset, reason FROM system.dead_letters WHERE flow = 'users_clean'")
    return sorted((r["partition"], r["offset"], r["reason"].removeprefix("expectation ")) for r in rows)


@pytest.mark.smoke
@pytest.mark.skipif(not JARS, reason="TAILRACE_SPARK_JARS is not set; tests/real/spark_env.sh prints it")
def test_every_table_has_the_same_rows_on_spark(tmp_path, monkeypatch):
    from deltalake import DeltaTable

    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(lines([*range(500), *range(0, 500, 10)]))
    (inbox / "b.jsonl").write_text("".join(json.dumps(record) + "\n" for record in odd(1000)))
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox)))
    project.once()

    monkeypatch.setenv("TAILRACE_PYTHON", sys.executable)
    out = tmp_path / "spark"
    import subprocess
    done = subprocess.run([tailrace.PROGRAM, "spark", project.folder, "--data", project.data, "--out", out],
                          capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for table in TABLES:
        ours, theirs = comparable(project.data / "lake" / table), comparable(out / "warehouse" / table)
        assert ours == theirs, f"{table}: {len(ours)} rows here, {len(theirs)} on Spark; " \
                               f"{[r for r in ours if r not in set(theirs)][:2]} against " \
                               f"{[r for r in theirs if r not in set(ours)][:2]}"
    quarantine = DeltaTable(str(out / "warehouse" / "users_clean__quarantine")).to_pyarrow_table().to_pylist()
    assert letters(project) == sorted((r["source_partition"], r["source_offset"], r["reason"]) for r in quarantine)
