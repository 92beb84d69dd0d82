"""What cannot go on goes to the dead letters with reason, origin and bytes, and comes back with redrive."""
import json

import tailrace
from records import lines, user


def run(tmp_path, text, **topic):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(text)
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox), **topic))
    project.once()
    return project


def letters(project, where="1 = 1"):
    return project.sql(f"SELECT * FROM system.dead_letters WHERE {where}")


def test_a_bad_line_of_a_file_names_file_and_line_and_its_neighbours_live(tmp_path):
    project = run(tmp_path, lines([1]) + '{"broken": \n' + lines([2]))
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert letter["origin"].endswith("a.jsonl:2") and '{"broken":' in letter["record"]


def test_a_dropped_row_names_its_expectation_and_record(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n" + lines([2]))
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert letter["reason"] == "expectation has_id" and letter["flow"] == "users_clean"
    assert letter["origin"].startswith("users_created-") and json.loads(letter["record"]) == nameless
    counted = {e["name"]: e for e in project.sql("SELECT * FROM system.expectations")}
    assert counted["has_id"]["failed"] == 1 and counted["has_id"]["passed"] == 2


def test_an_oversized_record_is_kept_aside_with_the_limit(tmp_path):
    huge = user(5, phone="0" * 20000)
    project = run(tmp_path, lines([1]) + json.dumps(huge) + "\n" + lines([2]), max_message_bytes=10000)
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert "10000" in letter["detail"] and json.loads(letter["record"]) == huge


def test_fail_update_stops_that_flow_alone_and_says_so(tmp_path):
    short = user(5, login={"uuid": "not-a-uuid", "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(short) + "\n")
    assert len(project.lake("users_raw")) == 2
    (table,) = project.sql("SELECT * FROM system.tables WHERE name = 'users_clean'")
    assert "id_is_uuid" in table["failed"]


def test_redrive_after_a_fix_brings_the_record_in(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n")
    silver = project.folder / "transformations" / "silver.sql"
    silver.write_text(silver.read_text().replace("  lower(trim(u.login.uuid)) AS id,",
                                                 "  coalesce(lower(trim(u.login.uuid)), repeat('0', 36)) AS id,"))
    project.once()  # the flow's SQL changed: it starts again from bronze, and the record is in
    assert len(project.lake("users")) == 2
    assert letters(project) == []


def test_redriven_letters_go_once(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n")
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    assert len(project.lake("users_raw")) == 3
    assert [r["redriven"] for r in letters(project)] == ["yes", "no"]  # it failed again: nothing was fixed
