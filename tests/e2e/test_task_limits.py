"""Limits of tasks' processes: by tailrace.yml, by Airflow's `resources`; a try that is killed says by which."""
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"
SENSOR = "airflow.providers.standard.sensors.bash.BashSensor"
HOG = "held = b'x' * (300 << 20); import time; time.sleep(60)"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "hog.py").write_text(f"def hog():\n    {HOG}\n")
    return tmp_path


def tried(folder, task, limits=""):
    (folder / "tailrace.yml").write_text(f"workflows: {{{limits}}}\n")
    (folder / "dags" / "one.yml").write_text(f"""
one:
  start_date: 2026-01-01
  tasks:
    hog: {task}
""")
    done = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder], capture_output=True,
                          text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("task", [
    f"""{{operator: {BASH}, bash_command: "python3 -c \\"{HOG}\\""}}""",
    f"{{operator: {PYTHON}, python_callable: hog.hog}}",
    f"""{{operator: {SENSOR}, bash_command: "python3 -c \\"{HOG}\\""}}"""], ids=["bash", "python", "sensor"])
def test_memory_beyond_the_limit_ends_the_try_which_says_so(folder, task):
    code, told = tried(folder, task, "task_memory: 150MiB")
    assert code != 0 and "more than 150 MiB of memory together" in told
    assert "workflows: {task_memory: SIZE}" in told and "run " in told and ": failed" in told


def test_a_tasks_own_memory_is_airflows_resources(folder):
    task = f"{{operator: {PYTHON}, python_callable: hog.hog, resources: {{ram: 150}}}}"
    code, told = tried(folder, task, "task_memory: 100GiB")
    assert code != 0 and "more than 150 MiB of memory together" in told


def test_processor_time_and_processes(folder):
    endless = f"{{operator: {BASH}, bash_command: 'while :; do :; done'}}"
    code, told = tried(folder, endless, "task_processor_time: 300ms")
    assert code != 0 and "more than 0.3 s of processor time" in told
    many = "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; wait"
    code, told = tried(folder, f"{{operator: {BASH}, bash_command: '{many}'}}", "task_processes: 6")
    assert code != 0 and "more than 6 processes" in told


def test_open_files(folder):
    code, told = tried(folder, f"{{operator: {BASH}, bash_command: 'ulimit -n'}}", "task_open_files: 77")
    assert code == 0 and "77" in told
    code, told = tried(folder, f"{{operator: {BASH}, bash_command: 'ulimit -n'}}")
    assert code == 0 and "4096" in told
