"""The example's Spark project by itself: every table equal, row for row, to a third opinion in plain Python.

Spark runs what `tailrace spark` writes (the golden files, which a unit test keeps equal to it) over the records of the
topic; the right rows come from oracle.py. Two inputs, two runs: the second one must add exactly what is new.
"""
import json
import re

import generate
import oracle
import spark_side
from spark_side import JARS, ROOT, assert_same, in_numbers, needs_spark, run_pipeline

GOLDEN = ROOT / "tests" / "real" / "golden" / "random_users"
ODD = [  # what is done to a record's value
    lambda u: "not json", lambda u: "", lambda u: json.dumps(u) + " x", lambda u: json.dumps(u)[:-1],
    lambda u: '{"gender":"male"} {"gender":"male"}', lambda u: None, lambda u: "{}",
    lambda u: json.dumps({**u, "email": None}), lambda u: json.dumps({**u, "email": "@"}),
    lambda u: json.dumps({**u, "login": {}, "email": "nobody"}), lambda u: json.dumps({**u, "gender": " FEMALE "}),
    lambda u: json.dumps({**u, "dob": {"date": "no date", "age": 150}}),
    lambda u: json.dumps({**u, "registered": {"date": "2026-01-02"}}),
    lambda u: json.dumps({**u, "nat": None, "location": {"city": "Nowhere"}}),
    lambda u: json.dumps({**u, "picture": {"medium": "m.jpg"}, "email": "  Ada@Example.COM "}),
]


def input_records():
    """3,000 records over five minutes: every hundredth is odd, every tenth of the rest comes again."""
    made = []
    for number, (key, value, part, offset, time) in enumerate(generate.records(3000, seed=7, per_second=10)):
        if number % 100 == 50:
            value = ODD[number // 100 % len(ODD)](json.loads(value))
        elif number % 10 == 3:
            key, value = made[number - 3][:2]
        made.append((key, value, part, offset, time))
    return made


def write_topic(project, records, number):
    import pyarrow.parquet as pq
    folder = project / "topics" / generate.TOPIC
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(generate.table(records), folder / f"{generate.TOPIC}-{number:020d}.parquet")


def make_project(folder):
    for file in GOLDEN.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            target = folder / file.relative_to(GOLDEN)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text("utf-8").replace("file:///project/", f"file://{folder}/"), "utf-8")


def assert_equal(project, expected):
    for name, rows in expected.items():
        rows = [{column: in_numbers(value) for column, value in row.items()} for row in rows]
        assert_same(rows, spark_side.rows(project / "warehouse" / name), name)


def run_once(project, master):
    with run_pipeline.connect_server(project, master, JARS) as (remote, _):
        code, text = run_pipeline.run(project, remote)
    assert code == 0 and re.search(r"Run is COMPLETED", text), text[-4000:]


@needs_spark
def test_every_table_is_as_plain_python_computes_it_after_each_of_two_runs(tmp_path):
    records = input_records()
    project = tmp_path / "project"
    make_project(project)
    write_topic(project, records[:2000], 0)
    run_once(project, "local[2]")
    assert_equal(project, oracle.tables(records[:2000]))
    write_topic(project, records[2000:], 1)
    run_once(project, "local[2]")
    assert_equal(project, oracle.tables(records))
