"""The first-run promise: rows, or one line that says which hop is empty and why. Each hop is broken on purpose."""
import http.server
import json
import pathlib
import socket
import threading

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
        f"{words} in the line; it is: {project.first_empty_hop()}", seconds=20)
    project.stop()
    return line


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_rows_are_served_and_the_line_is_empty(tmp_path, server):
    server.body = json.dumps({"results": [user(n) for n in range(10)]}).encode()
    project = start(tmp_path, http_from(f"http://127.0.0.1:{server.server_port}/api/"))
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 10, "ten served users", 10)
    project.stop()


def test_a_wrong_url_is_named(tmp_path):
    port = free_port()
    line = why(start(tmp_path, http_from(f"http://127.0.0.1:{port}/api/")), "api", f"127.0.0.1:{port}")
    assert "fetched" in line


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
        done = project.command("run", project.folder, "--data", project.data, "--console", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and "in use" in done.stderr and len(done.stderr.splitlines()) == 1


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
    mine = example.command("run", tmp_path / "mine", "--check", "--console", "127.0.0.1:0")
    assert mine.returncode == 0, mine.stderr
    assert example.command("init", tmp_path / "mine").returncode == 1


def test_an_unknown_key_names_the_nearest_and_the_place(tmp_path):
    project = tailrace.Project(tmp_path)
    path = pathlib.Path(project.folder / "tailrace.yml")
    path.write_text(path.read_text().replace("\nserving:", "\nservin:"))
    done = project.command("check", project.folder)
    assert done.returncode == 1, done.stdout
    assert "tailrace.yml:" in done.stderr and "did you mean `serving`" in done.stderr
