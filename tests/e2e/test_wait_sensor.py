"""WaitSensor: its time counts from the task's own beginning, and it holds no slot meanwhile."""
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
WAIT = "airflow.providers.standard.sensors.time_delta.WaitSensor"


@pytest.mark.parametrize("time", ["{__type__: datetime.timedelta, seconds: 1}", "0", "'{{ 0 }}'"])
def test_what_comes_after_it_begins_no_sooner(tmp_path, time):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "one.yml").write_text(f"""
one:
  start_date: 2026-01-01
  tasks:
    before: {{operator: {BASH}, bash_command: "date +%s.%N > {tmp_path}/before"}}
    wait: {{operator: {WAIT}, time_to_wait: {time}, dependencies: [before]}}
    after: {{operator: {BASH}, bash_command: "date +%s.%N > {tmp_path}/after", dependencies: [wait]}}
""")
    done = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", tmp_path], capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    between = float((tmp_path / "after").read_text()) - float((tmp_path / "before").read_text())
    assert between >= (1 if "seconds: 1" in time else 0)
