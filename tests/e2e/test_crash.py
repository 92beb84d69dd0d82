"""kill -9 at random moments with ingest going: nothing is lost, nothing is doubled, in log, lake, serving and gold."""
import collections
import json
import os
import random
import subprocess
import time

import pytest

import record_batches
import tailrace
from records import lines
from users_api import UsersApi

PARTITIONS = 2
PER_FILE = 400
# What a kill waits for, below the data folder: the moments at which one part has done its work and the next has not.
MOMENTS = [None, None, "state/*.sst", "lake/*/_delta_log/*.json", "lake/*/_delta_log/*.checkpoint.parquet",
           "lake/*/*.parquet", "ingest/*.json", "ingest/*.spool"]


class Files:
    """A whole file appears at once, as a careful writer makes it."""

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

    def uuids(self):
        return [json.loads(line)["login"]["uuid"] for line in lines(range(self.files * PER_FILE)).splitlines()]

    def close(self):
        pass


class Http:
    def __init__(self, folder, seed, query):
        self.api = UsersApi(seed)
        self.ingest = {"name": "input", "topic": "users_created", "use": "http", "key": "$.login.uuid", "http": {
            "url": f"{self.api.url}?{query}", "records": "$.results", "since": "$.number", "every": "20ms",
            "backoff": "20ms", "backoff_max": "100ms"}}

    def feed(self, much):
        self.api.add(much * 4)

    def uuids(self):
        return [json.loads(line)["login"]["uuid"] for line in lines(range(self.api.total)).splitlines()]

    def close(self):
        self.api.close()


class Fake:
    """The generator gives the same records to whoever asks: a run in one go says what must be there."""

    RATE = 4000

    def __init__(self, folder, seed):
        self.folder, self.seed, self.limit = folder, seed, tailrace.KILLS * 1500
        self.ingest = self.generator(rate=self.RATE)

    def generator(self, **options):
        return {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
                "fake": {"seed": self.seed, "limit": self.limit, **options}}

    def feed(self, much):
        pass

    def uuids(self):
        (self.folder / "once").mkdir()
        once = tailrace.Project(self.folder / "once", settings=settings(self.generator(rate=1, first=self.limit)))
        once.once()
        return [json.loads(v)["login"]["uuid"] for v in record_batches.values(once.data, "users_created", 2).values()]

    def close(self):
        pass


INGESTS = {
    "files": Files,
    "fake": Fake,
    "http_pages": lambda folder, seed: Http(folder, seed, "page={page}"),
    "http_since": lambda folder, seed: Http(folder, seed, "since={since}"),
}


def settings(ingest):
    return tailrace.settings([ingest], partitions=PARTITIONS)


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
            project.start()
            ingest.feed(choose.randrange(1, 4))
            wait_for_a_moment(project, choose)
            project.kill()
        project.start()
        uuids = ingest.uuids()
        wait_for_users(project, len(uuids))
        served_rows_are(project, uuids)
        project.stop()
        log_is(project, uuids)
        lake_is(project, uuids)
        assert project.sql("SELECT count(*) AS n FROM system.dead_letters") == [{"n": 0}]
    finally:
        ingest.close()
        if project.process and not project.ended():
            project.kill()


def wait_for_users(project, count):
    """As long as there are more of them every minute: how fast they come is not what is tested."""
    users = 0
    while users < count:
        before = users
        users = tailrace.wait_until(
            lambda: (now := project.hops()["silver.users"]["count"]) > before and now, f"more than {before} users")


def log_is(project, uuids):
    values = record_batches.values(project.data, "users_created", PARTITIONS)
    logged = collections.Counter(json.loads(value)["login"]["uuid"] for value in values.values())
    assert logged == collections.Counter(uuids)


def lake_is(project, uuids):
    raw = {(r["partition"], r["offset"]): r["value"].encode() for r in project.lake("users_raw")}
    assert len(project.lake("users_raw")) == len(raw) == len(uuids)
    assert raw == record_batches.values(project.data, "users_created", PARTITIONS)
    clean, users = project.lake("users_clean"), project.lake("users")
    assert sorted(r["id"] for r in users) == sorted(r["id"] for r in clean) == sorted(uuids)
    counted = collections.Counter((r["country"], r["gender"]) for r in users)
    assert {(r["country"], r["gender"]): r["users"] for r in project.lake("users_by_country_gender")} == counted
    cities = collections.Counter((r["city"], r["country"]) for r in users)
    top = sorted(((-n, *place) for place, n in cities.items()))[:10]
    assert sorted((-r["users"], r["city"], r["country"]) for r in project.lake("top_cities")) == top
    minutes = collections.Counter(
        (r["source_timestamp"].replace(second=0, microsecond=0), r["country"]) for r in clean)
    for row in project.lake("signups_per_minute"):
        assert minutes.pop((row["minute"], row["country"])) == row["signups"]


def served_rows_are(project, uuids):
    served = tailrace.wait_until(lambda: all_rows(project, "created_users", len(uuids)), "the served rows")
    assert sorted(r["id"] for r in served) == sorted(uuids)
    counted = collections.Counter((r["country"], r["gender"]) for r in served)
    groups = all_rows(project, "users_by_country_gender", len(counted))
    assert {(r["country"], r["gender"]): r["users"] for r in groups} == counted
    by_nation = collections.Counter(r["nationality"] for r in served)
    ages = all_rows(project, "age_by_nationality", len(by_nation))
    assert {r["nationality"]: r["users"] for r in ages} == by_nation


def all_rows(project, table, expected):
    """Page by page from the API; nothing while there are fewer than expected."""
    rows, after = [], ""
    while True:
        page = project.get(f"/api/tables/{table}?limit=1000" + (f"&after={after}" if after else ""))
        columns = [c["name"] for c in page["columns"]]
        rows += [dict(zip(columns, row)) for row in page["rows"]]
        after = page["next"]
        if not after:
            return rows if len(rows) >= expected else None
