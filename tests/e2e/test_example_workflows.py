"""The example's second workflow: an asset starts it, a sensor waits, a branch decides, a group maps over a list."""
import json
import shutil

import pytest
import tailrace
from records import lines, user

DAG = "country_reports"
NUMBERS = range(300)


def project_in(folder):
    """The example's tables over users of ours, and its DAG."""
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(NUMBERS))
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input")))
    shutil.copytree(tailrace.EXAMPLE / "dags", made.folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    # What it fetches by is not of this project's settings.
    (made.folder / "dags" / "user_automation.yml").unlink()
    made.start()
    tailrace.wait_until(lambda: made.sql("SELECT count(*) AS n FROM users")[0]["n"] == len(NUMBERS), "the users")
    return made


@pytest.fixture
def project(tmp_path):
    made = project_in(tmp_path)
    yield made
    made.stop()


def ended(project, count):
    """The DAG's runs, when so many have ended: state, and what became of each task."""
    def finished():
        runs = project.get(f"/api/v2/dags/{DAG}/dagRuns?order_by=id")["dag_runs"]
        return runs if len(runs) == count and all(run["state"] in ("success", "failed") for run in runs) else None

    found = []
    for run in tailrace.wait_until(finished, "the runs have ended", 120):
        path = f"/api/v2/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances"
        tasks = project.get(path)["task_instances"]
        found.append((run, {(one["task_id"], one["map_index"]): one["state"] for one in tasks}))
    return found


def test_an_asset_starts_it_and_each_country_has_its_report(project):
    assets = project.get("/api/v2/assets")["assets"]
    fetched = next(one["id"] for one in assets if one["name"] == "users_fetched")
    project.post("/api/v2/assets/events", {"asset_id": fetched})
    [(run, tasks)] = ended(project, 1)
    assert run["run_type"] == "asset_triggered" and run["state"] == "success"
    reports = [("reports.report", index) for index in range(3)]
    assert tasks == dict.fromkeys([("some_users", -1), ("counted", -1), ("is_enough", -1), ("reports.queries", -1),
                                   ("summary", -1), *reports], "success") | {("too_few", -1): "skipped"}
    users = {}
    for number in NUMBERS:
        country = user(number)["location"]["country"]
        users[country] = users.get(country, 0) + 1
    ranked = sorted(users.items(), key=lambda one: (-one[1], one[0]))[:3]
    path = f"/api/v2/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances/summary/xcomEntries/return_value"
    told = project.get(path)["value"]
    assert told == ", ".join(f"{country} {count}" for country, count in ranked)


def test_with_too_few_users_the_other_branch_is_taken(project):
    done = project.command("dags", "run", DAG, "--conf", json.dumps({"enough": 10_000}), "--wait", "--project",
                           project.folder, "--data", project.data)
    assert done.returncode == 0, done.stdout + done.stderr
    [(_, tasks)] = ended(project, 1)
    assert tasks[("too_few", -1)] == "success"
    assert all(tasks[key] == "skipped" for key in tasks if key[0].startswith(("reports.", "summary")))
