"""`tailrace check` reads functions and the `lambda:` part before anything runs: errors name the file and the line."""
import json

import pytest

import tailrace
from test_functions import ORDER, SCORE

SQL = "CREATE STREAMING TABLE orders_raw AS SELECT key, value FROM STREAM orders;\n"


@pytest.fixture
def project(tmp_path):
    made = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "topics": {"orders": {"partitions": 1, "format": "json"}},
        "ingest": [{"name": "shop", "topic": "orders", "use": "webhook"}],
        "functions": {"score": {"python": "hooks/score.py"}, "double": {"sql": "hooks/order.sql", "answer": "value"},
                      "take": {"ingest": "shop"}}}))
    (made.folder / "hooks").mkdir()
    (made.folder / "hooks" / "score.py").write_text(SCORE)
    (made.folder / "hooks" / "order.sql").write_text(
        "SELECT count(*) FROM orders_raw AS o JOIN event AS e ON o.key = e.value\n")
    return made


def check(project):
    return project.command("check", project.folder)


def test_what_is_sound_is_listed(project):
    done = check(project)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "function  score  hooks/score.py, score.handler" in lines
    assert "function  double  hooks/order.sql, 1 columns" in lines
    assert "function  take  source shop" in lines


WRONG = {
    "a column that the event does not have":
        ("order.sql", "SELECT value\nFROM event WHERE nothing = 1\n", ["hooks/order.sql:2:", "nothing"]),
    "a table that is not there": ("order.sql", "SELECT n FROM\n  orders_row\n", ["hooks/order.sql:2:", "orders_row"]),
    "no SQL": ("order.sql", "SELECT FROM WHERE\n", ["hooks/order.sql:1:"]),
    "a statement that is no SELECT": ("order.sql", "SHOW TABLES\n", ["hooks/order.sql:1:", "SELECT"]),
    "more columns than one value": ("order.sql", ORDER, ["answer: value", "hooks/order.sql has 2", "tailrace.yml:"]),
    "Python that does not compile":
        ("score.py", "def handler(event, context):\n    return (\n", ["hooks/score.py:2: "]),
    "a byte that is no text": ("score.py", "a = '\0'\n", ["hooks/score.py:1: "]),
    "no handler": ("score.py", "def other(event, context):\n    return 1\n", ["hooks/score.py:1: ", "`handler`"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_its_place(project, what):
    name, text, said = WRONG[what]
    (project.folder / "hooks" / name).write_text(text)
    done = check(project)
    assert done.returncode == 1
    for word in said:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize("text", [
    "from elsewhere import handler\n", "from elsewhere import *\n", "handler = lambda event, context: 1\n",
    "try:\n    import a\n    def handler(e, c): return 1\nexcept ImportError:\n    handler = None\n"])
def test_a_handler_may_come_from_anywhere_and_is_not_run(project, text):
    marker = project.folder / "ran"
    (project.folder / "hooks" / "score.py").write_text(text + f"\nopen({str(marker)!r}, 'w')\n")
    done = check(project)
    assert done.returncode == 0, done.stderr
    assert not marker.exists()


def with_lambda(project, part):
    path = project.folder / "tailrace.yml"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lambda": part}, indent=1))
    return check(project)


def test_the_lambda_part_is_read_as_the_function_reads_it(project):
    done = with_lambda(project, {"topic": "events", "envelope": "whole"})
    assert done.returncode == 1
    assert "tailrace.yml:" in done.stderr and "neither record nor event" in done.stderr
    done = with_lambda(project, {"topics": "events"})
    assert done.returncode == 1 and "did you mean `topic`" in done.stderr
    done = with_lambda(project, {"topic": "events"})
    assert done.returncode == 0, done.stderr
    assert "warning  lambda: TAILRACE_KAFKA is to be set" in done.stdout
    done = with_lambda(project, {"topic": "events", "kafka": "kafka://kafka:9092"})
    assert done.returncode == 0 and "warning" not in done.stdout
