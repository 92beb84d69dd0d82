"""What the Python tasks of the DAG corpus call: small, quick, and the same wherever they run."""
import json
import pathlib
import tempfile


def nothing():
    return None


def one():
    return 1


def numbers():
    return [1, 2, 3]


def no_numbers():
    return []


def words():
    return {"red": 1, "green": 2}


def pairs():
    return [{"x": 1, "y": 10}, {"x": 2, "y": 20}, {"x": 3, "y": 30}]


def add(x, y=100):
    return x + y


def double(x):
    return 2 * x


def total(values):
    return sum(values)


def fail():
    raise ValueError("as asked")


def fail_on_two(x):
    if x == 2:
        raise ValueError("two, as asked")
    return x


def fail_first_try(**context):
    if context["ti"].try_number == 1:
        raise ValueError("the first try fails, as asked")


def skip():
    from airflow.sdk.exceptions import AirflowSkipException

    raise AirflowSkipException("as asked")


def fail_at_once():
    from airflow.sdk.exceptions import AirflowFailException

    raise AirflowFailException("no retry, as asked")


def go_left():
    return "left"


def go_left_and_middle():
    return ["left", "middle"]


def go_nowhere():
    return None


def go_into_group():
    return "lane.first"


def yes():
    return True


def no():
    return False


def parts():
    return {"name": "tailrace", "size": 3}


def show(**context):
    return context["ds"]


def pull_total(**context):
    return sum(context["ti"].xcom_pull(task_ids=["first", "second"]))


def expect(actual, wanted):
    if actual != wanted:
        raise ValueError(f"{actual!r} is not {wanted!r}")


def at_second_look(**context):
    """True from the second call of a task instance on: a sensor's condition that takes two looks."""
    ti = context["ti"]
    mark = pathlib.Path(tempfile.gettempdir()) / f"dags-{ti.dag_id}-{ti.task_id}-{ti.run_id}".replace(":", "_")
    if mark.exists():
        mark.unlink()
        return True
    mark.write_text("seen")
    return False


def note(context, word="note"):
    """A callback: notes what happened, to be read in the log."""
    print(json.dumps({"word": word, "task": getattr(context.get("ti"), "task_id", None)}))


def greet(name):
    return f"hello {name}"


def before(**context):
    """A task's date: the run before."""
    return context["ds"] < "2026-01-03"


def write_alias(**context):
    from airflow.sdk import Asset, AssetAlias

    context["outlet_events"][AssetAlias(name="corpus_alias")].add(Asset(name="corpus_aliased"))


def some_commands():
    return ["true", "exit 1", "exit 99"]


def a_command():
    return "echo from a function"


async def late(word="late", **context):
    """A deadline's callback."""
    print(word)
