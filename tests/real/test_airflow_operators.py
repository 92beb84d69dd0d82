"""Operators on Airflow and embedded: the same file, the same states, causes and values."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests/e2e"), str(ROOT / "tests/operators")]

import embedded_operators  # noqa: E402
import stage as stages  # noqa: E402
import tailrace  # noqa: E402
import test_example_workflows as reports  # noqa: E402
import test_operators  # noqa: E402
import test_own_operators  # noqa: E402


@pytest.fixture(scope="session")
def python():
    """The Python of a venv with Airflow and the providers."""
    if given := os.environ.get("TAILRACE_AIRFLOW_PYTHON"):
        return given
    line = subprocess.run([ROOT / "tests/real/airflow_env.sh"], check=True, capture_output=True, text=True).stdout
    return line.split("=", 1)[1].strip().strip("'")


def on_airflow(python, folder, file, **environment):
    out = folder / "told.json"
    subprocess.run([python, ROOT / "tests/real/airflow_operators.py", out, file], check=True,
                   env=os.environ | environment, timeout=600)
    return json.loads(out.read_text())


def test_own_operators_do_on_airflow_what_they_do_embedded(python, tmp_path):
    folders = [tmp_path / name for name in ("embedded", "airflow")]
    for folder in folders:
        folder.mkdir()
    here = test_own_operators.project_with(folders[0], [test_own_operators.OWN]).start()
    embedded = embedded_operators.outcome(here, "own")
    here.kill()
    there = test_own_operators.project_with(folders[1]).start()
    told = on_airflow(python, tmp_path, test_own_operators.OWN,
                      AIRFLOW_CONN_TAILRACE_DEFAULT=there.url().replace("http://", "tailrace://"))["own"]
    there.kill()
    for found in (told, embedded):
        found["too_many"]["why"] = re.sub("duration of [0-9.]+", "duration of SOME", found["too_many"]["why"])
    assert told == embedded


def test_operators_of_kafka_do_on_airflow_what_they_do_embedded(python, tmp_path):
    folders = [tmp_path / name for name in ("embedded", "airflow")]
    for folder in folders:
        folder.mkdir()
    here = test_operators.kafka_project(folders[0], ["kafka.yml", "answers.py"]).start()
    embedded = embedded_operators.outcome(here, "kafka")
    here.kill()
    there = test_operators.kafka_project(folders[1]).start()
    file, connections = ROOT / "tests/operators/kafka.yml", stages.Stage.kafka(there.kafka())
    told = on_airflow(python, tmp_path, file, **connections)["kafka"]
    there.kill()
    for found in (told, embedded):
        found["no_function"]["why"] = ""  # Python's own words for a name that is not there
        found["fails"]["why"] = found["fails"]["why"].removeprefix("ValueError: ")
    assert told == embedded


def test_the_reports_of_the_example_are_on_airflow_what_they_are_embedded(python, tmp_path):
    project = reports.project_in(tmp_path)
    told = on_airflow(python, tmp_path, tailrace.EXAMPLE / "dags" / "country_reports.yml",
                      AIRFLOW_CONN_TAILRACE_DEFAULT=project.url().replace("http://", "tailrace://"))[reports.DAG]
    asked = project.command("dags", "run", reports.DAG, "--wait", "--project", project.folder, "--data", project.data)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    embedded = embedded_operators.outcome(project, reports.DAG)
    project.stop()
    assert told == embedded
    assert [told[f"reports.report[{index}]"]["state"] for index in range(3)] == ["success"] * 3


@pytest.mark.parametrize("name", ["http", "slack", "email", "sql", "sql_checks", "branches", "spark", "callbacks",
                                  "pythons", "timeouts"])
def test_what_is_recorded_is_what_airflow_does(python, tmp_path, name):
    """With TAILRACE_RECORD=1 it is recorded anew."""
    with stages.stage(tmp_path / "stage") as stage:
        tasks = on_airflow(python, tmp_path, ROOT / f"tests/operators/{name}.yml", **stage.environment())[name]
        told = stage.scrubbed({"tasks": tasks, "noted": stage.noted()})
    for found in told["tasks"].values():
        found["why"] = re.sub("Timeout, PID: [0-9]+", "Timeout, PID: SOME", found["why"])
    recorded = ROOT / f"tests/operators/expected/{name}.json"
    if os.environ.get("TAILRACE_RECORD"):
        recorded.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    assert told == json.loads(recorded.read_text())
