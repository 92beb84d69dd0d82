"""kill -9 at random moments with ingest going: nothing is lost, nothing is doubled, in log, lake, serving and gold.

What came to the log is what was sent, and every row and every dead letter is what oracle.py makes of the log.
"""
import collections
import datetime
import json
import os
import random
import subprocess
import time

import pytest

import oracle
import record_batches
import tailrace
import topic_log
from records import lines, user
from users_api import UsersApi

PARTITIONS = 2
KEPT = {"retention.ms": -1}  # records that are stamped are old
PER_FILE = 400
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
FAULTS = {"bad_json": 0.02, "null_ids": 0.02, "late": 0.02, "duplicates": 0.05}
FAULTY = {"fake_with_faults": {"decode", "expectation has_id", "late"},
          "stamped": {"decode", "expectation has_id", "expectation has_email", "late"}}
TABLES = ("users_raw", "users_clean", "users", "users_by_country_gender", "signups_per_minute", "age_by_nationality",
          "top_cities", "latest_users")
SERVED = {"created_users": {"table": "users", "key": ["id"]}, "users_by_country_gender": {"key": ["country", "gender"]},
          "age_by_nationality": {"key": ["nationality"]}, "signups_per_minute": {"key": ["minute", "country"]},
          "top_cities": {"key": ["city", "country"]}, "latest_users": {"key": ["id"]}}
# What a kill waits for, below the data folder: the moments at which one part has done its work and the next has not.
MOMENTS = [None, None, "state/*.sst", "lake/*/_delta_log/*.json", "lake/*/_delta_log/*.checkpoint.parquet",
           "lake/*/*.parquet", "ingest/*.json", "ingest/*.spool"]


class Files:
    """A whole file appears at once, as a careful writer makes it."""

    while_running = True

    def __init__(self, folder, _):
        self.inbox = folder / "input"
        self.inbox.mkdir()
        self.files = 0
        self.ingest = tailrace.files_from(self.inbox)[0]

    def feed(self, much):
        for _ in range(much):
            part = self.inbox / f".{self.files}.part"
            part.write_text(lines(range(self.files * PER_FILE, (self.files + 1) * PER_FILE)))
            part.rename(self.inbox / f"{self.files:05}.jsonl")
            self.files += 1

    def sent(self):
        return [json.loads(line) for line in lines(range(self.files * PER_FILE)).splitlines()]

    def close(self):
        pass


class Http:
    while_running = True

    def __init__(self, folder, seed, query):
        self.api = UsersApi(seed)
        self.ingest = {"name": "input", "topic": "users_created", "use": "http", "key": "$.login.uuid", "http": {
            "url": f"{self.api.url}?{query}", "records": "$.results", "since": "$.number", "every": "20ms",
            "backoff": "20ms", "backoff_max": "100ms"}}

    def feed(self, much):
        self.api.add(much * 4)

    def sent(self):
        return [user(number) | {"number": number} for number in range(self.api.total)]

    def close(self):
        self.api.close()


class Fake:
    """The generator gives the same records to whoever asks: a run in one go says what must be there."""

    RATE = 4000
    while_running = True

    def __init__(self, folder, seed, **faults):
        self.folder, self.seed, self.limit, self.faults = folder, seed, tailrace.KILLS * 1500, faults
        self.ingest = self.generator(rate=self.RATE)

    def generator(self, **options):
        return {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
                "fake": {"seed": self.seed, "limit": self.limit, "faults": self.faults, **options}}

    def feed(self, much):
        pass

    def sent(self):
        (self.folder / "once").mkdir()
        once = tailrace.Project(self.folder / "once", settings=settings(self.generator(rate=1, first=self.limit)))
        once.once()
        return [parsed(value) for value in record_batches.values(once.data, "users_created", PARTITIONS).values()]

    def close(self):
        pass


class Stamped:
    """Records with their own times, two a second, in the log before the program starts; of each part some are out of
    order within the watermark's delay, some late beyond it, some come again, and some are rejected."""

    while_running = False
    PER_PART = 400  # 200 s

    def __init__(self, folder, seed):
        self.data, self.choose, self.values = folder / "data", random.Random(seed), []
        self.ingest = None

    def record(self, number):
        kind = self.choose.random()
        if kind < 0.02:
            return '{"login": {"uuid": '
        changes = {}
        if kind < 0.04:
            changes = {"login": {"uuid": None, "username": "x"}}
        elif kind < 0.06:
            changes = {"email": "nobody"}
        elif kind < 0.1:
            number = self.choose.randrange(number + 1)
        return json.dumps(user(number, **changes), ensure_ascii=False)

    def feed(self, much):
        first = len(self.values)
        part = []
        for number in range(first, first + much * self.PER_PART):
            behind = 200_000 if number % 40 == 7 else self.choose.choice([0, 0, 0, 1000, 6000])
            part.append((self.choose.randrange(PARTITIONS), START_MS + number * 500 - behind, None,
                         self.record(number).encode()))
        topic_log.append(self.data, "users_created", part, PARTITIONS)
        self.values += [value for _, _, _, value in part]

    def sent(self):
        return [parsed(value) for value in self.values]

    def close(self):
        pass


def parsed(value):
    """A record's value: its JSON, or the text that is none."""
    try:
        return json.loads(value)
    except ValueError:
        return value.decode()


INGESTS = {
    "files": Files,
    "fake": Fake,
    "fake_with_faults": lambda folder, seed: Fake(folder, seed, **FAULTS),
    "stamped": Stamped,
    "http_pages": lambda folder, seed: Http(folder, seed, "page={page}"),
    "http_since": lambda folder, seed: Http(folder, seed, "since={since}"),
}


