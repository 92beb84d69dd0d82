"""One project, two engines, same rows: the example on `local[2]` and on a standalone master and worker."""
import contextlib
import json

import pytest
import spark_side
import tailrace
from orders_contract import CONTRACT, orders_project
from records import lines, user
from spark_side import assert_same, letters, needs_spark, rows, run_on_spark

TABLES = ["users_raw", "users_clean", "users", "users_by_country_gender", "signups_per_minute", "age_by_nationality",
          "top_cities", "latest_users"]
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
    return inbox, tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(inbox)))


@needs_spark
@pytest.mark.parametrize("kind", MASTERS)
def test_every_table_of_the_example_has_the_same_rows_on_spark(kind, tmp_path):
    inbox, project = example(tmp_path)
    (inbox / "a.jsonl").write_text(lines([*range(500), *range(0, 500, 10)]))
    (inbox / "b.jsonl").write_text("".join(json.dumps(record) + "\n" for record in odd(1000)))
    out = tmp_path / "spark"
    with contextlib.ExitStack() as stack:
        master = "local[2]" if kind == "local" else stack.enter_context(spark_side.standalone(tmp_path / "cluster"))
        project.once()
        done = run_on_spark(project, out, master)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for table in TABLES:
        assert_same(rows(project.data / "lake" / table), rows(out / "warehouse" / table), table)
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
