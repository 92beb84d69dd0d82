"""Crons, timetables and times answer as Airflow's libraries do, on expressions and moments nobody chose.

Needs a Python with Airflow 3.3: TAILRACE_AIRFLOW_PYTHON.
"""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("TAILRACE_AIRFLOW_PYTHON", "")
SEED = os.environ.get("TAILRACE_SEED", "20")


def compare(folder, script, arguments, variable, test, least):
    """Asks Airflow, and the unit test with its answers."""
    if not PYTHON:
        pytest.skip("no Airflow: TAILRACE_AIRFLOW_PYTHON names no Python that has it")
    answers = folder / "vectors.txt"
    with answers.open("w", encoding="utf-8") as out:
        subprocess.run([PYTHON, "-W", "ignore", ROOT / "tests/real/airflow" / script, SEED, *arguments], stdout=out,
                       check=True)
    assert answers.read_text(encoding="utf-8").count("\n") > least, f"few answers with seed {SEED}"
    subprocess.run([ROOT / "build/src/calendar/calendar_test", f"--gtest_filter={test}"], cwd=ROOT, check=True,
                   env={**os.environ, variable: str(answers)})


def test_random_crons_walk_as_airflow_walks_them(tmp_path):
    compare(tmp_path, "cron_vectors.py", ["520", "20", "2"], "TAILRACE_CRON_VECTORS", "cron.next*:cron.what*", 520)


def test_random_conversations_with_timetables_are_airflows(tmp_path):
    compare(tmp_path, "timetable_vectors.py", ["5000"], "TAILRACE_TIMETABLE_VECTORS", "timetable.runs*", 5000)


def test_random_crons_are_described_as_airflow_describes_them(tmp_path):
    compare(tmp_path, "description_vectors.py", ["8000"], "TAILRACE_DESCRIPTION_VECTORS", "cron.descriptions*", 5000)


def test_random_moments_are_written_and_read_as_pendulum_does(tmp_path):
    compare(tmp_path, "moment_vectors.py", ["50000"], "TAILRACE_MOMENT_VECTORS", "moment.*", 50_000)
