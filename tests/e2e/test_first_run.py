"""The first-run promise: rows, or one line that says which hop is empty and why. Each hop is broken on purpose."""
import http.server
import json
import os
import pathlib
import socket
import threading

import ports
import pytest
import tailrace
from records import lines, user


def http_from(url, **options):
    return [{"name": "api", "topic": "users_created", "use": "http",
             "http": {"url": url, "every": "200ms", "timeout": "1s", "records": "$.results"} | options}]


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every request with the server's `status`, `headers` and `body`."""

    def do_GET(self):
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    made.status, made.headers, made.body = 200, {}, b"{}"
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()


def start(tmp_path, ingest, **topic):
    return tailrace.Project(tmp_path, settings=tailrace.settings(ingest, **topic)).start()


def why(project, *words):
    """The one line, once it names all of `words`."""
    line = tailrace.wait_until(
        lambda: (lambda text: text if all(w in text for w in words) else None)(project.first_empty_hop()),
        f"{words} in the line; it is: {project.first_empty_hop()}")
    project.stop()
    return line


def test_rows_are_served_and_the_line_is_empty(tmp_path, server):
    server.body = json.dumps({"results": [user(n) for n in range(10)]}).encode()
    project = start(tmp_path, http_from(f"http://127.0.0.1:{server.server_port}/api/"))
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 10, "ten served users")
    project.stop()


def test_a_wrong_url_is_named(tmp_path):
    [port] = ports.free(1)
    line = why(start(tmp_path, http_from(f"http://127.0.0.1:{port}/api/")), "api", f"127.0.0.1:{port}")
    assert line.startswith("fetched `api` fails: ")


def test_429_is_named(tmp_path, server):
    server.status, server.headers = 429, {"Retry-After": "1"}
    assert "fetched" in why(start(tmp_path, http_from(f"http://127.0.0.1:{server.server_port}/")), "429")


def test_500_is_named(tmp_path, server):
    server.status = 500
    assert "fetched" in why(start(tmp_path, http_from(f"http://127.0.0.1:{server.server_port}/")), "500")


def test_an_answer_that_is_no_json_is_named(tmp_path, server):
    server.body = b"<html>maintenance</html>"
    assert "fetched" in why(start(tmp_path, http_from(f"http://127.0.0.1:{server.server_port}/")), "JSON")


def test_every_row_dropped_names_the_expectation(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text("".join(
        json.dumps(user(n, login={"uuid": None, "username": "x"})) + "\n" for n in range(5)))
    line = why(start(tmp_path, tailrace.files_from(inbox)), "has_id", "users_clean")
    assert "silver" in line and "5" in line


def file_of(tmp_path, text):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(text)
    return tailrace.files_from(inbox)


def test_a_schema_mismatch_names_the_field_and_the_offset(tmp_path):
    wrong = "".join(json.dumps(user(n, login=f"user{n}")) + "\n" for n in range(3))
    line = why(start(tmp_path, file_of(tmp_path, wrong), partitions=1), "users_clean", "3 of them")
    assert line.startswith("silver `users_clean` is empty: every row was rejected")
    assert "the last: users_created-0@2: " in line
    assert line.endswith("schema mismatch at field `login`: STRUCT<uuid: STRING, username: STRING> expected, "
                         "the record has a string")


def test_lines_that_are_no_json_name_file_and_line_at_the_hop_that_fetches(tmp_path):
    line = why(start(tmp_path, file_of(tmp_path, "<html>\n<body>\n")), "2 of them")
    assert line.startswith("fetched `input` is empty: every row was rejected (2 of them, most by unreadable)")
    assert "a.jsonl:2" in line


def test_records_above_the_limit_name_it_at_the_hop_that_appends(tmp_path):
    line = why(start(tmp_path, file_of(tmp_path, lines([1, 2])), max_message_bytes=200), "2 of them")
    assert line.startswith("appended `users_created` is empty: what came from `input` was rejected (2 of them, most by")
    assert "max.message.bytes is 200" in line


def test_an_open_window_names_the_time_it_waits_for_and_its_readers_name_the_window(tmp_path):
    sql = """
    CREATE STREAMING TABLE raw AS SELECT CAST(get_json_object(value, '$.at') AS TIMESTAMP) AS at
    FROM STREAM users_created;
    CREATE STREAMING TABLE per_minute TBLPROPERTIES ('quality' = 'gold') AS
    SELECT window.start AS minute, count(*) AS n FROM STREAM raw WATERMARK at DELAY OF INTERVAL 10 SECONDS
    GROUP BY window(at, '1 minute');
    CREATE MATERIALIZED VIEW busiest AS SELECT max(n) AS most FROM per_minute GROUP BY minute;"""
    sources = file_of(tmp_path, '{"at": "2026-01-01 10:00:00"}\n{"at": "2026-01-01 10:00:42"}\n')
    settings = json.dumps({"topics": {"users_created": {"format": "json"}}, "ingest": sources,
                           "serving": {"busiest": {"key": ["most"]}}})
    project = tailrace.with_sql(tmp_path, sql, settings).start()
    line = tailrace.wait_until(
        lambda: (lambda t: t if "watermark is" in t else None)(project.first_empty_hop()), "the watermark")
    assert line == ("gold `per_minute` is empty: no window has closed: the watermark is at 2026-01-01 10:00:32.000, "
                    "it must pass 2026-01-01 10:01:00.000; a row of 2026-01-01 10:01:10.000 or later does it")
    hops = project.hops()
    assert hops["gold.busiest"]["why"] == "nothing has come from `per_minute` yet"
    assert hops["served.busiest"]["why"] == "nothing has come from `busiest` yet"
    (tmp_path / "input" / "b.jsonl").write_text('{"at": "2026-01-01 10:01:10.001"}\n')
    tailrace.wait_until(lambda: project.hops()["served.busiest"]["count"] == 1, "the window to close")
    project.stop()
    offline = project.command("status", project.folder, "--data", project.data)
    assert offline.returncode == 0, offline.stderr


def test_a_filter_that_lets_nothing_through_names_its_table_and_not_a_neighbour(tmp_path):
    sql = """
    CREATE STREAMING TABLE raw AS SELECT value FROM STREAM users_created;
    CREATE MATERIALIZED VIEW a_all AS SELECT count(*) AS n FROM raw;
    CREATE MATERIALIZED VIEW b_none AS SELECT value FROM raw WHERE value = 'nothing is like this';
    CREATE MATERIALIZED VIEW c_of_b AS SELECT value FROM b_none;"""
    settings = json.dumps({"topics": {"users_created": {"format": "json"}}, "ingest": file_of(tmp_path, lines([1]))})
    project = tailrace.with_sql(tmp_path, sql, settings).start()
    assert why(project, "b_none") == (
        "gold `b_none` is empty: rows have come from `raw`, and its filters and joins have let none through")


def test_a_topic_that_no_source_feeds_says_so(tmp_path):
    settings = json.loads(tailrace.settings([])) | {"ingest": []}
    line = why(tailrace.Project(tmp_path, settings=json.dumps(settings)).start(), "users_created")
    assert line == "appended `users_created` is empty: no source of `ingest` in tailrace.yml writes to it"


@pytest.mark.parametrize("taken", ["lake", "state", "log"])
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path, taken):
    project = tailrace.Project(tmp_path, settings=tailrace.settings(file_of(tmp_path, lines([1]))))
    project.data.mkdir()
    (project.data / taken).write_text("a file stands where the folder belongs")
    done = project.command("run", project.folder, "--data", project.data, "--once")
    assert done.returncode == 1 and f"data/{taken}" in done.stderr, done.stderr


