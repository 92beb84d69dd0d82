"""Rules that wait or learn: an empty hop, a late run, a number against what is usual, maintenance; and what
`tailrace check` says of the names in rules."""
import json

import pytest

from receivers import SlackWebhook
from tailrace import wait_until
from test_alerts import BASH, Source, api_of, files_in, project_for, webhook_of


@pytest.fixture
def slack():
    made = SlackWebhook()
    yield made
    made.stop()


@pytest.fixture
def source():
    made = Source()
    yield made
    made.stop()


def write(folder, name, *records):
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def test_a_hop_that_nothing_comes_through_is_told_and_so_is_its_end(tmp_path, slack):
    rule = {"name": "silent", "hop": "appended.numbers", "empty_for": "2s"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in")).start()
    wait_until(lambda: len(slack.requests) == 1, "the message")
    assert slack.titles() == [":large_orange_circle: Firing: silent"]
    assert "appended.numbers" in json.dumps(slack.bodies()[0])
    write(tmp_path / "in", "a.jsonl", {"n": 1, "name": "x"})
    wait_until(lambda: len(slack.requests) == 2, "the end")
    assert slack.titles()[1] == ":large_green_circle: Resolved: silent"
    project.stop()


def test_a_run_that_takes_too_long_is_told_while_it_runs(tmp_path, slack):
    rule = {"name": "late", "workflow": "slow", "late": "1s"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in"))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "d.yml").write_text(f"""
slow:
  schedule: none
  start_date: 2026-01-01
  tasks: {{one: {{operator: {BASH}, bash_command: "while [ ! -e {tmp_path}/go ]; do sleep 0.1; done"}}}}
""")
    project.start()
    at = ("--project", project.folder, "--data", project.data)
    assert project.command("dags", "run", "slow", *at).returncode == 0
    wait_until(lambda: len(slack.requests) == 1, "the message")
    assert slack.titles()[0].endswith("Firing: late")
    assert "slow" in json.dumps(slack.bodies()[0])
    assert project.sql("SELECT rule, state FROM system.alerts") == [{"rule": "late", "state": "firing"}]
    (tmp_path / "go").touch()
    wait_until(lambda: len(slack.requests) == 2, "the end")
    assert slack.titles()[1].endswith("Resolved: late")
    project.stop()


def test_a_number_that_is_unusual_is_told_with_what_was_expected(tmp_path, slack):
    rule = {"name": "unusual", "anomaly": "value of SELECT most FROM by_name WHERE name = 'x'", "season": "none",
            "every": "250ms", "timezone": "Europe/Berlin"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in"))
    (tmp_path / "in").mkdir(exist_ok=True)
    write(tmp_path / "in", "a.jsonl", {"n": 10, "name": "x"})
    project.start()

    def learnt():
        import sqlite3
        with sqlite3.connect(project.data / "alerts.db") as db:
            for table, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in db.execute(f"SELECT * FROM {table}"):
                    for cell in row:
                        if isinstance(cell, str) and '"whole"' in cell and json.loads(cell)["whole"][2] >= 35:
                            return True
        return False

    wait_until(learnt, "thirty values and more")
    assert slack.requests == []
    write(tmp_path / "in", "b.jsonl", {"n": 90, "name": "x"})
    wait_until(lambda: len(slack.requests) == 1, "the message")
    text = json.dumps(slack.bodies()[0])
    assert "unusual: 90, expected 10" in text and "lately" in text and "deviations off" in text
    project.stop()


def test_maintenance_holds_back_what_it_matches_and_nothing_else(tmp_path, source, slack):
    rules = [{"name": "down", "hop": "fetched.api", "error": True},
             {"name": "down too", "hop": "fetched.api", "error": True, "labels": {"team": "web"}}]
    always = {"name": "nightly", "cron": "* * * * *", "duration": "2m", "matchers": ['team="web"']}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": rules, "maintenance": [always]},
                          api_of(source)).start()
    wait_until(lambda: project.hops()["served.by_name"]["count"], "rows")
    source.fail(True)
    wait_until(lambda: len(slack.requests) == 1, "the message")
    muted = wait_until(lambda: [row for row in project.sql("SELECT rule, state, muted_by FROM system.alerts")
                                if row["muted_by"]], "the muted alert")
    assert [row["rule"] for row in muted] == ["down too"] and "nightly" in muted[0]["muted_by"]
    assert slack.titles()[0].endswith("Firing: down")
    source.fail(False)
    wait_until(lambda: len(slack.requests) == 2, "the end")
    assert slack.titles()[1].endswith("Resolved: down")
    project.stop()


WRONG = {
    "a hop": ({"hop": "served.by_nam", "error": True}, "no hop `served.by_nam`; did you mean `served.by_name`?"),
    "an expectation": ({"expectation": "numbers_raw.smal", "failure_rate": 0.1}, "did you mean `numbers_raw.small`?"),
    "a workflow": ({"workflow": "nightly", "failed": True}, "there is no workflow `nightly`"),
    "a table in a query": ({"query": "SELECT name FROM by_nam"}, "by_nam"),
    "a column in a query": ({"query": "SELECT nam FROM by_name"}, "`nam`"),
    "a column to name alerts by": ({"query": "SELECT name FROM by_name", "by": ["country"]}, "no column `country`"),
    "a query of an anomaly": ({"anomaly": "value of SELECT mos FROM by_name"}, "`mos`"),
    "a channel": ({"hop": "*", "error": True, "channels": ["opps"]}, "did you mean `ops`"),
    "a time zone": ({"anomaly": "rate of served.by_name", "timezone": "Europe/Berln"}, "Europe/Berlin"),
}


@pytest.mark.parametrize("what", WRONG)
def test_check_names_what_a_rule_speaks_of_and_is_not_there(tmp_path, slack, what):
    rule, said = WRONG[what]
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in"))
    done = project.command("check", project.folder)
    assert done.returncode == 1 and said in done.stderr and "tailrace.yml:" in done.stderr, done.stderr


def test_check_takes_what_is_there(tmp_path, slack):
    rules = [{"hop": hop, "error": True, "name": hop} for hop in
             ("fetched.files", "appended.numbers", "decoded.numbers", "rejected", "silver.numbers_raw", "lake",
              "served.by_name", "gold.*")]
    rules += [{"expectation": "numbers_raw.small", "failure_rate": 0.1}, {"query": "SELECT * FROM system.hops"},
              {"query": "SELECT name, most FROM by_name", "by": ["name"], "name": "q"}]
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": rules}, files_in(tmp_path / "in"))
    done = project.command("check", project.folder)
    assert done.returncode == 0, done.stderr
    hops = set(tailrace_hops(project))
    assert {rule["hop"] for rule in rules if "hop" in rule and "*" not in rule["hop"]} <= hops


def tailrace_hops(project):
    project.start()
    try:
        return project.hops()
    finally:
        project.stop()
