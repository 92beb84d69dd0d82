"""What happens here starts DAGs that an Airflow runs: each event is told to it once, whatever is cut. Here that Airflow
is a server that answers as Airflow 3.3 does and misbehaves as it is told; tests/real/test_airflow_events.py has the
real one."""
import http.server
import json
import random
import sqlite3
import threading
import time
import urllib.parse

import pytest
import tailrace
from records import lines

URI = "tailrace://topics/users_created"
USER, PASSWORD = "etl", "a-word-of-passage"


class Standin(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Answers)
        self.lock, self.events, self.asked = threading.Lock(), [], []
        self.assets = {7: URI}
        self.tokens = 0
        self.lose = lambda: None  # "before": refused unseen; "after": done, and no answer
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        pass

    def extras(self):
        with self.lock:
            return [one["extra"] for one in self.events]

    def close(self):
        self.shutdown()
        self.server_close()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        own = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        first, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
        own.asked.append((self.command, url.path))
        if url.path == "/auth/token":
            if json.loads(body) != {"username": USER, "password": PASSWORD}:
                return self.say(401, {"detail": "Invalid credentials"})
            own.tokens += 1
            return self.say(201, {"access_token": f"token-{own.tokens}"})
        if self.headers["Authorization"] != f"Bearer token-{own.tokens}":
            return self.say(401, {"detail": "Invalid JWT token"})
        with own.lock:
            if url.path == "/api/v2/assets":
                found = [{"id": i, "uri": uri} for i, uri in own.assets.items() if query["uri_pattern"] in uri]
                return self.say(200, {"assets": found[first:first + limit], "total_entries": len(found)})
            assert url.path == "/api/v2/assets/events", url.path
            if self.command == "GET":
                found = [one for one in reversed(own.events) if str(one["asset_id"]) == query["asset_id"]]
                return self.say(200, {"asset_events": found[first:first + limit], "total_entries": len(found)})
            lost = own.lose()
            if lost != "before":
                own.events.append(json.loads(body))
        if lost:
            self.close_connection = True
            return self.connection.close() if lost == "after" else self.say(503, {"detail": "not now"})
        return self.say(200, json.loads(body))

    do_GET = do_POST = answer


@pytest.fixture
def airflow():
    made = Standin()
    yield made
    made.close()


