"""`tailrace dags`, and workflows of a running project: files as dag-factory has them, real processes, kill -9."""
import json
import sqlite3
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
TWO = f"""
two:
  schedule: "@daily"
  start_date: 2026-01-01
  tasks:
    first: {{operator: {BASH}, bash_command: "echo on {{{{ ds }}}}"}}
    second:
      operator: {BASH}
      bash_command: "echo after {{{{ ti.xcom_pull(task_ids='first') }}}}"
      dependencies: [first]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dags").mkdir()
    return tmp_path


def dags(folder, *words):
    return subprocess.run([tailrace.PROGRAM, "dags", *words, "--project", folder], capture_output=True, text=True,
                          timeout=120, check=False)


def test_dags_are_listed_with_their_schedule_and_shown_task_by_task(folder):
    (folder / "dags" / "two.yml").write_text(TWO)
    told = dags(folder, "list", "--json")
    assert told.returncode == 0, told.stderr
    listed = json.loads(told.stdout.splitlines()[0])
    assert (listed["dag"], listed["schedule"], listed["tasks"]) == ("two", "0 0 * * *", 2)
    shown = [json.loads(line) for line in dags(folder, "show", "two", "--json").stdout.splitlines()]
    assert [(task["task"], task["after"]) for task in shown] == [("first", ""), ("second", "first")]


def test_a_dag_is_tried_at_once_and_its_log_is_printed(folder):
    (folder / "dags" / "two.yml").write_text(TWO)
    told = dags(folder, "test", "two", "--date", "2026-02-03")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "after on 2026-02-03" in told.stdout
    assert told.stdout.rstrip().endswith("success")
    assert not list(folder.glob(".tailrace"))


def test_a_dag_that_fails_says_so_by_its_exit_code(folder):
    (folder / "dags" / "bad.yml").write_text(TWO.replace("echo on", "exit 7; echo"))
    told = dags(folder, "test", "two")
    assert told.returncode == 1
    assert "exit code 7" in told.stdout and "upstream_failed" in told.stdout


def test_what_is_wrong_with_a_file_is_told_with_its_place(folder):
    (folder / "dags" / "bad.yml").write_text(TWO.replace("bash_command: \"echo on", "bsh_command: \"echo on"))
    told = dags(folder, "list")
    assert told.returncode == 1
    assert "dags/bad.yml:6" in told.stderr and "did you mean `bash_command`" in told.stderr


@pytest.fixture
def project(tmp_path):
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path)))
    (made.folder / "dags").mkdir()
    yield made
    made.kill()


def rows(project, query):
    path = project.data / "dags" / "workflows.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(query).fetchall()


def test_a_running_project_runs_what_is_due_and_each_run_once_through_kills(project):
    count = project.folder / "count"
    (project.folder / "dags" / "often.yml").write_text(f"""
often:
  schedule: {{__type__: datetime.timedelta, seconds: 1}}
  start_date: 2026-01-01
  max_active_runs: 4
  default_args: {{retries: 5, retry_delay: 0}}
  tasks:
    note: {{operator: {BASH}, bash_command: "echo {{{{ run_id }}}} >> {count}"}}
    last: {{operator: {BASH}, bash_command: "sleep 0.1", dependencies: [note]}}
""")
    def noted():
        return count.read_text().split("\n")[:-1] if count.exists() else []

    for _ in range(4):
        before = len(noted())
        project.start()
        tailrace.wait_until(lambda: len(noted()) > before + 2, "tasks at work")
        project.kill()
    project.start()
    tailrace.wait_until(lambda: len(rows(project, "SELECT 1 FROM run WHERE state = 'success'")) > 5, "runs")
    project.stop()
    runs = [run for run, in rows(project, "SELECT run FROM run ORDER BY number")]
    assert len(runs) == len(set(runs))
    done = {run for run, in rows(project, "SELECT run FROM run WHERE state = 'success'")}
    assert done <= set(noted()), "a run that succeeded did its task"
    # A task may come again only where the program was killed while it ran.
    again = len(noted()) - len(set(noted()))
    assert again <= 4 * 4
