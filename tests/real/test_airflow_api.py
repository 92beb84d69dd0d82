"""What is recorded of Airflow's REST API (tests/airflow_api) is what Airflow answers."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def python():
    """The Python of a venv with Airflow."""
    if given := os.environ.get("TAILRACE_AIRFLOW_PYTHON"):
        return given
    line = subprocess.run([ROOT / "tests/real/airflow_env.sh"], check=True, capture_output=True, text=True).stdout
    return line.split("=", 1)[1].strip().strip("'")


@pytest.mark.parametrize("words, file", [([], "expected.json"), (["airflowctl"], "airflowctl.json")])
def test_the_recorded_answers_are_airflows(words, file, tmp_path):
    now = tmp_path / "now.json"
    known = {"TAILRACE_AIRFLOWCTL_PYTHON": str(ROOT / "build/venv/bin/python")} | os.environ
    subprocess.run([python(), ROOT / "tests/real/airflow_api.py", *words, now], check=True, cwd=tmp_path, timeout=1200,
                   env=known)
    recorded = json.loads((ROOT / "tests/airflow_api" / file).read_text())
    for name, answer in json.loads(now.read_text()).items():
        assert answer == recorded[name], f"{name}: record it again by tests/real/airflow_api.py"
