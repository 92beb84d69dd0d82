"""Real Spark for the tests: a standalone cluster, `tailrace spark`, and tables compared row for row."""
import collections
import contextlib
import datetime
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "python" / "tailrace_spark")]
import run_pipeline  # noqa: E402
import tailrace  # noqa: E402

JARS = os.environ.get("TAILRACE_SPARK_JARS", "")
needs_spark = pytest.mark.skipif(not JARS, reason="TAILRACE_SPARK_JARS is not set; tests/real/spark_env.sh prints it")


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


def run_on_spark(project, out, master):
    """`tailrace spark`: the finished process, whatever its exit code."""
    return subprocess.run([tailrace.PROGRAM, "spark", project.folder, "--data", project.data, "--out", out, "--master",
                           master], capture_output=True, text=True, timeout=1200,
                          env=dict(os.environ, TAILRACE_PYTHON=sys.executable))


def plain(value):
    """A value whose text says all of it: NaN, -0.0, the scale of a decimal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {plain(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        pairs = value and all(isinstance(part, tuple) for part in value)  # a map: its order says nothing
        parts = [plain(list(part) if pairs else part) for part in value]
        return "[" + ", ".join(sorted(parts) if pairs else parts) + "]"
    return repr(value)


def view_as(column, kind):
    """The same buffers as another type."""
    import pyarrow as pa
    return pa.chunked_array([pa.Array.from_buffers(kind, len(chunk), chunk.buffers(), offset=chunk.offset)
                             for chunk in column.chunks], kind)


def readable(table, texts_as_bytes):
    """Days and microseconds as numbers, for Python knows the years 1 to 9999 only; texts as bytes where asked."""
    import pyarrow as pa
    bytes_of = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
    for index, field in enumerate(table.schema):
        column = table[field.name]
        if pa.types.is_timestamp(field.type):
            column = column.cast(pa.timestamp("us", field.type.tz)).cast(pa.int64())
        elif pa.types.is_date32(field.type):
            column = column.cast(pa.int32())
        elif texts_as_bytes and field.type in bytes_of:
            column = view_as(column, bytes_of[field.type])
        table = table.set_column(index, field.name, column)
    return table


def rows(folder, texts_as_bytes=False):
    """All rows of a Delta table, as dictionaries."""
    import pyarrow.dataset
    from deltalake import DeltaTable
    options = pyarrow.dataset.ParquetReadOptions(coerce_int96_timestamp_unit="us")
    table = DeltaTable(str(folder)).to_pyarrow_dataset(parquet_read_options=options).to_table()
    return readable(table, texts_as_bytes).to_pylist()


def in_numbers(value):
    """A Python value in the way that readable() leaves it: days and microseconds since 1970."""
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo)) // datetime.timedelta(microseconds=1)
    return (value - datetime.date(1970, 1, 1)).days if isinstance(value, datetime.date) else value


def comparable(table):
    return sorted(tuple((name, plain(row[name])) for name in sorted(row)) for row in table)


def assert_same(ours, theirs, name, empty=False):
    """The same rows on both sides; `empty` says that there are none, which otherwise would prove nothing."""
    ours, theirs = comparable(ours), comparable(theirs)
    assert bool(ours or theirs) != empty, f"{name} is {'not ' if empty else ''}empty"
    only_ours = list((collections.Counter(ours) - collections.Counter(theirs)).elements())
    only_theirs = list((collections.Counter(theirs) - collections.Counter(ours)).elements())
    assert ours == theirs, (f"{name}: {len(ours)} rows here, {len(theirs)} on Spark; {len(only_ours)} only here, "
                            f"{len(only_theirs)} only there:\n" + "\n".join(differing(only_ours, only_theirs)))


def differing(ours, theirs, most=20):
    """The first differing rows, each beside the one that is most like it, with the differing columns."""
    lines, left = [], list(theirs)
    for mine in ours[:most]:
        other = max(left, key=lambda row: len(set(row) & set(mine)), default=None)
        if other is None or not set(other) & set(mine):
            lines.append(f"only here {mine}")
            continue
        left.remove(other)
        same = [cell for cell in mine if cell in other][:2]
        lines.append(f"{same}: " + "; ".join(f"{name} is {a}, on Spark {b}"
                                             for (name, a), (_, b) in zip(mine, other) if a != b))
    return lines + [f"only on Spark {row}" for row in left[:most]] if len(ours) <= most else lines


def letters(project, flow):
    """Dead letters of a table's expectations as its quarantine table has them: partition, offset, reason."""
    found = project.sql(f"SELECT partition, offset, reason FROM system.dead_letters WHERE flow = '{flow}'")
    return sorted((r["partition"], r["offset"], r["reason"].removeprefix("expectation ")) for r in found)
