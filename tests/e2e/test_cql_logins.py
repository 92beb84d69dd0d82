"""CQL's clients log in: drivers and cqlsh, with and without TLS; roles that were acknowledged outlive a kill."""
import contextlib
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import time

import cassandra
import cql_wire
import pytest
import tailrace
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable
from certificates import Authority
from cql_server import CqlServer

NOT_RIGHT = "Provided username {} and/or password are incorrect"
ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = CqlServer(tmp_path_factory.mktemp("logins"), "--auth", "password").start()
    yield one
    one.kill()


@contextlib.contextmanager
def connected(server, user="cassandra", password="cassandra", **more):
    host, port = server.address.split(":")
    cluster = Cluster([host], port=int(port), auth_provider=PlainTextAuthProvider(user, password), **more)
    try:
        yield cluster.connect()
    finally:
        cluster.shutdown()


def logged_in(server, user="cassandra", password="cassandra"):
    return cql_wire.Connection(server.address, 4, user=user, password=password)


def cqlsh(server, folder, *words):
    host, port = server.address.split(":")
    return subprocess.run([pathlib.Path(sys.executable).with_name("cqlsh"), host, port, *words],
                          capture_output=True, text=True, timeout=120, check=False,
                          env=os.environ | {"HOME": str(folder), "CQLSH_NO_BUNDLED": "1"})


def test_a_driver_logs_in_and_may_what_its_role_may(server):
    with connected(server) as session:
        session.execute(f"CREATE KEYSPACE shop WITH replication = {ONE}")
        session.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, what text)")
        session.execute("CREATE ROLE clerk WITH PASSWORD = 'paper' AND LOGIN = true")
        session.execute("GRANT SELECT ON shop.orders TO clerk")
        session.execute("INSERT INTO shop.orders (id, what) VALUES (1, 'tea')")
    with connected(server, "clerk", "paper") as session:
        read = session.prepare("SELECT what FROM shop.orders WHERE id = ?")
        assert session.execute(read, [1]).one().what == "tea"
        with pytest.raises(cassandra.Unauthorized, match="User clerk has no MODIFY permission on <table shop.orders>"):
            session.execute("INSERT INTO shop.orders (id, what) VALUES (2, 'coffee')")
        with connected(server) as other:
            other.execute("REVOKE SELECT ON shop.orders FROM clerk")
        with pytest.raises(cassandra.Unauthorized, match="User clerk has no SELECT permission"):
            session.execute(read, [1])


@pytest.mark.parametrize("user, password", [("cassandra", "Cassandra"), ("nobody", "cassandra")])
def test_a_driver_with_a_wrong_password_is_told_so(server, user, password):
    with pytest.raises(NoHostAvailable) as refused:
        with connected(server, user, password):
            pass
    assert NOT_RIGHT.format(user) in str(refused.value)


def test_who_does_not_log_in_gets_nothing(server):
    host, port = server.address.split(":")
    cluster = Cluster([host], port=int(port))
    with pytest.raises(NoHostAvailable, match="requires authentication"):
        cluster.connect()
    cluster.shutdown()


def test_cqlsh_logs_in(server, tmp_path):
    done = cqlsh(server, tmp_path, "-u", "cassandra", "-p", "cassandra", "-e", "LIST ROLES OF cassandra")
    assert done.returncode == 0, done.stderr
    assert re.search(r"cassandra \| +True \| +True", done.stdout), done.stdout
    wrong = cqlsh(server, tmp_path, "-u", "cassandra", "-p", "wrong", "-e", "LIST ROLES")
    assert wrong.returncode != 0 and NOT_RIGHT.format("cassandra") in wrong.stderr


def test_logins_go_through_tls(tmp_path):
    authority = Authority(tmp_path / "certificates")
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    server = CqlServer(tmp_path, "--auth", "password", "--tls-certificate", certificate, "--tls-key", key).start()
    context = ssl.create_default_context(cafile=authority.certificate)
    options = {"server_hostname": "localhost"}
    with connected(server, ssl_context=context, ssl_options=options) as session:
        assert session.execute("LIST USERS").one().name == "cassandra"
    with pytest.raises(NoHostAvailable) as refused:
        with connected(server, password="wrong", ssl_context=context, ssl_options=options):
            pass
    assert NOT_RIGHT.format("cassandra") in str(refused.value)
    server.stop()


