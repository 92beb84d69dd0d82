"""Functions that tasks of the operators' DAGs name."""
import json
import time


def over_two(response, ti=None):
    print(f"{ti.task_id} sees {response.text}")
    return response.json()["count"] > 2


def records(count, prefix="v"):
    for i in range(count):
        yield f"k{i}", json.dumps({"n": i, "of": prefix})
    yield None, "without a key"
    yield "tombstone", None


def no_records():
    raise ValueError("there are none")


def told(where, message, sign="="):
    print(f"{where}{sign}{message.topic()} {message.partition()} {message.offset()} {message.key()} {message.value()}")
    value = message.value()
    return len(value) if value else None


def all_told(messages):
    print(f"{len(messages)} messages")


def third(message):
    value = json.loads(message.value()) if message.key() else {}
    return value if value.get("n") == 3 else None


def is_big(cell):
    return cell > 10


def is_negative(cell):
    return cell < 0


def slow():
    time.sleep(60)
    return True
