"""The example, end to end: files in, every table out, read back by the program and by foreign readers."""
import json

import pytest
import tailrace
from records import by_country_gender, lines, user

NUMBERS = [*range(2000), *range(0, 2000, 10)]  # every tenth user comes twice


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(NUMBERS[:1500]))
    (folder / "input" / "b.jsonl").write_text(lines(NUMBERS[1500:]))
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input")))
    made.once()
    return made


def counts(rows):
    return {(r["country"], r["gender"]): r["users"] for r in rows}


def test_bronze_has_every_record_as_it_came(project):
    rows = project.lake("users_raw")
    assert len(rows) == len(NUMBERS)
    assert sorted(json.loads(r["value"])["login"]["uuid"] for r in rows) == sorted(
        user(n)["login"]["uuid"] for n in NUMBERS)
    assert len({(r["partition"], r["offset"]) for r in rows}) == len(NUMBERS)


def test_silver_is_typed_and_each_user_is_there_once(project):
    rows = {r["id"]: r for r in project.lake("users")}
    assert len(project.lake("users")) == len(rows) == 2000
    row = rows[user(7)["login"]["uuid"]]
    assert row["first_name"] == "First7" and row["last_name"] == "Läst7"
    assert row["post_code"] == "10007" and row["email"] == "user.7@example.com"
    assert row["address"] == "8 Mill Lane, City 7, State, Türkiye"
    assert str(row["dob"]) == "1980-02-03" and row["registered_date"].isoformat().startswith("2015-06-07T08:09:10.111")
    assert row["age"] == 25 and row["nationality"] == "TR"


def test_gold_equals_a_count_from_nothing(project):
    expected = by_country_gender(NUMBERS)
    assert counts(project.lake("users_by_country_gender")) == expected
    assert counts(project.sql("SELECT country, gender, users FROM users_by_country_gender")) == expected
    counted = project.sql("SELECT country, gender, count(*) AS users FROM users GROUP BY country, gender")
    assert counts(counted) == expected


def test_top_cities_are_ten_and_latest_users_twenty(project):
    assert len(project.lake("top_cities")) == 10
    assert len(project.lake("latest_users")) == 20


def test_duckdb_reads_the_lake_files(project):
    import deltalake
    import duckdb

    table = deltalake.DeltaTable(str(project.data / "lake" / "users"))
    count = duckdb.sql(f"SELECT count(DISTINCT id) FROM read_parquet({table.file_uris()!r})").fetchall()[0][0]
    assert count == 2000


def test_a_second_run_without_new_input_changes_nothing(project):
    before = sorted(map(str, project.lake("users_by_country_gender")))
    project.once()
    assert len(project.lake("users_raw")) == len(NUMBERS)
    assert sorted(map(str, project.lake("users_by_country_gender"))) == before


def test_served_rows_are_read_over_http(project):
    project.start()
    key = user(3)["login"]["uuid"]
    row = project.get(f"/api/tables/created_users/{key}")
    assert key in json.dumps(row)
    page = project.get("/api/tables/created_users?limit=5")
    assert len(page["rows"]) == 5 and page["next"]
    after = project.get(f"/api/tables/created_users?limit=5&after={page['next']}")
    assert len(after["rows"]) == 5 and after["rows"] != page["rows"]
    project.stop()
