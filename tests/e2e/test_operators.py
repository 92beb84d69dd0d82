"""Embedded operators do what Airflow's do: the same requests, mails and arguments, the same states, causes and values.

What Airflow did is in tests/operators/expected, recorded by tests/real/test_airflow_operators.py.
"""
import json
import re
import shutil
import sys

import embedded_operators
import pytest
import tailrace

FOLDER = tailrace.ROOT / "tests/operators"
sys.path.append(str(FOLDER))

import stage as stages  # noqa: E402

# Tasks whose failure has a sentence of our own: ours is on the right.
OWN_WORDS = {
    "http": {"no_connection": "The conn_id `nobody` isn't defined"},
    "slack": {"no_token": "Connection ID 'slack_empty' does not contain password (Slack Webhook Token)."},
    "email": {"no_file": "/no/such/file: No such file or directory",
              "refused": "127.0.0.1:PORT: 550 5.1.1 nobody of that name"},
    "sql": {"missing_parameter": "Incorrect number of bindings supplied. The current statement uses 1, and there are 0 "
                                 "supplied."},
    "branches": {},
    "sql_checks": {"columns_text": "TypeError: '>=' not supported between instances of 'str' and 'int'",
                   "threshold_null": "TypeError: '<=' not supported between instances of 'float' and 'NoneType'"},
    "spark": {},
    "timeouts": {task: "execution_timeout is over"
                 for task in ("bash", "python", "request", "look", "silent_look", "looks_of_one_process")},
    "pythons": {},
    "callbacks": {"bad": "ValueError: there are none",
                  "wrong_template": "bash_command: UndefinedError: 'nothing' is undefined (line 1)"},
}


@pytest.mark.parametrize("name", sorted(OWN_WORDS))
def test_operators_do_what_airflows_do(name, tmp_path, monkeypatch):
    expected = json.loads((FOLDER / "expected" / f"{name}.json").read_text())
    (tmp_path / "input").mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input")))
    shutil.rmtree(project.folder / "dags", ignore_errors=True)  # the example's own
    (project.folder / "dags").mkdir()
    for file in [FOLDER / f"{name}.yml", *FOLDER.glob("*.py")]:
        shutil.copy(file, project.folder / "dags")
    with stages.stage(tmp_path / "stage") as stage:
        for word, value in stage.environment().items():
            monkeypatch.setenv(word, value)
        project.start()
        tasks = embedded_operators.outcome(project, name)
        count = len(expected["noted"].get("web", []))  # the run's own callback comes after its end
        tailrace.wait_until(lambda: len(stage.noted().get("web", [])) >= count, "all requests have come", 60)
        told = stage.scrubbed({"tasks": tasks, "noted": stage.noted()})
        project.kill()
    if name == "pythons":  # ours begin with the exception's class
        for found in told["tasks"].values():
            found["why"] = re.sub(r"^[A-Z]\w+(Error|Exception): ", "", found["why"])
    for task, why in OWN_WORDS[name].items():
        assert told["tasks"][task]["why"] == why
        told["tasks"][task]["why"] = expected["tasks"][task]["why"]
    for task, found in expected["tasks"].items():
        assert told["tasks"][task] == found, task
    assert set(told["tasks"]) == set(expected["tasks"])
    assert told["noted"] == expected["noted"]
    logs = "".join(path.read_text() for path in (project.data / "dags" / "logs").rglob("*.log"))
    assert "hush" not in logs, "a secret is in a log"


def kafka_project(folder, dags=()):
    """Its only topic has one partition."""
    (folder / "input").mkdir()
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input"), partitions=1))
    shutil.rmtree(made.folder / "dags", ignore_errors=True)  # the example's own
    (made.folder / "dags").mkdir()
    for file in dags:
        shutil.copy(FOLDER / file, made.folder / "dags")
    return made


def test_records_go_to_the_projects_own_topics_and_come_from_them(tmp_path):
    project = kafka_project(tmp_path, ["kafka.yml", "answers.py"]).start()
    told = embedded_operators.outcome(project, "kafka")
    logs = "".join(path.read_text() for path in (project.data / "dags" / "logs" / "kafka").rglob("*.log"))
    project.kill()
    assert {task: found["state"] for task, found in told.items()} == {
        "produce": "success", "fails": "failed", "no_function": "failed", "waits": "success", "consume": "success",
        "nothing_more": "success"}
    assert told["waits"]["returned"]["n"] == 3
    assert told["consume"]["returned"] == [len('{"n": 4, "of": "2026-01-01"}'), len("without a key")]
    assert told["fails"]["why"] == "ValueError: there are none"
    assert "seen: users_created 0 6 b'tombstone' None" in logs and "Reached end of log" in logs