def test_a_project_speaks_tls_to_those_who_show_a_certificate(tmp_path):
    authority = Authority(tmp_path / "certificates")
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    project = tailrace.Project(tmp_path)
    flags = ["--cql-tls-certificate", certificate, "--cql-tls-key", key, "--cql-tls-clients", authority.certificate]
    with open(project.log, "ab") as out:
        project.process = subprocess.Popen([tailrace.PROGRAM, "run", project.folder, "--data", project.data,
                                            *tailrace.FREE_PORTS, *flags], stdout=out, stderr=out)
    tailrace.started.append(project.process)
    tailrace.wait_until(project.url, "the project")
    host, port = project.cql()
    options = {"server_hostname": "localhost"}

    def first_rows(*client):
        context = ssl.create_default_context(cafile=authority.certificate)
        if client:
            context.load_cert_chain(*client)
        with Cluster([host], port=port, ssl_context=context, ssl_options=options) as cluster:
            return cluster.connect().execute("SELECT id FROM random_users.created_users LIMIT 3").all()

    shown = authority.sign("client", "/CN=client")[:2]
    tailrace.wait_until(lambda: first_rows(*shown), "rows")
    with pytest.raises(NoHostAvailable):
        first_rows()
    with pytest.raises(NoHostAvailable), Cluster([host], port=port) as cluster:
        cluster.connect()
    project.kill()


def test_a_project_whose_cql_door_lacks_its_key_says_which_flag(tmp_path):
    project = tailrace.Project(tmp_path)
    words = [tailrace.PROGRAM, "run", project.folder, "--data", project.data, *tailrace.FREE_PORTS,
             "--cql-tls-certificate", "server.pem"]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0 and "TLS needs --cql-tls-certificate and --cql-tls-key" in refused.stderr


def test_a_killed_server_has_the_roles_and_permissions_that_it_acknowledged(tmp_path):
    server = CqlServer(tmp_path, "--auth", "password").start()
    admin = logged_in(server)
    for statement in (f"CREATE KEYSPACE k WITH replication = {ONE}", "CREATE TABLE k.t (k int PRIMARY KEY)",
                      "CREATE ROLE readers", "GRANT SELECT ON k.t TO readers",
                      "CREATE ROLE ann WITH PASSWORD = 'a' AND LOGIN = true", "GRANT readers TO ann",
                      "CREATE ROLE ben WITH PASSWORD = 'b' AND LOGIN = true",
                      "ALTER ROLE cassandra WITH PASSWORD = 'other'", "DROP ROLE ben"):
        answer = admin.query(statement)
        assert answer.code is None, (statement, answer.message)
    server.kill()
    server.start()
    assert logged_in(server, "ann", "a").query("SELECT * FROM k.t").rows == []
    assert logged_in(server, "ann", "a").query("INSERT INTO k.t (k) VALUES (1)").message.startswith("User ann has no")
    assert logged_in(server, "ben", "b").started.message == NOT_RIGHT.format("ben")
    assert logged_in(server).started.message == NOT_RIGHT.format("cassandra")
    assert logged_in(server, "cassandra", "other").query("DROP TABLE k.t").code is None
    server.kill()
    server.start()
    permissions = logged_in(server, "cassandra", "other").query("LIST ALL PERMISSIONS OF ann")
    assert permissions.code is None and permissions.rows is None


def test_what_a_superuser_writes_to_the_tables_of_roles_counts_at_once(server):
    admin = logged_in(server)
    hidden = "$2a$04$aU1MrMbXHIrikVpjIbOEue5QrzGypgvB9EcD32LT5Ok0zjVt21Cee"
    admin.query(f"INSERT INTO system_auth.roles (role, can_login, salted_hash) VALUES ('eve', true, '{hidden}')")
    assert logged_in(server, "eve", "hidden").started.code is None
    admin.query("UPDATE system_auth.roles SET can_login = false WHERE role = 'eve'")
    assert logged_in(server, "eve", "hidden").started.message == "eve is not permitted to log in"
    admin.query("BEGIN BATCH DELETE FROM system_auth.roles WHERE role = 'eve'; APPLY BATCH")
    assert logged_in(server, "eve", "hidden").started.message == NOT_RIGHT.format("eve")


