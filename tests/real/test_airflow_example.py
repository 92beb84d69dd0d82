"""The example's workflow on a real Airflow: the tasks of python/tailrace_provider drive a running project there as the
embedded scheduler's do, and the same rows are served, the same line is told to Slack."""
import json
import subprocess
import sys
import time

import pytest
import tailrace
from airflow_side import LOADED, ROOT, RealAirflow, Rest
from test_kafka_log import timeless

sys.path.insert(0, str(ROOT / "tests" / "operators"))
import stage  # noqa: E402

DAG = "user_automation"
pytestmark = pytest.mark.timeout(3600)
TABLES = ("users_raw", "users_clean", "users", "users_by_country_gender", "age_by_nationality", "top_cities")
FETCHED = 120  # at 20 a second, far less than the minute that it may take


class Slack:
    """A webhook that notes what it is told."""

    def __init__(self):
        self.server = stage.Server(stage.Web)
        self.connection = json.dumps({"conn_type": "slackwebhook", "password": "T1/B2/hush",
                                      "host": f"http://127.0.0.1:{self.server.port}/services"})

    def told(self):
        return [(one["target"], one["body"]) for one in self.server.noted]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def example(folder, **changes):
    """The example with an end, and its DAGs; `changes`: of its roles."""
    folder.mkdir(parents=True)
    project = tailrace.Project(folder)
    (project.folder / "dags").mkdir()
    for file in (tailrace.EXAMPLE / "dags").iterdir():
        if file.is_file():
            (project.folder / "dags" / file.name).write_bytes(file.read_bytes())
    text = (project.folder / "tailrace.yml").read_text()
    for before, after in (("limit: none", "limit: 1000"), ("rate: 20}", f"rate: 20, limit: {FETCHED}}}"),
                          ("every: 5s", "every: 300ms")):
        assert before in text, before
        text = text.replace(before, after, 1)
    for role, url in changes.items():
        before = f"  {role}: embedded"
        text = text.replace(before, f"  {role}: {url}", 1) if before in text else \
            text.replace("roles:\n", f"roles:\n  {role}: {url}\n", 1)
    (project.folder / "tailrace.yml").write_text(text)
    return project


def run_to_the_end(rest):
    """The run that is due, then one that is asked for; what became of their tasks, in their order."""
    rest.unpause(DAG)

    def finished(count):
        time.sleep(0.5)
        runs = rest.runs(DAG)
        return runs if len(runs) == count and all(one["state"] in ("success", "failed") for one in runs) else None

    tailrace.wait_until(lambda: finished(1), "the run that is due", LOADED)
    rest.trigger(DAG, "asked_for")
    runs = tailrace.wait_until(lambda: finished(2), "the run that was asked for", LOADED)
    found = []
    for run in runs:
        states, began = rest.tasks(DAG, run["dag_run_id"])
        order = [task for (task, _), _ in sorted(began.items(), key=lambda one: one[1] or "")]
        values = f"/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances/{{}}/xcomEntries/return_value"
        for task in ("fetch", "counts"):
            state, tries = states[task, -1]
            assert state == "success", f"{task} {state}: {rest.log(DAG, run['dag_run_id'], task, tries)}"
        told = {task: rest.get(values.format(task))["value"] for task in ("fetch", "counts")}
        found.append((run["run_type"], run["state"], states, order, told))
    return found


def ends(project):
    """Stops it when all that was fetched is in the lake."""
    tailrace.wait_until(lambda: len(project.lake("users_raw")) == 1000 + FETCHED, "all rows")
    project.stop()
    return {table: timeless(project.lake(table)) for table in TABLES}


def connections(project, slack):
    """Airflow's environment: where the running project is, and Slack."""
    return {"AIRFLOW_CONN_TAILRACE_DEFAULT": project.url().replace("http://", "tailrace://"),
            "AIRFLOW_CONN_SLACK": slack.connection}


def assert_same_package(written, source):
    """What pip installs of it."""
    names = [sorted(path.relative_to(folder) for path in folder.rglob("*")
                    if path.suffix in (".py", ".toml", ".typed", ".md")) for folder in (written, source)]
    assert names[0] == names[1] and len(names[0]) > 10
    assert all((written / name).read_bytes() == (source / name).read_bytes() for name in names[0])


def there(rest):
    """Whether Airflow has the DAG."""
    time.sleep(1)  # between two questions: it reads its files with the same cores
    errors = rest.get("/importErrors")["import_errors"]
    assert not errors, errors[0]["stack_trace"]
    return DAG in {one["dag_id"] for one in rest.get("/dags")["dags"]}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """What the embedded scheduler makes of it: runs, rows, and what Slack hears."""
    slack = Slack()
    project = example(tmp_path_factory.mktemp("embedded") / "run")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIRFLOW_CONN_SLACK", slack.connection)
        project.start()
    runs = run_to_the_end(Rest(project.run_file()["airflow"].rstrip("/")))
    found = runs, ends(project), slack.told()
    slack.close()
    return found


def test_the_example_on_airflow_has_the_runs_rows_and_messages_of_the_embedded_one(tmp_path, embedded):
    slack = Slack()
    project = example(tmp_path / "run", schedule="http://127.0.0.1:8080").start()
    assert not project.run_file()["airflow"]
    written = tmp_path / "airflow"
    done = subprocess.run([tailrace.PROGRAM, "airflow", project.folder, "--out", written], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (written / "requirements.txt").read_text().split() == [
        "apache-airflow==3.3.2", "dag-factory==1.1.0", "apache-airflow-providers-slack==9.11.1",
        "apache-airflow-providers-standard==1.21.0"]
    assert_same_package(written / "tailrace_provider", ROOT / "python" / "tailrace_provider")
    airflow = RealAirflow(written, connections(project, slack))
    try:
        rest = airflow.start()
        tailrace.wait_until(lambda: there(rest), "the DAG in Airflow", LOADED)
        runs = run_to_the_end(rest)
    finally:
        airflow.stop()
        slack.close()
    wanted_runs, wanted_rows, wanted_told = embedded
    assert runs == wanted_runs
    assert [one[:2] for one in runs] == [("scheduled", "success"), ("manual", "success")]
    assert runs[0][4] == {"fetch": FETCHED, "counts": wanted_runs[0][4]["counts"]}
    assert ends(project) == wanted_rows
    assert slack.told() == wanted_told and len(wanted_told) == 2
    assert f"{FETCHED} people fetched" in wanted_told[0][1]
