"""`tailrace dags run | runs | clear | pause | unpause | logs | backfill` against a running project."""
import json
import os
import signal
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
EMPTY = "airflow.providers.standard.operators.empty.EmptyOperator"


@pytest.fixture
def project(tmp_path):
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path)))
    (made.folder / "dags").mkdir()
    (made.folder / "dags" / "line.yml").write_text(f"""
line:
  schedule: none
  start_date: 2026-01-01
  params:
    word: {{__type__: airflow.sdk.Param, default: hello, type: string, maxLength: 10}}
  tasks:
    first: {{operator: {BASH}, bash_command: "echo {{{{ params.word }}}}"}}
    second: {{operator: {BASH}, bash_command: "test -e {made.folder}/good", dependencies: [first]}}
    third: {{operator: {EMPTY}, dependencies: [second]}}
nightly:
  schedule: {{__type__: airflow.timetables.interval.CronDataIntervalTimetable, __args__: ["0 3 * * *"], timezone: UTC}}
  start_date: 2026-01-01
  end_date: 2026-01-10
  catchup: false
  is_paused_upon_creation: true
  tasks:
    sweep: {{operator: {BASH}, bash_command: "sleep {{{{ '60' if logical_date.day > 8 else '0' }}}}"}}
""")
    yield made
    if made.process:
        made.kill()


def dags(project, *words):
    return project.command("dags", *words, "--project", project.folder, *(
        () if words[0] in ("show", "test") else ("--data", project.data)))


def lines(told):
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_a_run_is_asked_for_and_its_tasks_followed_to_its_end(project):
    project.start()
    told = dags(project, "run", "line", "--run", "one", "--wait", "--conf", '{"word": "servus"}')
    assert told.returncode == 1, "the run failed"
    assert "first" in told.stdout and "upstream_failed" in told.stdout and "run one: failed" in told.stdout
    log = dags(project, "logs", "line", "first")
    assert log.returncode == 0 and " servus\n" in log.stdout
    runs = lines(dags(project, "runs", "line", "--json"))
    assert [(run["dag_run_id"], run["state"], run["conf"]) for run in runs] == [("one", "failed", {"word": "servus"})]
    (project.folder / "good").touch()
    dry = dags(project, "clear", "line", "--run", "one", "--failed", "--dry-run", "--json")
    assert {row["task"] for row in lines(dry)} == {"second", "third"}
    unsure = dags(project, "clear", "line", "--run", "one", "--failed")
    assert unsure.returncode == 1 and "--yes" in unsure.stderr
    cleared = dags(project, "clear", "line", "--run", "one", "--task", "^second$", "--downstream", "--yes")
    assert cleared.returncode == 0, cleared.stderr
    tailrace.wait_until(lambda: lines(dags(project, "runs", "line", "--json"))[0]["state"] == "success", "the run")
    again = dags(project, "logs", "line", "second", "--try", "1")
    assert "exit code 1" in again.stdout


def test_a_conf_that_does_not_fit_is_refused_with_the_params_name(project):
    project.start()
    told = dags(project, "run", "line", "--conf", '{"word": "much too long a word"}')
    assert told.returncode == 1 and "param word" in told.stderr
    assert not lines(dags(project, "runs", "line", "--json"))


def test_a_paused_dag_says_that_its_run_waits(project):
    project.start()
    assert "is paused" in dags(project, "pause", "line").stdout
    told = dags(project, "run", "line", "--run", "later")
    assert told.returncode == 0 and "tailrace dags unpause line" in told.stderr
    listed = {row["dag"]: row for row in lines(dags(project, "list", "--json"))}
    assert listed["line"]["paused"] == "paused" and listed["line"]["last run"].startswith("queued")
    assert dags(project, "unpause", "line").returncode == 0
    tailrace.wait_until(lambda: lines(dags(project, "runs", "line", "--json"))[0]["state"] == "failed", "the run")


def test_a_backfill_says_what_it_will_do_and_shows_how_far_it_is(project):
    project.start()
    asked = ("backfill", "nightly", "--from", "2026-01-02", "--to", "2026-01-05")
    dry = dags(project, *asked, "--dry-run", "--json")
    assert [row["logical date"][:10] for row in lines(dry)] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    dags(project, "unpause", "nightly")
    told = dags(project, *asked)
    assert told.returncode == 0, told.stderr
    assert "3 of 3 runs done, 0 failed" in told.stdout
    runs = lines(dags(project, "runs", "nightly", "--json"))
    assert {run["logical_date"][:10] for run in runs if run["run_type"] == "backfill"} == {
        "2026-01-02", "2026-01-03", "2026-01-04"}


def test_an_interrupted_backfill_is_cancelled_and_says_so(project):
    project.start()
    dags(project, "unpause", "nightly")
    words = ["--from", "2026-01-02", "--to", "2026-01-10", "--max-active-runs", "1", "--backwards",
             "--project", project.folder, "--data", project.data]
    with subprocess.Popen([tailrace.PROGRAM, "dags", "backfill", "nightly", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as command:
        tailrace.started.append(command)
        assert "Ctrl-C" in command.stdout.readline()
        while "1 running" not in command.stdout.readline():
            pass
        command.send_signal(signal.SIGINT)
        assert "is cancelled" in command.communicate(timeout=60)[1]
    assert command.returncode == 1
    runs = lines(dags(project, "runs", "nightly", "--json"))
    assert "queued" not in {run["state"] for run in runs if run["run_type"] == "backfill"}


def test_where_nothing_runs_each_command_says_how_to_start_it(project):
    for words in (("run", "line"), ("runs", "line"), ("pause", "line"), ("logs", "line", "first"),
                  ("clear", "line", "--run", "x"), ("backfill", "line", "--from", "2026-01-01", "--to", "2026-01-02")):
        told = dags(project, *words)
        assert told.returncode == 1 and "tailrace run" in told.stderr, words
    assert dags(project, "list").returncode == 0, "the files are enough"


def test_commands_log_in_where_the_api_wants_it(project, tmp_path):
    users = tmp_path / "users"
    users.write_text("ada: a word of hers\n")
    ports = list(tailrace.FREE_PORTS)
    ports[ports.index("--console") + 1] = "off"
    project.process = subprocess.Popen([tailrace.PROGRAM, "run", project.folder, "--data", project.data, *ports,
                                        "--airflow-users", users])
    tailrace.started.append(project.process)
    tailrace.wait_until(lambda: project.run_file().get("airflow"), "Airflow's API")

    def runs(**login):
        return project.command("dags", "runs", "line", "--json", "--project", project.folder, "--data", project.data,
                               env=os.environ | login)

    refused = runs()
    assert refused.returncode != 0 and "set TAILRACE_AIRFLOW_USER and TAILRACE_AIRFLOW_PASSWORD" in refused.stderr
    wrong = runs(TAILRACE_AIRFLOW_USER="ada", TAILRACE_AIRFLOW_PASSWORD="another word")
    assert wrong.returncode != 0 and "the login of ada is refused: Invalid credentials" in wrong.stderr
    assert "another word" not in wrong.stderr
    right = runs(TAILRACE_AIRFLOW_USER="ada", TAILRACE_AIRFLOW_PASSWORD="a word of hers")
    assert right.returncode == 0 and right.stdout == "", right.stderr
