"""Airflow's own command line for its API, airflowctl, over a running project: the same outcome as on Airflow 3.3.2,
command by command (recorded by tests/real/airflow_api.py)."""
import json
import shutil

import airflowctl_calls
import pytest
import tailrace
import test_airflow_api

# Where a command's outcome is another on purpose: why is in src/airflow/README.md.
ON_PURPOSE = {}


@pytest.mark.timeout(600)
def test_each_command_of_airflowctl_does_what_it_does_on_airflow(tmp_path):
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path)))
    shutil.copytree(test_airflow_api.FOLDER / "dags", project.folder / "dags", dirs_exist_ok=True)
    project.start()
    (tmp_path / "ctl").mkdir()
    session = airflowctl_calls.Session(tmp_path / "ctl", project.run_file()["airflow"])
    ours = airflowctl_calls.hold(session, tmp_path / "ctl", lambda: test_airflow_api.settle(project))
    session.close()
    project.kill()
    theirs = json.loads((test_airflow_api.FOLDER / "airflowctl.json").read_text())
    assert list(ours) == list(theirs), "the same conversation"
    found = [f"{name}{line}" for name in ours if name not in ON_PURPOSE
             for line in test_airflow_api.differences(ours[name], theirs[name])]
    assert not found, "\n".join(found)
