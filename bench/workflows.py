"""What workflows cost and how soon they act: `./dev bench workflows [events] [load]`.

events: how long after a record is appended the first task of its run starts (its row, and its shell).
load: 1,000 DAGs of 20 tasks, 10,000 runs an hour: the program's processor time and memory."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
BASH = "airflow.providers.standard.operators.bash.BashOperator"
EVENTS, A_SECOND = 1000, 20
DAGS, TASKS, RUNS_AN_HOUR = 1000, 20, 10_000
MEASURED_S = int(os.environ.get("TAILRACE_BENCH_SECONDS", "180"))


def project(folder, tailrace):
    made = tailrace.Project(folder, settings=json.dumps({
        "topics": {"users_created": {"partitions": 1, "format": "json"}},
        "serving": {}, "ingest": []}))
    (made.folder / "dags").mkdir()
    return made


def stamp_by_append(broker, topic):
    """From here on a record's time is when it is appended."""
    from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType)

    entry = ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)
    admin = AdminClient({"bootstrap.servers": broker})
    asked = admin.incremental_alter_configs(
        [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])])
    for answer in asked.values():
        answer.result(30)


def rows(made, query):
    with sqlite3.connect(f"file:{made.data}/dags/workflows.db?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(query).fetchall()


def shares(values):
    values = sorted(values)
    return ", ".join(f"p{share} {values[int(len(values) * share / 100)]:.1f} ms" for share in (50, 90, 99))


def events(tailrace):
    import confluent_kafka

    with tempfile.TemporaryDirectory() as folder:
        made = project(folder, tailrace)
        notes = pathlib.Path(folder) / "notes"
        (made.folder / "dags" / "d.yml").write_text(f"""
d:
  start_date: 2026-01-01
  max_active_runs: 64
  schedule: [{{__type__: airflow.sdk.Asset, uri: "tailrace://topics/users_created"}}]
  tasks:
    first:
      operator: {BASH}
      bash_command: "date +%s%N > {notes}-{{{{ (triggering_asset_events.values() | first | first).extra.offset }}}}"
""")
        made.start()
        stamp_by_append(made.kafka(), "users_created")
        producer = confluent_kafka.Producer({"bootstrap.servers": made.kafka(), "linger.ms": 0})
        began = time.monotonic()
        for number in range(EVENTS):
            producer.produce("users_created", b"{}")
            producer.poll(0)
            time.sleep(max(0, began + (number + 1) / A_SECOND - time.monotonic()))
        producer.flush(30)
        tailrace.wait_until(lambda: rows(made, "SELECT count(*) FROM run WHERE state = 'success'")[0][0] >= EVENTS,
                            "all runs", 120)
        consumer = confluent_kafka.Consumer({"bootstrap.servers": made.kafka(), "group.id": "bench",
                                             "auto.offset.reset": "earliest"})
        consumer.assign([confluent_kafka.TopicPartition("users_created", 0, 0)])
        appended = {}
        while len(appended) < EVENTS:
            for message in consumer.consume(1000, 1):
                appended[message.offset()] = message.timestamp()[1]
        consumer.close()
        offsets = dict((i, json.loads(extra)["offset"]) for i, extra in rows(made, "SELECT id, extra FROM asset_event"))
        started = {}
        for found, at in rows(made, "SELECT asset_events, t.started_at FROM run r JOIN task t "
                                    "ON r.dag = t.dag AND r.run = t.run"):
            started[offsets[json.loads(found)[0]]] = at / 1000
        made.stop()
        print(f"{EVENTS} records at {A_SECOND} a second, one run each")
        print("  appended → its first task started:   ", shares([started[o] - appended[o] for o in appended]))
        print("  appended → the task's shell says so: ", shares(
            [int(pathlib.Path(f"{notes}-{o}").read_text()) / 1e6 - appended[o] for o in appended]))


def usage(pid):
    """Processor seconds of the program, of its children; resident memory."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    memory = {name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) / 1024 for name in ("VmRSS", "VmHWM")}
    own, children = (sum(map(int, words[i:i + 2])) / tick for i in (11, 13))
    return own, children, memory


def load(tailrace):
    with tempfile.TemporaryDirectory() as folder:
        made = project(folder, tailrace)
        every = DAGS * 3600 / RUNS_AN_HOUR
        now = time.time()
        for number in range(DAGS):
            start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - every + number * every / DAGS))
            tasks = "".join(
                f"    t{i}: {{operator: {BASH}, bash_command: ':'"
                + (f", dependencies: [t{(i - 1) // 2}]" if i else "") + "}\n" for i in range(TASKS))
            (made.folder / "dags" / f"d{number}.yml").write_text(
                f"d{number}:\n  schedule: {{__type__: datetime.timedelta, seconds: {int(every)}}}\n"
                f"  start_date: {start}\n  catchup: true\n  tasks:\n{tasks}")
        began = time.monotonic()
        made.start()
        tailrace.wait_until(lambda: (made.data / "dags/workflows.db").exists() and rows(
            made, "SELECT count(*) FROM dag")[0][0] == DAGS, "the DAGs", 120)
        print(f"{DAGS} DAGs of {TASKS} tasks are scheduled {time.monotonic() - began:.1f} s after the start")
        time.sleep(20)
        count = "SELECT count(*) FROM run WHERE state = 'success'"
        before, runs, at = usage(made.process.pid), rows(made, count)[0][0], time.monotonic()
        time.sleep(MEASURED_S)
        after, more, seconds = usage(made.process.pid), rows(made, count)[0][0], time.monotonic() - at
        made.stop()
        print(f"{(more - runs) / seconds * 3600:.0f} runs an hour, {(more - runs) * TASKS / seconds:.1f} tasks a "
              f"second, each with a process of bash, over {seconds:.0f} s")
        print(f"  the program: {(after[0] - before[0]) / seconds * 100:.1f} % of a core, "
              f"{after[2]['VmRSS']:.0f} MB (at most {after[2]['VmHWM']:.0f}); "
              f"the tasks' processes: {(after[1] - before[1]) / seconds * 100:.1f} % of a core")


def main():
    subprocess.run(["ninja", "-C", ROOT / "build", "tailrace"], check=True, stdout=subprocess.DEVNULL)
    import tailrace

    asked = sys.argv[1:] or ["events", "load"]
    if "events" in asked:
        events(tailrace)
    if "load" in asked:
        load(tailrace)


if __name__ == "__main__":
    main()
