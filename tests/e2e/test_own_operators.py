"""Tailrace's own operators (ingest, refresh, table, expect), and the operations of the console's API behind them."""
import json
import shutil

import embedded_operators
import pytest
import tailrace
from records import lines

OWN = tailrace.ROOT / "tests/operators/own.yml"
PEOPLE = 24


def project_with(folder, dags=()):
    """A project whose source emits only when it is told to; nothing of it has been read."""
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(range(PEOPLE)))
    ingest = [one | {"paused": True} for one in tailrace.files_from(folder / "input")]
    made = tailrace.Project(folder, settings=tailrace.settings(ingest))
    shutil.rmtree(made.folder / "dags", ignore_errors=True)  # the example's own
    (made.folder / "dags").mkdir()
    for dag in dags:
        shutil.copy(dag, made.folder / "dags")
    return made


@pytest.fixture
def project(tmp_path):
    made = project_with(tmp_path)
    yield made.start()
    made.kill()


def over(project, operation):
    return tailrace.wait_until(
        lambda: (now := project.get(f"/api/operations/{operation['id']}"))["state"] != "running" and now, "its end")


def test_own_operators_end_as_they_must(tmp_path):
    made = project_with(tmp_path, [OWN]).start()
    told = embedded_operators.outcome(made, "own")
    made.kill()
    states = {}
    for task, found in told.items():
        states.setdefault(found["state"], set()).add(task)
    assert states == {
        "success": {"ingest", "refresh", "a_second", "women", "as_many", "true_ones", "none", "between", "equal"},
        "skipped": {"too_many"},
        "failed": {"nothing", "no_table", "not_true", "some", "no_row", "under", "over", "no_number", "unequal",
                   "no_query"},
    }
    assert told["ingest"]["returned"] == PEOPLE and told["a_second"]["returned"] == 0
    assert told["as_many"]["returned"] == PEOPLE
    assert told["equal"]["returned"] == {"n": 3, "x": "x"}
    assert told["not_true"]["why"] == "many is False, not true"
    assert told["some"]["why"] == "1 rows where none should be; the first is {'a': 'a', 'b': '1.5'}"
    assert told["no_row"]["why"] == "the query gave no row"
    assert told["under"]["why"] == "n is 3, under 3.5"
    assert told["nothing"]["why"] == "`ingest` of tailrace.yml has no `nothing`"


def test_a_paused_source_emits_while_an_operation_runs_it(project):
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": 0}]
    begun = project.post("/api/ingest/input/run", {})
    assert (begun["kind"], begun["name"], begun["state"]) == ("ingest", "input", "running")
    assert over(project, begun)["records"] == PEOPLE
    assert over(project, project.post("/api/refresh", {}))["state"] == "succeeded"
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": PEOPLE}]
    (project.folder.parent / "input" / "b.jsonl").write_text(lines(range(100, 105)))
    again = over(project, project.post("/api/ingest/input/run", {"seconds": 6}))
    assert (again["state"], again["records"]) == ("succeeded", 5)


def test_an_operation_that_runs_is_stopped(project):
    begun = project.post("/api/ingest/input/run", {"seconds": 3600})
    project.post(f"/api/operations/{begun['id']}/stop", {})
    assert over(project, begun)["state"] == "stopped"


def test_operations_end_with_the_program(project):
    project.post("/api/ingest/input/run", {"seconds": 3600})
    project.stop()


@pytest.mark.parametrize("path, body, code", [
    ("/api/ingest/nobody/run", {}, "NOT_FOUND"),
    ("/api/ingest/input/run", {"seconds": 0}, "INVALID_ARGUMENT"),
    ("/api/ingest/input/run", {"seconds": 1e9}, "INVALID_ARGUMENT"),
    ("/api/ingest/input/run", {"second": 1}, "INVALID_ARGUMENT"),
    ("/api/refresh", {"all": True}, "INVALID_ARGUMENT"),
    ("/api/operations/99/stop", {}, "NOT_FOUND"),
])
def test_a_wrong_question_is_told_what_is_wrong(project, path, body, code):
    with pytest.raises(AssertionError) as refused:
        project.post(path, body)
    assert json.loads(str(refused.value))["error"]["code"] == code


def test_sixteen_operations_run_at_once_and_no_more(project):
    begun = [project.post("/api/ingest/input/run", {"seconds": 3600}) for _ in range(16)]
    with pytest.raises(AssertionError, match="operations run already"):
        project.post("/api/refresh", {})
    project.post(f"/api/operations/{begun[0]['id']}/stop", {})
    over(project, begun[0])
    assert over(project, project.post("/api/refresh", {}))["state"] == "succeeded"
