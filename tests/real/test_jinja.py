"""Templates render as Airflow's Jinja renders them: the recorded ones still, and others that nobody chose.

Needs a Python with Airflow 3.3: TAILRACE_AIRFLOW_PYTHON.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("TAILRACE_AIRFLOW_PYTHON", "")
SEED = os.environ.get("TAILRACE_SEED", "20")
RECORDED = ("expected.jsonl", "airflow_expected.jsonl", "serde.jsonl")


@pytest.fixture
def folder(tmp_path):
    if not PYTHON:
        pytest.skip("no Airflow: TAILRACE_AIRFLOW_PYTHON names no Python that has it")
    shutil.copytree(ROOT / "tests/jinja", tmp_path / "jinja")
    return tmp_path / "jinja"


def ask_airflow(folder, *arguments):
    environment = {**os.environ, "AIRFLOW_HOME": str(folder.parent / "airflow")}
    subprocess.run([PYTHON, "-W", "ignore", ROOT / "tests/real/airflow/jinja_outcomes.py", folder, *arguments],
                   env=environment, check=True, capture_output=True)


def test_what_airflow_was_recorded_with_is_what_it_does(folder):
    ask_airflow(folder)
    for name in RECORDED:
        assert (folder / name).read_text() == (ROOT / "tests/jinja" / name).read_text(), name


def test_random_templates_render_as_on_airflow(folder):
    ask_airflow(folder, SEED, "20000")
    answers = folder / "random.jsonl"
    assert len(answers.read_text().splitlines()) > 10_000
    subprocess.run([ROOT / "build/src/jinja/jinja_test", "--gtest_filter=Template.random*"], cwd=ROOT, check=True,
                   env={**os.environ, "TAILRACE_JINJA_VECTORS": str(answers)})
