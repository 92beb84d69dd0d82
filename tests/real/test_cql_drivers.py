"""Every client of CQL, unmodified, is answered as by real Cassandra: what it prints is the same, line by line.

Each script below tests/real/drivers connects, makes a schema, writes and reads every type, pages, batches, counters,
transactions and errors, changes tables under prepared statements, looks at what its driver knows of the schema."""
import os
import pathlib
import re
import subprocess

import certificates
import cql_server
import pytest
import tailrace

HERE = pathlib.Path(__file__).parent / "drivers"
DRIVERS = pathlib.Path(os.environ.get("TAILRACE_DRIVERS", "/nowhere"))
VALUES = HERE / "values.txt"
PASSWORD = "store-password"
MINUTES = 8


def python(address, keyspace, version, compression, interpreter=DRIVERS / "python" / "bin" / "python"):
    return [interpreter, HERE / "python_driver.py", address, version, compression, keyspace]


def cassandra_driver(address, keyspace, version, compression):
    return python(address, keyspace, version, compression, tailrace.ROOT / "build" / "venv" / "bin" / "python")


def cpp(address, keyspace, version, _):
    return [DRIVERS / "python" / "bin" / "python", HERE / "cpp_driver.py", address, version, keyspace]


def java(address, keyspace, version, compression):
    host, port = address.rsplit(":", 1)
    return ["java", "-Xmx400m", *store_options(), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
            DRIVERS / "java" / "lib" / "*", HERE / "java" / "JavaDriver.java", host, port, version, compression,
            keyspace, VALUES]


def store_options():
    store = os.environ.get("TLS_STORE")
    return [] if store is None else [f"-Djavax.net.ssl.{kind}Store{end}={value}" for kind in ("trust", "key")
                                     for end, value in (("", f"{store}.{kind}"), ("Password", PASSWORD))]


def node(address, keyspace, version, _):
    return ["node", HERE / "node" / "node_driver.js", address, version, keyspace, VALUES]


def go(address, keyspace, version, compression, name="go2"):
    return [DRIVERS / name / "driver", address, version, compression, keyspace, VALUES]


def gocql_1(address, keyspace, version, compression):
    return go(address, keyspace, version, compression, "go1")


def spark(address, keyspace, *_):
    return [DRIVERS / "pyspark" / "bin" / "python", HERE / "spark_connector.py", address, keyspace,
            DRIVERS / "spark" / "lib"]


CLIENTS = [(cassandra_driver, 3, "none"), (cassandra_driver, 4, "none"), (cassandra_driver, 5, "none"),
           (python, 3, "snappy"), (python, 4, "lz4"), (python, 5, "lz4"),
           (java, 3, "snappy"), (java, 4, "lz4"), (java, 5, "lz4"), (java, 5, "none"),
           (node, 3, ""), (node, 4, ""), (gocql_1, 3, "none"), (gocql_1, 4, "snappy"),
           (go, 4, "snappy"), (go, 5, "lz4"), (go, 5, "none"), (cpp, 3, ""), (cpp, 4, ""), (spark, 5, "")]
OVER_TLS = [(python, 5, "lz4"), (java, 5, "none"), (node, 4, ""), (gocql_1, 4, "none"), (go, 5, "lz4"), (cpp, 4, "")]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    server = cql_server.CqlServer(tmp_path_factory.mktemp("ours")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server that asks for a client's certificate, and what clients need to know."""
    folder = tmp_path_factory.mktemp("tls")
    authority = certificates.Authority(folder)
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    own, own_key, _ = authority.sign("client", "/CN=client")
    stores = folder / "store"
    subprocess.run(["openssl", "pkcs12", "-export", "-in", own, "-inkey", own_key, "-out", f"{stores}.key", "-passout",
                    f"pass:{PASSWORD}"], check=True)
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "authority", "-file", authority.certificate,
                    "-keystore", f"{stores}.trust", "-storepass", PASSWORD], check=True, capture_output=True)
    server = cql_server.CqlServer(folder, "--tls-certificate", certificate, "--tls-key", key, "--tls-clients",
                                  authority.certificate).start()
    yield server, {"TLS_AUTHORITY": str(authority.certificate), "TLS_CERTIFICATE": str(own), "TLS_KEY": str(own_key),
                   "TLS_STORE": str(stores)}
    server.stop()


def told(client, address, version, compression, keyspace):
    if not DRIVERS.exists():
        pytest.skip("TAILRACE_DRIVERS is not set; tests/real/drivers_env.sh prints it")
    words = [str(word) for word in client(address, keyspace, str(version), compression)]
    if not pathlib.Path(words[0]).exists() and client in (go, gocql_1):
        pytest.skip("no Go here when the drivers were fetched")
    done = subprocess.run(words, capture_output=True, text=True, timeout=MINUTES * 60, check=False,
                          cwd=DRIVERS / "node", env=os.environ | {"PYTHONHASHSEED": "0"})  # sets are shown in one order
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.splitlines()


def keyspace_of(client, version, compression):
    return re.sub(r"\W", "", f"{client.__name__}_{version}_{compression}").lower()


@pytest.mark.parametrize("client, version, compression", CLIENTS)
def test_a_client_is_answered_as_by_cassandra(cassandra, ours, client, version, compression):
    keyspace = keyspace_of(client, version, compression)
    expected = told(client, cassandra.address, version, compression, keyspace)
    assert len(expected) > 60
    assert told(client, ours.address, version, compression, keyspace) == expected


def test_the_recorded_answers_are_cassandras(cassandra):
    assert told(cassandra_driver, cassandra.address, 4, "none", "recorded") == \
        (HERE / "answers" / "python_driver.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("client, version, compression", OVER_TLS)
def test_a_client_with_a_certificate_is_answered_as_without_tls(ours, tls, monkeypatch, client, version, compression):
    server, words = tls
    keyspace = keyspace_of(client, version, compression) + "_tls"
    expected = told(client, ours.address, version, compression, keyspace)
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert told(client, server.address, version, compression, keyspace) == expected
