"""What a task's templates and Python functions see of their run, as Airflow's get_template_context has it."""
import datetime
import json
import subprocess
import time
import uuid

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dags").mkdir()
    return tmp_path


def tried(folder, dag, *words):
    (folder / "dags" / "one.yml").write_text(dag)
    told = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder, *words], capture_output=True,
                          text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_templates_have_a_clock_and_random_numbers(folder):
    before = time.time()
    tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    tell:
      operator: {BASH}
      bash_command: >-
        echo '{{{{ macros.random() }}}}|{{{{ macros.uuid.uuid4() }}}}|{{{{ macros.time.time() }}}}|{{{{
        macros.datetime.now() }}}}|{{{{ [1, 2, 3] | random }}}}|{{{{ macros.random() }}}}' > {folder}/told
""")
    number, made, now, moment, one, other = (folder / "told").read_text().strip().split("|")
    assert 0 <= float(number) < 1 and number != other and one in "123"
    assert uuid.UUID(made).version == 4
    assert before - 1 < float(now) <= time.time()
    # Python's datetime.now() has no zone: it is the machine's time.
    assert abs((datetime.datetime.now() - datetime.datetime.fromisoformat(moment)).total_seconds()) < 600
