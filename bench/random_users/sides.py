"""The two sides of the benchmark: Tailrace's program and Spark's server, each with what a run of it used."""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "random_users"
sys.path.insert(0, str(ROOT / "python" / "tailrace_spark"))
import run_pipeline  # noqa: E402

TOPIC = {"partitions": 2, "format": "json"}
KEYS = {"users": ["id"], "users_by_country_gender": ["country", "gender"],
        "signups_per_minute": ["minute", "country"], "age_by_nationality": ["nationality"],
        "top_cities": ["city", "country"], "latest_users": ["id"]}


@dataclasses.dataclass
class Use:
    """What a run used: seconds, CPU seconds of all its threads, the largest resident memory."""
    wall_s: float
    cpu_s: float
    peak_mb: float


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def fake(**settings):
    return [{"name": "users", "topic": "users_created", "key": "$.login.uuid", "use": "fake",
             "fake": {"kind": "random_user", "seed": 42, **settings}}]


def write_project(folder, ingest, sql=None):
    """The example with another ingest; `sql` instead of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".tailrace", "dags"))
    settings = {"topics": {"users_created": TOPIC}, "ingest": ingest, "checkpoint": {"every": "5s"}}
    if sql:
        shutil.rmtree(folder / "transformations")
        (folder / "transformations").mkdir()
        (folder / "transformations" / "tables.sql").write_text(sql)
        settings["topics"]["nothing"] = {}
    else:
        settings["serving"] = {name: {"table": name, "key": key} for name, key in KEYS.items()}
    (folder / "tailrace.yml").write_text(json.dumps(settings))
    return folder


def used(command):
    """Runs a command to its end and says what it used; its output is shown when it fails."""
    log = pathlib.Path(command[-1]).with_suffix(".log")
    begin = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{command} ended with {status}:\n{log.read_text('utf-8', 'replace')[-4000:]}")
    return Use(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def append(program, work, data, count):
    """`count` records from the generator to the topic's log in `data`, and nothing else."""
    project = write_project(work / "ingest", fake(limit=count),
                            "CREATE STREAMING TABLE unused AS SELECT key FROM STREAM nothing;")
    staged = work / "staged"
    use = used([program, "run", project, "--once", "--data", staged])
    data.mkdir()
    (staged / "log").rename(data / "log")
    shutil.rmtree(staged)
    return use


def drain(program, work, data, perf=None):
    """All of the log in `data` through every table, once."""
    project = write_project(work / "project", [])
    command = [program, "run", project, "--once", "--data", data]
    if perf:
        command = ["perf", "record", "-q", "-F", "499", "-g", "-o", perf, "--", *command]
    return used(command)


def export(program, work, data, out, check_json):
    """The project for Spark, with the topic's records as Parquet; without the check for JSON unless asked."""
    used([program, "spark", work / "project", "--data", data, "--write-only", "--out", out])
    topics = out / "transformations" / "tailrace_topics.py"
    if not check_json:
        text = topics.read_text("utf-8").split("\n\n\n@dp.table")[0].replace(".where(IS_JSON)", "") + "\n"
        topics.write_text(text, "utf-8")


def process_use(pid):
    """CPU seconds and peak MB of a live process."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024


def spark(project, jars, master="local[2]"):
    """`spark-pipelines run` on a server that is up already; its CPU is the server's."""
    settings = {"spark.driver.memory": "4g"}
    with run_pipeline.connect_server(project, master, jars, settings) as (remote, server):
        before, _ = process_use(server.pid)
        begin = time.monotonic()
        code, text = run_pipeline.run(project, remote)
        wall = time.monotonic() - begin
        after, peak = process_use(server.pid)
    if code != 0 or "Run is COMPLETED" not in text:
        sys.exit("Spark's run failed:\n" + text[-4000:])
    return Use(wall, after - before, peak)


def row_count(table):
    from deltalake import DeltaTable
    return DeltaTable(str(table)).to_pyarrow_dataset().count_rows()


def rows(table):
    """All rows of a small table, in an order of their own."""
    from deltalake import DeltaTable

    def cell(value):
        utc = datetime.timezone.utc
        return value.astimezone(utc).isoformat() if isinstance(value, datetime.datetime) else repr(value)

    found = DeltaTable(str(table)).to_pyarrow_table().to_pylist()
    return sorted(tuple((name, cell(row[name])) for name in sorted(row)) for row in found)