def test_a_lake_folder_lost_while_running_stops_with_its_name(tmp_path):
    project = start(tmp_path, file_of(tmp_path, lines([1])))
    tailrace.wait_until(lambda: project.hops()["lake"]["count"] > 0, "the first commit")
    table = project.data / "lake" / "users_raw"
    os.rename(table, tmp_path / "users_raw")  # at once, whatever is being written in it
    table.write_text("not a folder any more")
    (tmp_path / "input" / "b.jsonl").write_text(lines([2]))
    assert project.process.wait(timeout=30) == 1
    assert "lake/users_raw" in project.log.read_text()


def test_fail_update_names_the_flow_and_the_expectation(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(json.dumps(user(1, login={"uuid": "short", "username": "x"})) + "\n")
    assert "users_clean" in why(start(tmp_path, tailrace.files_from(inbox)), "id_is_uuid")


def test_an_empty_folder_says_what_it_waits_for(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    assert "fetched" in why(start(tmp_path, tailrace.files_from(inbox)), "input")


def test_a_taken_port_is_one_clear_line(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        address = f"127.0.0.1:{port}"
        (project.folder / "dags").mkdir()
        doors = {"--console": "127.0.0.1:0"} | dict.fromkeys(["--kafka", "--registry", "--cql", "--airflow"], "off")
        for door in doors:
            given = [word for pair in (doors | {door: address}).items() for word in pair]
            done = project.command("run", project.folder, "--data", project.data, *given)
            assert done.returncode == 1
            assert address in done.stderr and "in use" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("change, place, words", [
    (("FROM users\nGROUP BY country, gender", "FROM userz\nGROUP BY country, gender"), "gold.sql", ["userz"]),
    (("count(*) AS users\nFROM users\nGROUP BY country", "count(*) AS users\nFROM users\nGROUP BY contry"), "gold.sql",
     ["contry", "country"]),
])
def test_check_names_file_line_and_the_nearest_name(tmp_path, change, place, words):
    project = tailrace.Project(tmp_path)
    path = project.folder / "transformations" / place
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    done = project.command("check", project.folder)
    assert done.returncode == 1
    assert f"{place}:" in done.stderr and all(w in done.stderr for w in words), done.stderr


def test_check_takes_the_example_and_init_writes_what_runs(tmp_path):
    example = tailrace.Project(tmp_path)
    assert example.command("check", example.folder).returncode == 0
    made = example.command("init", tmp_path / "mine")
    assert made.returncode == 0, made.stderr
    mine = example.command("run", tmp_path / "mine", "--check", *tailrace.FREE_PORTS)
    assert mine.returncode == 0, mine.stderr
    assert example.command("init", tmp_path / "mine").returncode == 1


def test_an_unknown_key_names_the_nearest_and_the_place(tmp_path):
    project = tailrace.Project(tmp_path)
    path = pathlib.Path(project.folder / "tailrace.yml")
    path.write_text(path.read_text().replace("\nserving:", "\nservin:"))
    done = project.command("check", project.folder)
    assert done.returncode == 1, done.stdout
    assert "tailrace.yml:" in done.stderr and "did you mean `serving`" in done.stderr
