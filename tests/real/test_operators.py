"""Operators on Airflow and embedded: the same file, the same states, causes and values."""
import json
import os
import pathlib
import subprocess
import sys

import pytest
import tailrace

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))

import embedded_operators  # noqa: E402
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
    assert told == embedded
