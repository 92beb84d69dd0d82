"""`roles: schedule:` at an Airflow: the project's DAGs are its business alone."""
import json
import urllib.error

import pytest
import tailrace

DAG = """
always:
  schedule: "@continuous"
  start_date: 2026-01-01
  max_active_runs: 1
  tasks:
    mark:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: touch %s/ran
"""


def project_with(tmp_path, schedule):
    settings = json.loads(tailrace.settings(tailrace.files_from(tmp_path)))
    settings["roles"] = {"schedule": schedule}
    project = tailrace.Project(tmp_path, settings=json.dumps(settings))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "always.yml").write_text(DAG % tmp_path)
    return project


def test_a_dag_runs_here_where_the_schedule_is_embedded(tmp_path):
    project = project_with(tmp_path, "embedded").start()
    tailrace.wait_until(lambda: (tmp_path / "ran").exists(), "the DAG's run")
    assert project.get("/api/v2/dags")["total_entries"] == 1
    project.stop()


def test_dags_are_left_to_an_airflow_that_schedules_them(tmp_path):
    project = project_with(tmp_path, "http://127.0.0.1:8080").start()
    assert not project.run_file()["airflow"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        project.get("/api/v2/dags")
    assert refused.value.code == 404
    assert "run by the Airflow at http://127.0.0.1:8080" in json.load(refused.value)["detail"]
    project.stop()
    assert not (project.data / "dags").exists() and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("wrong", ["airflow://h:8080", "http://", "http://user:word@h:8080", "8080"])
def test_an_address_that_cannot_be_is_told_without_its_password(tmp_path, wrong):
    project = project_with(tmp_path, wrong)
    done = project.command("check", project.folder)
    assert done.returncode != 0 and "embedded, or the address of the Airflow" in done.stderr
    assert "word" not in done.stderr
