"""The example on real Spark, on local[2] and on a standalone master and worker: every table equal, row for row.

Spark runs what `tailrace spark` writes (the golden files, which a unit test keeps equal to it) over the records of the
topic; the right rows come from oracle.py. Two inputs, two runs: the second one must add exactly what is new.
"""

import contextlib
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from deltalake import DeltaTable

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python" / "tailrace_spark"), str(ROOT / "tests" / "real")]
import generate  # noqa: E402
import oracle  # noqa: E402
import run_pipeline  # noqa: E402

JARS = os.environ.get("TAILRACE_SPARK_JARS", "")
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


def rows_of(folder):
    import pyarrow as pa
    return pa.table(DeltaTable(str(folder)).to_pyarrow_table()).to_pylist()


def comparable(rows):
    def cell(value):
        if isinstance(value, datetime.datetime):
            return value.astimezone(datetime.timezone.utc).isoformat()
        return repr(value)
    return sorted(tuple((name, cell(row[name])) for name in sorted(row)) for row in rows)


def assert_equal(project, expected):
    for name, rows in expected.items():
        got, want = comparable(rows_of(project / "warehouse" / name)), comparable(rows)
        missing, extra = [r for r in want if r not in set(got)], [r for r in got if r not in set(want)]
        assert got == want, f"{name}: {len(got)} rows, not {len(want)}; missing {missing[:2]}, too many {extra[:2]}"


@contextlib.contextmanager
def standalone(folder):
    """A standalone master and one worker on free ports; gives the master's URL."""
    port, processes = run_pipeline.free_port(), []
    url = f"spark://127.0.0.1:{port}"
    commands = [("master", ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port),
                            "--webui-port", "0"]),
                ("worker", ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0",
                            "--cores", "2", "--memory", "2g", "--work-dir", str(folder / "work"), url])]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name, command in commands:
            with open(folder / f"{name}.log", "wb") as log:
                process = subprocess.Popen([run_pipeline.spark_bin("spark-class"), *command], stdout=log, stderr=log,
                                           cwd=folder, env=run_pipeline.environment(), start_new_session=True)
            processes.append(process)
            if name == "master":
                run_pipeline.wait_for_port(process, port, folder / "master.log")
        yield url
    finally:
        for process in reversed(processes):
            run_pipeline.stop(process)


def run_once(project, master):
    with run_pipeline.connect_server(project, master, JARS) as (remote, _):
        code, text = run_pipeline.run(project, remote)
    assert code == 0 and re.search(r"Run is COMPLETED", text), text[-4000:]


@pytest.mark.skipif(not JARS, reason="TAILRACE_SPARK_JARS is not set; tests/real/spark_env.sh prints it")
@pytest.mark.parametrize("kind", ["local", "standalone"])
def test_every_table_is_equal_row_for_row_after_each_of_two_runs(kind, tmp_path):
    records = input_records()
    project = tmp_path / "project"
    make_project(project)
    with contextlib.ExitStack() as stack:
        master = "local[2]" if kind == "local" else stack.enter_context(standalone(tmp_path / "cluster"))
        write_topic(project, records[:2000], 0)
        run_once(project, master)
        assert_equal(project, oracle.tables(records[:2000]))
        write_topic(project, records[2000:], 1)
        run_once(project, master)
        assert_equal(project, oracle.tables(records))
