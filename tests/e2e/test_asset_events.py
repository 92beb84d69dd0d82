"""Records and commits start runs, each exactly one, through kill -9; no run of a schedule is lost or doubled."""
import collections
import json
import random
import sqlite3
import time

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
MINUTES = max(1440, 40 * tailrace.KILLS)  # of the day: so long that it is not over before the last kill


@pytest.fixture
def project(tmp_path):
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input")))
    (tmp_path / "input").mkdir()
    (made.folder / "dags").mkdir()
    yield made
    made.kill()


def rows(project, query):
    path = project.data / "dags" / "workflows.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(query).fetchall()


def listens(project, name, uri, extra="{}", command="true"):
    (project.folder / "dags" / f"{name}.yml").write_text(f"""
{name}:
  start_date: 2026-01-01
  max_active_runs: 32
  schedule:
    - {{__type__: airflow.sdk.Asset, uri: "{uri}", extra: {extra}}}
  default_args: {{retries: 1000, retry_delay: 0}}
  tasks:
    note: {{operator: {BASH}, bash_command: "{command}"}}
""")


def events(project, uri):
    """What the events of an asset say, and which run consumed each, as {event: number of runs}."""
    extra = {i: json.loads(text) for i, text in rows(project, f"SELECT id, extra FROM asset_event WHERE uri = '{uri}'")}
    consumed = collections.Counter(
        i for found, in rows(project, "SELECT asset_events FROM run") for i in json.loads(found))
    return extra, {i: consumed[i] for i in extra}


def kill_now_and_then(project, kills, seed, while_up):
    dice = random.Random(seed)
    for _ in range(kills):
        project.start()
        while_up()
        time.sleep(dice.uniform(0, 0.4))
        project.kill()
    project.start()


def produce(project, count):
    import confluent_kafka

    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka(), "enable.idempotence": True})
    for number in range(count):
        producer.produce("users_created", json.dumps({"n": number}), partition=number % 2)
    assert producer.flush(30) == 0


def finished(project, wanted):
    done, = rows(project, "SELECT count(*) FROM run WHERE state = 'success'") or [(0,)]
    return done[0] >= wanted


def test_each_record_of_a_topic_starts_one_run_with_its_offset_through_kills(project):
    import confluent_kafka

    notes = project.folder / "notes"
    listens(project, "each", "tailrace://topics/users_created", command=(
        f"echo {{{{ (triggering_asset_events.values() | first | first).extra.partition }}}} "
        f"{{{{ (triggering_asset_events.values() | first | first).extra.offset }}}} >> {notes}"))

    kill_now_and_then(project, tailrace.KILLS, 7, lambda: produce(project, 5))
    produce(project, 5)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "test"})
    wanted = {(p, offset) for p in range(2) for offset in range(
        consumer.get_watermark_offsets(confluent_kafka.TopicPartition("users_created", p), timeout=30)[1])}
    consumer.close()
    assert len(wanted) >= 5
    tailrace.wait_until(lambda: finished(project, len(wanted)), "a run for each record", 120)
    told, consumed = events(project, "tailrace://topics/users_created")
    assert sorted((extra["partition"], extra["offset"]) for extra in told.values()) == sorted(wanted)
    assert set(consumed.values()) == {1}, "each event has one run"
    assert all(extra["records"] == 1 and extra["last_offset"] == extra["offset"] for extra in told.values())
    noted = {tuple(map(int, line.split())) for line in notes.read_text().splitlines()}
    assert noted == wanted


def test_each_commit_of_a_table_that_changed_it_starts_one_run_through_kills(project):
    import deltalake

    listens(project, "commits", "tailrace://tables/users_raw")
    kill_now_and_then(project, tailrace.KILLS, 11, lambda: produce(project, 3))
    produce(project, 3)
    folder = project.data / "lake" / "users_raw"

    def changes():
        """Versions whose actions change rows, by a foreign reader of Delta's history."""
        if not (folder / "_delta_log").exists():
            return []
        latest = deltalake.DeltaTable(str(folder)).version()
        found = []
        for version in range(latest + 1):
            actions = [json.loads(line) for line in (folder / "_delta_log" / f"{version:020}.json").open()]
            if any(action.get(kind, {}).get("dataChange") for action in actions for kind in ("add", "remove")):
                found.append(version)
        return found

    def told():
        return sorted(extra["version"] for extra in
                      events(project, "tailrace://tables/users_raw")[0].values())

    tailrace.wait_until(lambda: changes() and changes() == told(), "an event for each commit", 60)
    tailrace.wait_until(lambda: finished(project, len(told())), "a run for each commit", 60)
    assert set(events(project, "tailrace://tables/users_raw")[1].values()) == {1}


def test_a_declared_batch_makes_one_run_of_its_records_and_says_their_offsets(project):
    listens(project, "batch", "tailrace://topics/users_created", extra="{tailrace: {batch_events: 100}}")
    project.start()
    produce(project, 1050)
    tailrace.wait_until(lambda: finished(project, 10), "ten runs")
    told, _ = events(project, "tailrace://topics/users_created")
    for consumed, in rows(project, "SELECT asset_events FROM run ORDER BY number"):
        assert sum(told[i]["records"] for i in json.loads(consumed)) == 100
    for partition in range(2):
        spans = sorted((extra["offset"], extra["last_offset"]) for extra in told.values()
                       if extra["partition"] == partition)
        assert [first for first, _ in spans] == [0] + [last + 1 for _, last in spans[:-1]], "no gap, nothing twice"


def test_every_run_of_a_day_is_made_once_however_often_the_scheduler_is_killed(project):
    notes, first = project.folder / "notes", 1772323200
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(first + 60 * (MINUTES - 1)))
    (project.folder / "dags" / "day.yml").write_text(f"""
day:
  schedule: "* * * * *"
  start_date: 2026-03-01
  end_date: {end}
  catchup: true
  max_active_runs: 16
  default_args: {{retries: 1000, retry_delay: 0}}
  tasks:
    note: {{operator: {BASH}, bash_command: "echo {{{{ run_id }}}} {{{{ ti.try_number }}}} >> {notes}"}}
    last: {{operator: airflow.providers.standard.operators.empty.EmptyOperator, dependencies: [note]}}
""")
    kill_now_and_then(project, tailrace.KILLS, 3, lambda: None)
    assert not finished(project, MINUTES), "the kills struck while there was work"
    tailrace.wait_until(lambda: finished(project, MINUTES), "all runs of the day", 600)
    project.stop()
    dates = [date for date, in rows(project, "SELECT logical_date FROM run ORDER BY logical_date")]
    assert dates == [(first + minute * 60) * 10**6 for minute in range(MINUTES)]
    assert rows(project, "SELECT DISTINCT state FROM run") == [("success",)]
    tries = dict(rows(project, "SELECT run, try_number FROM task WHERE task = 'note'"))
    noted = notes.read_text().splitlines()
    assert len(noted) == len(set(noted)), "a try's code runs once"
    assert {line.split()[0] for line in noted} == set(tries), "each run did its task"
    assert all(int(line.split()[1]) <= tries[line.split()[0]] for line in noted)
    assert len(noted) - len(tries) <= 16 * (tailrace.KILLS + 1), "tasks come again only where one was killed"
