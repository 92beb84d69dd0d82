"""Operators at real servers (PostgreSQL, MinIO, Cassandra, mail with STARTTLS) do embedded what they do on Airflow."""
import contextlib
import json
import os
import re
import socket
import ssl
import subprocess

import certificates
import ports
import postgres_side
import psycopg
import pytest
import tailrace
import test_airflow_operators as operators
from test_airflow_operators import python  # noqa: F401

import cql_wire

stages, ROOT = operators.stages, operators.ROOT
MINIO = os.environ.get("TAILRACE_MINIO", "")
pytestmark = [pytest.mark.timeout(3600),
              pytest.mark.skipif(not MINIO, reason="tests/real/minio_env.sh prints where MinIO is")]
SEED = """
import boto3, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id="tailrace", aws_secret_access_key="hush-hush",
                  region_name="us-east-1")
s3.create_bucket(Bucket="inbox")
for key in ("a/one file.csv", "a/two.csv", "b.csv"):
    s3.put_object(Bucket="inbox", Key=key, Body=key.encode())
"""


class SmtpTls(stages.Smtp):
    """Takes mail only after STARTTLS."""

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline(10_000):
            word = line.decode().split()[0].upper()
            if word == "STARTTLS":
                self.say("220 go ahead")
                break
            self.say("250-here\r\n250 STARTTLS" if word == "EHLO" else "530 5.7.0 STARTTLS first")
        else:
            return
        try:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return  # whoever does not trust the certificate
        self.setup()
        self.say = lambda text: stages.Smtp.say(self, text) if text != "220 here" else None
        super().handle()


class MinIO:
    def __init__(self, folder):
        [port] = ports.free(1)
        self.url = f"http://127.0.0.1:{port}"
        with open(folder / "minio.log", "wb") as out:
            self.process = subprocess.Popen(
                [MINIO, "server", folder / "buckets", "--address", f"127.0.0.1:{port}"], stdout=out, stderr=out,
                env=os.environ | {"MINIO_ROOT_USER": "tailrace", "MINIO_ROOT_PASSWORD": "hush-hush"})
        tailrace.started.append(self.process)

        def answers():
            assert self.process.poll() is None, (folder / "minio.log").read_text()[-2000:]
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return True

        tailrace.wait_until(answers, "MinIO", 120)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def servers(tmp_path, python, cassandra):  # noqa: F811
    """Connections' environment, the PostgreSQL whose table is made anew for each side, and the mail."""
    database = postgres_side.RealPostgres().start()
    store = MinIO(tmp_path)
    authority = certificates.Authority(tmp_path)
    certificate, key, _ = authority.sign("mail", "/CN=localhost")
    mail = stages.Server(SmtpTls)
    mail.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mail.context.load_cert_chain(certificate, key)
    subprocess.run([python, "-c", SEED, store.url], check=True, timeout=600)
    connection = cql_wire.Connection(cassandra.address)
    for statement in ("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
                      "CREATE TABLE shop.people (name text, id int, PRIMARY KEY (name, id))",
                      "INSERT INTO shop.people (name, id) VALUES ('O''Neil', 7)"):
        assert connection.query(statement).code is None
    host, port = cassandra.address.split(":")
    bucket = {"endpoint_url": store.url, "region_name": "us-east-1"}
    smtp = {"conn_type": "smtp", "host": "localhost", "port": mail.port, "login": "me", "password": "hush-hush",
            "extra": {"disable_ssl": True, "disable_tls": False, "retry_limit": 0}}
    given = {
        "database": {"conn_type": "postgres", "host": "127.0.0.1", "port": database.port, "schema": "postgres",
                     "login": postgres_side.USER, "password": postgres_side.PASSWORD},
        "store": {"conn_type": "aws", "login": "tailrace", "password": "hush-hush", "extra": bucket},
        "store_refused": {"conn_type": "aws", "login": "tailrace", "password": "wrong", "extra": bucket},
        "rows": {"conn_type": "cassandra", "host": host, "port": int(port), "schema": "shop"},
        "mail": smtp, "mail_stranger": smtp | {"host": "127.0.0.2"},
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in given.items()}
    environment["SSL_CERT_FILE"] = str(authority.certificate)
    yield environment, database, mail
    mail.shutdown()
    mail.server_close()
    store.stop()
    database.remove()


def alike(told):
    """Without what no two runs have alike, and the words of a driver."""
    for found in told.values():
        found["why"] = re.sub("duration of [0-9.]+", "duration of SOME", found["why"])
    why = told["undone"]["why"].split("\n")[0].removeprefix("PostgreSQL: ")
    told["undone"]["why"] = re.sub(r" \(\d{5}\)$", "", why)
    told["mail_to_a_stranger"]["why"] = ""
    return told


def test_operators_at_real_servers_do_embedded_what_they_do_on_airflow(
        tmp_path, monkeypatch, servers, python):  # noqa: F811
    environment, database, mail = servers
    file = ROOT / "tests/operators/servers.yml"
    there = alike(operators.on_airflow(python, tmp_path, file, **environment)["servers"])
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP TABLE t")
    noted = list(mail.noted)
    mail.noted.clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "embedded").mkdir()
    project = operators.test_own_operators.project_with(tmp_path / "embedded", [file]).start()
    here = alike(operators.embedded_operators.outcome(project, "servers"))
    project.kill()
    assert here == there
    assert mail.noted == noted and len(noted) == 1 and noted[0]["user"] == "me:hush-hush"
    assert {task for task, found in here.items() if found["state"] == "failed"} == {
        "undone", "wrong_secret", "mail_to_a_stranger"}
    assert {task for task, found in here.items() if found["state"] == "skipped"} == {
        "no_key", "no_bucket", "no_table", "no_record"}