def test_guessing_passwords_keeps_nobody_from_working(server):
    admin = logged_in(server)
    admin.query(f"CREATE KEYSPACE busy WITH replication = {ONE}")
    admin.query("CREATE TABLE busy.t (k int PRIMARY KEY)")
    stop = threading.Event()
    guessed = []

    def guess():
        while not stop.is_set():
            guessed.append(logged_in(server, "cassandra", f"guess {len(guessed)}").started.message)

    guessing = [threading.Thread(target=guess) for _ in range(8)]
    for one in guessing:
        one.start()
    tailrace.wait_until(lambda: len(guessed) >= 3, "some guesses")
    before, written = len(guessed), 0
    while len(guessed) < before + 10:  # each takes one thread 60 ms, of all that there are
        assert admin.query(f"INSERT INTO busy.t (k) VALUES ({written})").code is None
        assert logged_in(server).started.code is None  # it was right a moment ago
        written += 1
        time.sleep(0)
    stop.set()
    for one in guessing:
        one.join()
    assert set(guessed) == {NOT_RIGHT.format("cassandra")}
    assert len(admin.query("SELECT * FROM busy.t").rows) == written


def test_the_password_that_everybody_knows_opens_no_door_to_others(tmp_path):
    words = [tailrace.PROGRAM, "serve", "--data", tmp_path / "data", "--listen", "0.0.0.0:0", "--auth", "password"]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0
    assert "the role cassandra can log in with the password that everybody knows" in refused.stderr
    server = CqlServer(tmp_path, "--auth", "password").start()
    assert logged_in(server).query("ALTER ROLE cassandra WITH PASSWORD = 'of our own'").code is None
    server.stop()
    server.words, server.address = ("--auth", "password"), "0.0.0.0:0"
    server.start()
    assert logged_in(server, "cassandra", "of our own").started.code is None
    server.stop()


def test_the_first_password_is_the_files_and_its_text_is_in_no_log(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a first password\n")
    server = CqlServer(tmp_path, "--auth", "password", "--first-password-file", secret)
    server.address = "0.0.0.0:0"
    server.start()
    assert logged_in(server, "cassandra", "cassandra").started.message == NOT_RIGHT.format("cassandra")
    admin = logged_in(server, "cassandra", "a first password")
    assert admin.query("CREATE ROLE ann WITH PASSWORD = 'a second password' AND LOGIN = true").code is None
    salted = admin.query("SELECT salted_hash FROM system_auth.roles WHERE role = 'ann'").rows[0][0].decode()
    assert salted.startswith("$2a$10$")
    server.stop()
    secret.write_text("another\n")  # roles are there: it is of no account
    server.start()
    assert logged_in(server, "ann", "a second password").started.code is None
    assert logged_in(server, "cassandra", "another").started.code is not None
    server.stop()
    told = server.log.read_text()
    assert not [one for one in ("first password", "second password", salted) if one in told]


def test_a_server_without_logins_lets_everybody_in_and_makes_no_role(tmp_path):
    server = CqlServer(tmp_path).start()
    assert logged_in(server, "whoever", "whatever").query("SELECT * FROM system_auth.roles").rows == []
    server.stop()


def test_an_unknown_kind_of_login_is_refused(tmp_path):
    words = [tailrace.PROGRAM, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--auth", "kerberos"]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0 and "--auth kerberos: none or password is expected" in refused.stderr


def test_a_projects_tables_are_read_by_who_may(tmp_path):
    project = tailrace.Project(tmp_path)
    out = open(project.log, "ab")
    project.process = subprocess.Popen([tailrace.PROGRAM, "run", project.folder, "--data", project.data,
                                        *tailrace.FREE_PORTS, "--cql-auth", "password"], stdout=out, stderr=out)
    tailrace.started.append(project.process)
    tailrace.wait_until(project.url, "the project")
    host, port = project.cql()

    def ask(statement, user="cassandra", password="cassandra"):
        return cql_wire.Connection(f"{host}:{port}", 4, user=user, password=password).query(statement)

    table = "random_users.created_users"
    assert ask("CREATE ROLE ann WITH PASSWORD = 'a' AND LOGIN = true").code is None
    refused = f"User ann has no SELECT permission on <table {table}> or any of its parents"
    assert ask(f"SELECT id FROM {table}", "ann", "a").message == refused
    assert ask(f"GRANT SELECT ON {table} TO ann").code is None
    tailrace.wait_until(lambda: ask(f"SELECT id FROM {table} LIMIT 3", "ann", "a").rows, "rows")
    assert "of the pipeline" in ask(f"DROP TABLE {table}", "ann", "a").message
    project.kill()