def settings(ingest):
    made = json.loads(tailrace.settings([ingest] if ingest else [], partitions=PARTITIONS, **KEPT))
    return json.dumps(made | {"serving": SERVED})


def wait_for_a_moment(project, choose):
    """Until a file of the chosen kind is written, or for a time, and then a little longer."""
    pattern = choose.choice(MOMENTS)
    seen = written = names(project, pattern)
    end = time.monotonic() + (2 if pattern else choose.random() * 0.8)
    while time.monotonic() < end and written == seen:
        written = names(project, pattern)
    after = choose.choice([0, 0.001, 0.01, 0.05]) * choose.random()
    try:
        code = project.process.wait(timeout=after)
        raise AssertionError(f"it ended by itself with {code}: {project.log.read_text()[-2000:]}")
    except subprocess.TimeoutExpired:
        pass


def names(project, pattern):
    if not pattern:
        return None
    found = set()
    for path in project.data.glob(pattern):
        try:
            found.add((path, path.stat().st_mtime_ns))
        except FileNotFoundError:
            pass
    return found


@pytest.mark.parametrize("kind", INGESTS)
def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path, kind):
    seed = int(os.environ.get("TAILRACE_SEED", random.randrange(1 << 30)))
    print("TAILRACE_SEED", seed)
    choose = random.Random(seed)
    ingest = INGESTS[kind](tmp_path, seed)
    project = tailrace.Project(tmp_path, settings=settings(ingest.ingest))
    try:
        for _ in range(tailrace.KILLS):
            if not ingest.while_running:
                ingest.feed(choose.randrange(1, 4))
            project.start()
            if ingest.while_running:
                ingest.feed(choose.randrange(1, 4))
            wait_for_a_moment(project, choose)
            project.kill()
        if not ingest.while_running:
            project.once()  # what came so far is a step of its own: of the next part some are late for certain
            ingest.feed(1)
        project.start()
        sent = ingest.sent()
        wait_for(len(sent), lambda: len(whole_values(project)), "records in the log")
        assert same(sent) == same(parsed(value) for value in whole_values(project).values())
        expected = oracle.tables(list(record_batches.timed_records(project.data, "users_created", PARTITIONS)))
        wait_for(len(expected["users"]), lambda: project.hops()["silver.users"]["count"], "users")
        served_rows_are(project, expected)
        project.stop()
        assert whole_values(project) == record_batches.values(project.data, "users_created", PARTITIONS)
        letters_are(project, expected)
        set_minutes(project, expected)
        for table in TABLES:
            assert same(project.lake(table)) == same(expected[table]), table
        if kind in FAULTY:
            assert {letter["reason"] for letter in letters(project)} >= FAULTY[kind]
        if kind == "stamped":
            assert len({row["minute"] for row in expected["signups_per_minute"]}) > tailrace.KILLS
    finally:
        ingest.close()
        if project.process and not project.ended():
            project.kill()


def whole_values(project):
    return record_batches.whole_values(project.data, "users_created", PARTITIONS)


def same(rows):
    """Rows, or records, and how often each is there."""
    return collections.Counter(json.dumps(row, default=str, sort_keys=True) for row in rows)


def wait_for(count, count_now, what):
    """As long as there are more of them every minute: how fast they come is not what is tested."""
    there = 0
    while there < count:
        before = there
        there = tailrace.wait_until(lambda: (now := count_now()) > before and now, f"more than {before} {what}")


def letters(project):
    return project.sql("SELECT reason, partition, offset FROM system.dead_letters")


def set_minutes(project, expected):
    """Counts in `expected` the minutes without what is late by now: that depends on the steps it came in."""
    late = {(letter["partition"], letter["offset"]) for letter in letters(project) if letter["reason"] == "late"}
    expected["signups_per_minute"] = oracle.minutes(expected["users_clean"], late)
    return expected


def letters_are(project, expected):
    """One for each record that is rejected; a late one's minute has come out."""
    found = collections.Counter((each["reason"], each["partition"], each["offset"]) for each in letters(project))
    late = {letter for letter in found if letter[0] == "late"}
    assert late <= {("late", r["source_partition"], r["source_offset"]) for r in oracle.closed(expected["users_clean"])}
    assert found == collections.Counter([
        *late, *(("decode", r["partition"], r["offset"]) for r in expected["users_created__rejected"]),
        *(("expectation " + r["reason"], r["source_partition"], r["source_offset"])
          for r in expected["users_clean__quarantine"])])


def served_rows_are(project, expected):
    differing = {}

    def settled():
        set_minutes(project, expected)
        differing.clear()
        for name, table in SERVED.items():
            served, right = same(all_rows(project, name)), same(expected[table.get("table", name)])
            if served != right:
                differing[name] = [*(served - right)][:3], [*(right - served)][:3]
        return not differing
    try:
        tailrace.wait_until(settled, "the served rows as recomputed")
    except AssertionError as e:
        raise AssertionError(f"served, and not recomputed; recomputed, and not served: {differing}") from e


def all_rows(project, table):
    """Page by page from the API, as Python's values."""
    rows, after = [], ""
    while True:
        page = project.get(f"/api/tables/{table}?limit=1000" + (f"&after={after}" if after else ""))
        rows += [{c["name"]: value_of(c["type"], value) for c, value in zip(page["columns"], row)}
                 for row in page["rows"]]
        after = page["next"]
        if not after:
            return rows


def value_of(kind, value):
    return datetime.datetime.fromisoformat(value) if kind == "TIMESTAMP" and value else value
