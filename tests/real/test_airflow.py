"""The same DAG files on a real Airflow: what `tailrace airflow` writes runs there, by its scheduler and over its REST
API, with the task states that are recorded of it and that the embedded scheduler is held to, in their order."""
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
import tailrace
from airflow_side import LOADED, RealAirflow

pytestmark = pytest.mark.timeout(3600)
ROOT = pathlib.Path(__file__).resolve().parents[2]
DAGS = ROOT / "tests/dags"
# What waits longer than this of the clock, or goes by timetables, is compared on a driven clock (src/workflows).
MOST_WAIT = 30
# What the lab's clock, which stands still, decides otherwise.
LEFT_OUT = {"sensors_timeout", "deadline"}
# Where it matters what runs beside what: the lab runs one task after the other.
ONE_BY_ONE = {"fail_fast"}


def recordings():
    """Recordings of files that are triggered, not scheduled."""
    found = {}
    only = os.environ.get("TAILRACE_AIRFLOW_FILES", "").split()
    for path in sorted((DAGS / "expected").glob("*.json")):
        recorded = json.loads(path.read_text())
        moved = max([step["now"] for step in recorded["trace"] if "now" in step] or [recorded["now"]])
        kinds = {run["type"] for run in recorded["runs"]}
        if (path.stem not in LEFT_OUT and kinds <= {"manual", "asset_triggered"} and recorded["runs"]
                and moved - recorded["now"] <= MOST_WAIT and (not only or path.stem in only)):
            found[path.stem] = recorded
    return found


def triggers(recorded):
    return [step["trigger"] for step in recorded["trace"] if "trigger" in step]


def wanted(recorded):
    """{DAG: [(run's state, {(task, map index): (state, tries)})]} in the order of the runs."""
    found = {}
    for run in recorded["runs"]:
        tasks = {(task, index): (state, tries) for task, index, state, tries in run["tasks"]}
        found.setdefault(run["dag"], []).append((run["state"], tasks))
    return found


def project_of(folder, files):
    """A project whose DAGs are these files of the corpus."""
    made = tailrace.Project(folder)
    for name in [*files, "steps.py"]:
        to = made.folder / "dags" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DAGS / name, to)
    return made


def ends(rest, dags, counts):
    """When each DAG has so many runs, all finished: their states and tasks."""
    def all_done():
        time.sleep(0.5)  # its API server shares the processors with the tasks
        runs = {dag: rest.runs(dag) for dag in dags}
        done = all(len(runs[dag]) >= counts[dag] and
                   all(run["state"] in ("success", "failed") for run in runs[dag]) for dag in dags)
        return runs if done else None

    runs = tailrace.wait_until(all_done, f"the runs of {dags}", LOADED)
    found, began = {}, {}
    for dag in dags:
        for run in runs[dag]:
            tasks, starts = rest.tasks(dag, run["dag_run_id"])
            found.setdefault(dag, []).append((run["state"], tasks))
            began.setdefault(dag, []).append(starts)
    return found, began


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """The corpus's files in one project: a real Airflow on them, and Tailrace."""
    chosen = recordings()
    made = project_of(tmp_path_factory.mktemp("corpus"), [recorded["file"] for recorded in chosen.values()])
    environment = {"DAGS_DIR": str(made.folder / "dags")}
    written = made.folder.parent / "airflow"
    done = subprocess.run([tailrace.PROGRAM, "airflow", made.folder, "--out", written], capture_output=True,
                          text=True, env=os.environ | environment, timeout=60)
    assert done.returncode == 0, done.stderr
    airflow = RealAirflow(written, environment)
    try:
        rest = airflow.start()
        dags = {dag for recorded in chosen.values() for dag in recorded["dags"]}

        def all_there():
            errors = rest.get("/importErrors?limit=100")["import_errors"]
            assert not errors, errors[0]["stack_trace"]
            return dags <= {dag["dag_id"] for dag in rest.get("/dags?limit=1000")["dags"]}

        tailrace.wait_until(all_there, "the DAGs in Airflow", LOADED)
        yield rest, chosen
    finally:
        airflow.stop()


def test_what_tailrace_writes_names_the_packages_that_the_files_need(tmp_path):
    made = project_of(tmp_path, ["branch.yml", "sensors_file.yml"])
    out = tmp_path / "airflow"
    done = subprocess.run([tailrace.PROGRAM, "airflow", made.folder, "--out", out], capture_output=True, text=True,
                          timeout=60, env=os.environ | {"DAGS_DIR": str(made.folder / "dags")})
    assert done.returncode == 0, done.stderr
    assert (out / "requirements.txt").read_text().split() == [
        "apache-airflow==3.3.2", "dag-factory==1.1.0", "apache-airflow-providers-standard==1.21.0"]
    assert str(made.folder / "dags") in (out / "dags" / "tailrace_project.py").read_text()


@pytest.mark.parametrize("name", recordings())
def test_each_file_of_the_corpus_ends_on_airflow_as_recorded(sides, name):
    rest, chosen = sides
    recorded = chosen[name]
    expected = wanted(recorded)
    rest.pool("default_pool", 1 if name in ONE_BY_ONE else 128)
    for dag in recorded["dags"]:
        rest.unpause(dag)
    for dag in triggers(recorded):
        rest.trigger(dag, f"manual__{dag}")
        ends(rest, [dag], {dag: 1})
    found, began = ends(rest, list(expected), {dag: len(runs) for dag, runs in expected.items()})
    for dag in recorded["dags"]:
        rest.unpause(dag, True)
    assert found == expected
    for dag, runs in began.items():
        ran = {(step["task"][2], step["task"][3]) for step in recorded["trace"]
               if "task" in step and step["task"][0] == dag}
        check_order(dag, rest.get(f"/dags/{dag}/tasks")["tasks"], ran, runs)


def check_order(dag, tasks, ran, runs):
    """Whoever ran began after those for all of which he waits."""
    waits = {task["task_id"]: task["trigger_rule"] not in ("always", "one_success", "one_failed", "one_done")
             for task in tasks}
    pairs = [(task["task_id"], later) for task in tasks for later in task["downstream_task_ids"] if waits[later]]
    for starts in runs:
        for before, after in pairs:
            first = [start for one, start in starts.items() if one[0] == before and one in ran and start]
            then = [start for one, start in starts.items() if one[0] == after and one in ran and start]
            assert not first or not then or max(first) <= min(then), f"{dag}: {before} before {after}"
