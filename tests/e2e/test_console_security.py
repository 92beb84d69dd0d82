"""The control centre over TLS and with logins: curl, openssl and Python's own client are held off or let in, and the
commands of who can read the data folder go on."""
import base64
import http.client
import json
import ssl
import subprocess
import urllib.parse

import certificates
import pytest
import tailrace

PASSWORD = "correct horse: battery"
ONE_TOPIC = json.dumps({"topics": {"t": {"partitions": 1}}, "ingest": []})


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("secured")
    certificate, key, _ = authority.sign("console", "/CN=console", "DNS:console.example,DNS:localhost")
    users = folder / "users"
    users.write_text(f"# who may\nalice: {PASSWORD}\n")
    project = tailrace.with_sql(folder, "CREATE STREAMING TABLE u AS SELECT value FROM STREAM t;", ONE_TOPIC)
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "d.yml").write_text(
        "d:\n  schedule: none\n  tasks:\n    t: {operator: airflow.providers.standard.operators.empty.EmptyOperator}\n")
    project.words = ["--console-tls-certificate", certificate, "--console-tls-key", key, "--console-users", users,
                     "--airflow-tls-certificate", certificate, "--airflow-tls-key", key]
    project.start()
    yield project
    project.stop()
    assert not (project.data / "console.token").exists()


def ask(project, authority, path, login=None, body=None, host="localhost"):
    at = urllib.parse.urlsplit(project.url())
    context = ssl.create_default_context(cafile=authority.certificate)
    connection = http.client.HTTPSConnection("localhost", at.port, context=context, timeout=30)
    headers = {"Host": f"{host}:{at.port}", "Content-Type": "application/json"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_the_certificate_is_the_one_that_was_named(secured, authority):
    assert secured.url().startswith("https://")
    at = urllib.parse.urlsplit(secured.url())
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{at.port}", "-CAfile",
                            authority.certificate, "-servername", "localhost", "-verify_return_error"],
                           input="", capture_output=True, text=True, timeout=30)
    assert "Verify return code: 0 (ok)" in shown.stdout, shown.stdout + shown.stderr
    assert "CN = console" in shown.stdout


def test_who_has_no_login_sees_nothing_but_that_it_lives(secured, authority):
    for path in ("/", "/api/status", "/metrics", "/api/v2/dags", "/api/events"):
        answer, body = ask(secured, authority, path)
        assert answer.status == 401, path
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="tailrace", charset="UTF-8"'
        assert "who are you?" in body
    assert ask(secured, authority, "/healthz")[0].status == 200
    for login in ("alice:wrong", f"bob:{PASSWORD}", "alice", f"alice:{PASSWORD} "):
        assert ask(secured, authority, "/api/status", login)[0].status == 401, login


def test_who_logs_in_uses_page_api_and_metrics_by_any_name(secured, authority):
    login = f"alice:{PASSWORD}"
    assert "<!doctype html>" in ask(secured, authority, "/", login, host="console.example")[1].lower()
    assert json.loads(ask(secured, authority, "/api/status", login)[1])["ready"]
    assert "tailrace_hop" in ask(secured, authority, "/metrics", login)[1]
    answer, body = ask(secured, authority, "/api/sql", login, json.dumps({"query": "SELECT 1 AS n", "limit": 1}))
    assert answer.status == 200 and json.loads(body)["rows"] == [[1]]
    answer, body = ask(secured, authority, "/api/v2/dags/d/dagRuns", login, json.dumps({"logical_date": None}))
    assert answer.status == 200 and json.loads(body)["triggering_user_name"] == "alice"


def test_commands_on_the_data_folder_need_no_login_and_know_the_server_by_its_key(secured):
    for words in (["status", secured.folder], ["sql", secured.folder, "-c", "SELECT 1 AS n"],
                  ["dags", "runs", "d", "--project", secured.folder]):
        done = secured.command(*words, "--data", secured.data)
        assert done.returncode == 0, done.stderr
    token = (secured.data / "console.token").read_text().strip()
    assert (secured.data / "console.token").stat().st_mode & 0o077 == 0
    run = secured.data / "run.json"
    assert token not in run.read_text() and token not in secured.log.read_text()
    kept = run.read_text()
    try:
        other = kept.replace(json.loads(kept)["console_key"], "sha256//" + base64.b64encode(bytes(32)).decode())
        assert other != kept
        run.write_text(other)
        done = secured.command("status", secured.folder, "--data", secured.data)
        assert done.returncode == 1 and "public key" in done.stderr, done.stderr
    finally:
        run.write_text(kept)


def test_airflows_door_speaks_tls_too(secured, authority):
    at = urllib.parse.urlsplit(secured.run_file()["airflow"])
    assert at.scheme == "https"
    context = ssl.create_default_context(cafile=authority.certificate)
    connection = http.client.HTTPSConnection("localhost", at.port, context=context, timeout=30)
    connection.request("GET", "/api/v2/version")
    assert connection.getresponse().status == 200


def test_half_of_tls_and_a_bad_file_of_users_are_told(tmp_path):
    project = tailrace.with_sql(tmp_path, "CREATE STREAMING TABLE u AS SELECT value FROM STREAM t;", ONE_TOPIC)
    (tmp_path / "users").write_text("alice\n")
    for words, what in ((["--console-tls-certificate", tmp_path / "x.pem"], "--console-tls-key"),
                        (["--console-users", tmp_path / "none"], "--console-users"),
                        (["--console-users", "env:NOT_THERE"], "env:NOT_THERE"),
                        (["--console-users", tmp_path / "users"], "users")):
        done = project.command("run", project.folder, "--data", tmp_path / "data", *tailrace.FREE_PORTS, *words)
        assert done.returncode == 1 and what in done.stderr, done.stderr
