"""Confluent's Java client of its registry asks ours: what it makes of our answers, plain and by TLS with a login."""
import os
import pathlib
import subprocess

import pytest
from certificates import Authority
from registry import Registry

HERE = pathlib.Path(__file__).parent / "registry_client"
JARS = os.environ.get("TAILRACE_REGISTRY_CLIENT_JARS", "")

SAID = """register: 1
again: 1
second: 2
wrong: 409 409
compatible: true
verbose: true
by id: true
of subject: true
unknown id: 404 40403
latest: 2
version: 1
id: 2
versions: [1, 2]
subjects by id: [orders-value]
versions by id: 2
subjects: [orders-value]
no subject: 404 40401
reference: 3
its references: true
with metadata: 3
in use: 422 42206
config: NONE
its config: NONE
forced: 4
mode: READONLY
read only: 422 42205
its mode: READONLY
mode back: READWRITE
delete version: 3
delete lines: [1]
for good: [1]
delete: [1, 2]
with deleted: [orders-value]
"""


def said(url, *settings):
    if not JARS:
        pytest.skip("TAILRACE_REGISTRY_CLIENT_JARS is not set; tests/real/registry_env.sh prints it")
    done = subprocess.run(["java", "-Xmx256m", "-cp", f"{JARS}/*", HERE / "RegistryClient.java", url, *settings],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.smoke
def test_the_java_client_reads_every_answer(tmp_path):
    registry = Registry(tmp_path).start()
    assert said(registry.url) == SAID
    registry.stop()


def test_the_java_client_comes_through_tls_with_a_login(tmp_path):
    authority = Authority(tmp_path / "authority")
    both = authority.sign("door", "/CN=localhost")[2]
    (tmp_path / "users.txt").write_text("alice: secret\n")
    (tmp_path / "registry.properties").write_text(
        f"ssl.keystore.type=PEM\nssl.keystore.location={both}\nauthentication.method=BASIC\n"
        f"authentication.users.location={tmp_path / 'users.txt'}\n")
    registry = Registry(tmp_path, "--config", tmp_path / "registry.properties").start()
    answered = said(f"https://{registry.address}", "schema.registry.ssl.truststore.type=PEM",
                    f"schema.registry.ssl.truststore.location={authority.certificate}",
                    "basic.auth.credentials.source=USER_INFO", "basic.auth.user.info=alice:secret")
    assert answered == SAID
    registry.stop()
