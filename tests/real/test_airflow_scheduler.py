"""Our scheduler decides as Airflow's own does: what is recorded is still so, and random DAGs nobody chose."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / "tests/real/airflow_lab.py"
TEST = ROOT / "build/src/sched/sched_test"


@pytest.fixture(scope="session")
def python():
    """The Python of a venv with Airflow."""
    if given := os.environ.get("TAILRACE_AIRFLOW_PYTHON"):
        return given
    line = subprocess.run([ROOT / "tests/real/airflow_env.sh"], check=True, capture_output=True, text=True).stdout
    return line.split("=", 1)[1].strip().strip("'")


@pytest.mark.parametrize("name", ["branch", "mapping_xcom", "retries_backoff", "trigger_rules"])
def test_the_recording_is_what_airflow_does(python, name, tmp_path):
    subprocess.run([python, LAB, "corpus", f"--into={tmp_path}", ROOT / f"tests/dags/{name}.yml"], check=True)
    recorded = json.loads((ROOT / f"tests/dags/expected/{name}.json").read_text())
    assert json.loads((tmp_path / f"{name}.json").read_text()) == recorded


def test_random_dags_run_as_on_airflow(python, tmp_path):
    out = tmp_path / "random.jsonl"
    seed = os.environ.get("TAILRACE_SEED", "100000")
    subprocess.run([python, LAB, "random", seed, "110", out], check=True)
    subprocess.run([TEST, "--gtest_filter=RandomDags.*"], cwd=ROOT, check=True,
                   env=os.environ | {"TAILRACE_RANDOM_DAGS": str(out)})