@pytest.fixture
def project(tmp_path, airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW_WORD", PASSWORD)
    made = tailrace.Project(tmp_path, settings=json.dumps(
        json.loads(tailrace.settings(tailrace.files_from(tmp_path / "input"))) | {"roles": {"schedule": {
            "url": airflow.url, "user": USER, "password": "${AIRFLOW_WORD}"}}}))
    (tmp_path / "input").mkdir()
    (made.folder / "dags").mkdir()
    yield made
    made.kill()


def listens(project, name, extra="{}", uri=URI):
    (project.folder / "dags" / f"{name}.yml").write_text(f"""
{name}:
  start_date: 2026-01-01
  schedule:
    - {{__type__: airflow.sdk.Asset, uri: "{uri}", extra: {extra}}}
  tasks:
    note: {{operator: airflow.providers.standard.operators.empty.EmptyOperator}}
""")


def put(project, name, numbers):
    part = project.folder.parent / "input" / f".{name}"
    part.write_text(lines(numbers))
    part.rename(part.with_name(f"{name}.jsonl"))


def offsets(extras):
    """Of events, or of their parts: every partition and offset that is told of, in the order of telling."""
    parts = [part for extra in extras for part in extra.get("parts", [extra])]
    return [(one["partition"], offset) for one in parts for offset in range(one["offset"], one["last_offset"] + 1)]


def appended(project):
    return project.hops()["appended.users_created"]["count"]


def test_each_record_is_an_event_with_its_offset_and_no_secret_is_in_the_log(project, airflow):
    listens(project, "one")
    project.start()
    put(project, "a", range(20))
    tailrace.wait_until(lambda: len(airflow.events) == 20, "twenty events")
    project.stop()
    extras = airflow.extras()
    told = offsets(extras)
    assert len(set(told)) == len(told) == 20
    for partition in (0, 1):
        ours = [offset for which, offset in told if which == partition]
        assert ours == list(range(len(ours)))
    assert {one["topic"] for one in extras} == {"users_created"} and {one["records"] for one in extras} == {1}
    assert len({one["tailrace_event"] for one in extras}) == 20
    log = project.log.read_text()
    assert PASSWORD not in log and "token-" not in log
    assert airflow.tokens == 1


def test_a_declared_batch_is_one_event_when_it_is_full_or_its_time_is_over(project, airflow):
    listens(project, "one", "{tailrace: {batch_events: 50, batch_seconds: 1}}")
    project.start()
    put(project, "a", range(120))
    tailrace.wait_until(lambda: len(airflow.events) == 3, "two full batches and the rest")
    project.stop()
    extras = airflow.extras()
    assert [one["records"] for one in extras] == [50, 50, 20]
    told = offsets(extras)
    assert len(set(told)) == len(told) == 120


def test_events_outlast_kills_outages_and_lost_answers_and_none_is_told_twice(project, airflow):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    airflow.lose = lambda: dice.choice(["before", "after", None, None])
    listens(project, "one")
    project.start()  # it is heard from here on
    kills = min(tailrace.KILLS, 10)
    for kill in range(kills):
        put(project, f"{kill:03}", range(kill * 10, kill * 10 + 10))
        time.sleep(dice.uniform(0, 0.6))  # a kill at any moment
        project.kill()
        if kill % 3 == 2:
            airflow.tokens += 1  # the old token is worth nothing any more
        project.start()
    tailrace.wait_until(lambda: appended(project) == kills * 10, "all records")
    airflow.lose = lambda: None
    tailrace.wait_until(lambda: len(set(offsets(airflow.extras()))) == kills * 10, "all events", 120)
    put(project, "last", [99999])
    tailrace.wait_until(lambda: len(set(offsets(airflow.extras()))) == kills * 10 + 1, "the last event")
    told = offsets(airflow.extras())
    assert len(told) == len(set(told))


def test_an_asset_that_airflow_does_not_know_yet_waits_and_holds_up_no_other(project, airflow):
    files = project.folder.parent / "drop"
    files.mkdir()
    other = f"file://{files}/*.csv"
    listens(project, "one")
    listens(project, "two", uri=other)
    project.start()
    (files / "a.csv").write_text("1\n")
    tailrace.wait_until(lambda: "it has no asset file://" in project.log.read_text(), "the warning")
    put(project, "a", range(3))
    tailrace.wait_until(lambda: len(airflow.events) == 3, "the topic's events")
    with airflow.lock:
        airflow.assets[8] = other
    tailrace.wait_until(lambda: len(airflow.events) == 4, "the file's event", 60)
    project.stop()
    assert airflow.extras()[-1]["path"] == str(files / "a.csv") and airflow.events[-1]["asset_id"] == 8


def test_dags_that_change_are_heard_of_while_it_runs(project, airflow):
    listens(project, "one", uri="file:///nowhere/at/all")
    project.start()
    put(project, "a", range(3))
    tailrace.wait_until(lambda: appended(project) == 3, "three records")
    listens(project, "one")
    heard = project.data / "airflow" / "events.db"

    def cursors():
        with sqlite3.connect(f"file:{heard}?mode=ro", uri=True, timeout=30) as database:
            return database.execute("SELECT count(*) FROM cursor WHERE source = ?", [URI]).fetchone()[0]

    tailrace.wait_until(lambda: cursors() == 3, "the topic's cursors")
    put(project, "b", range(3, 5))
    tailrace.wait_until(lambda: len(airflow.events) == 2, "what came since")
    project.stop()
    assert len(set(offsets(airflow.extras()))) == 2


def test_who_is_not_let_in_says_what_to_write(project, airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW_WORD", "wrong-word")
    listens(project, "one")
    project.start()
    put(project, "a", range(1))
    tailrace.wait_until(lambda: "it does not let `etl` in: 401" in project.log.read_text(), "the warning")
    project.stop()
    assert "wrong-word" not in project.log.read_text()
