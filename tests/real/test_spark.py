"""One project, two engines, same rows: the example on `local[2]` and on a standalone master and worker."""
import contextlib
import json

import pytest
import spark_side
import tailrace
import topic_log
from orders_contract import CONTRACT, orders_project
from records import lines, user
from spark_side import assert_same, letters, needs_spark, rows, run_on_spark

TABLES = ["users_raw", "users_clean", "users", "users_by_country_gender", "signups_per_minute", "age_by_nationality",
          "top_cities", "latest_users"]
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MASTERS = [pytest.param("local", marks=pytest.mark.smoke), "standalone"]


def odd(number):
    """Records that each expectation and each odd cast meets."""
    return [
        user(number, login={"uuid": None, "username": "x"}), user(number + 1, email="nobody"),
        user(number + 2, dob={"date": "no date", "age": 150}), user(number + 3, gender=" FEMALE "),
        user(number + 4, registered={"date": "2026-01-02"}), user(number + 5, picture={"medium": "m.jpg"}),
        user(number + 6, location={"city": "Nowhere"}, nat=None), {},
    ]


def example(folder):
    inbox = folder / "input"
    inbox.mkdir()
    settings = tailrace.settings(tailrace.files_from(inbox), **{"retention.ms": -1})  # stamped records are old
    return inbox, tailrace.Project(folder, settings=settings)


def second(number):
    """Out of order by up to 7 s, which is inside the watermark's delay: two records a second."""
    return number / 2 - number * 3 % 8


def stamped(records, partitions=2):
    """Records of the topic, from (second of the event, record), as topic_log takes them."""
    return [(number % partitions, START_MS + int(at * 1000), None, json.dumps(record, ensure_ascii=False).encode())
            for number, (at, record) in enumerate(records)]


def two_parts():
    """Four minutes of users, and two more with late ones: of minutes that came out after the first part."""
    first = [(second(n), user(n)) for n in range(480)]
    odds = [(second(500 + n), record) for n, record in enumerate(odd(1000))]
    again = [(second(n), user(n - 480)) for n in range(480, 600, 10)]
    late = [(at, user(2000 + at)) for at in (0, 59, 60, 130, 179)]
    others = [(second(n), user(n)) for n in range(510, 720) if n % 10]
    return stamped(first), stamped([*odds, *again, *others[:100], *late, *others[100:]])


@needs_spark
@pytest.mark.parametrize("kind", MASTERS)
def test_every_table_of_the_example_has_the_same_rows_on_spark(kind, tmp_path):
    _, project = example(tmp_path)
    out = tmp_path / "spark"
    with contextlib.ExitStack() as stack:
        master = "local[2]" if kind == "local" else stack.enter_context(spark_side.standalone(tmp_path / "cluster"))
        for part in two_parts():
            topic_log.append(project.data, "users_created", part, partitions=2)
            project.once()
            done = run_on_spark(project, out, master)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            for table in TABLES:
                assert_same(rows(project.data / "lake" / table), rows(out / "warehouse" / table), table)
    minutes = {(row["minute"] // 1_000_000 - START_MS // 1000) // 60 for row in rows(out / "warehouse" / TABLES[4])}
    assert minutes >= {0, 1, 2, 3, 4}
    assert len(project.sql("SELECT 1 FROM system.dead_letters WHERE reason = 'late'")) == 5
    quarantine = rows(out / "warehouse" / "users_clean__quarantine")
    assert letters(project, "users_clean") == sorted((r["source_partition"], r["source_offset"], r["reason"])
                                                     for r in quarantine)


@needs_spark
def test_every_table_of_the_example_with_avro_has_the_same_rows_on_spark(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(lines([*range(300), *range(0, 300, 10)]))
    project = tailrace.Project(tmp_path, tailrace.EXAMPLE.with_name("random_users_avro"), settings=json.dumps({
        "topics": {"users_created": {"partitions": 2, "format": "avro", "schema": "schemas/user.avsc"}},
        "ingest": tailrace.files_from(inbox)}))
    project.once()
    out = tmp_path / "spark"
    done = run_on_spark(project, out, "local[2]")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for table in ("users_raw", "users_clean", "users", "users_by_country_gender"):
        assert_same(rows(project.data / "lake" / table), rows(out / "warehouse" / table), table)


@needs_spark
def test_a_contracts_rules_hold_the_same_records_on_spark(tmp_path):
    project = orders_project(tmp_path, CONTRACT)
    project.once()
    out = tmp_path / "spark"
    done = run_on_spark(project, out, "local[2]")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for table, count in (("orders_raw", 4), ("orders_clean", 2)):
        ours = rows(project.data / "lake" / table)
        assert len(ours) == count
        assert_same(ours, rows(out / "warehouse" / table), table)
    for flow in ("orders", "orders_clean"):
        quarantine = rows(out / "warehouse" / f"{flow}__quarantine")
        assert sorted(reason for _, _, reason in letters(project, flow)) == sorted(r["reason"] for r in quarantine)


@needs_spark
def test_fail_update_fails_the_flow_with_the_expectations_name_on_both(tmp_path):
    inbox, project = example(tmp_path)
    short = user(5, login={"uuid": "not-a-uuid", "username": "x"})
    (inbox / "a.jsonl").write_text(lines([1, 2]) + json.dumps(short) + "\n")
    project.once()
    (table,) = project.sql("SELECT failed FROM system.tables WHERE name = 'users_clean'")
    assert "id_is_uuid" in table["failed"]

    out = tmp_path / "spark"
    done = run_on_spark(project, out, "local[2]")
    assert done.returncode != 0
    assert "expectation id_is_uuid of users_clean failed" in done.stdout, done.stdout[-4000:]
    assert_same(rows(project.data / "lake" / "users_raw"), rows(out / "warehouse" / "users_raw"), "users_raw")
    assert rows(out / "warehouse" / "users_clean") == []
