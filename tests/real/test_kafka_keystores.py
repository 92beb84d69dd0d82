"""Keystores that change while the broker runs (KIP-226), given by Kafka's own tool to real Kafka and to our broker:
both say the same, and openssl is shown the same certificates."""
import re
import shutil

import kafka_side
import pytest
from certificates import Authority, serial_at, serial_of
from secured_broker import SecuredBroker
from tailrace import wait_until

CONFIGS = "kafka.admin.ConfigCommand --bootstrap-server @ --entity-type brokers --entity-name 1"
LOCATION = "listener.name.ssl.ssl.keystore.location"


class Side:
    """A broker with its own copy of the certificates."""

    def __init__(self, folder, certificates, make):
        self.folder = folder
        folder.mkdir()
        for name, files in certificates.items():
            shutil.copy(files[2], folder / f"{name}.pem")
        settings = {"ssl.keystore.type": "PEM", "ssl.keystore.location": folder / "old.pem"}
        self.broker, self.address, self.secure = make(folder, settings)

    def say(self, command):
        said = kafka_side.tool(self.address, command.replace("FOLDER", str(self.folder)))
        lines = [re.sub(r"DN=CN=(\w+)", r"DN=\1", line.replace(str(self.folder), "FOLDER")
                        .replace(self.address, "ADDRESS")) for line in said.lines]
        return said.code, lines

    def shows(self, serial):
        """Kafka answers who asked for a change before its listeners have it."""
        wait_until(lambda: serial_at(self.secure) == serial, f"{self.folder.name} shows the certificate {serial}")


def real(folder, settings):
    broker = kafka_side.RealKafka(folder, ["SSL"], **settings).start()
    return broker, broker.address, broker.ports["SSL"]


def ours(folder, settings):
    text = "listeners=PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0\n"
    broker = SecuredBroker(folder, text + "".join(f"{name}={value}\n" for name, value in settings.items())).start()
    return broker, broker.ports["PLAINTEXT"], broker.ports["SSL"]


# One story, in order: a command, whether both must say it in the same words, and the certificate that is shown then.
# Of an unreadable file Java tells its own classes.
STORY = [
    (f"{CONFIGS} --alter --add-config {LOCATION}=FOLDER/new.pem", True, "new"),
    (f"{CONFIGS} --describe", True, "new"),
    (f"{CONFIGS} --alter --add-config {LOCATION}=FOLDER/elsewhere.pem", True, "new"),
    (f"{CONFIGS} --alter --add-config {LOCATION}=FOLDER/fewer.pem", False, "new"),
    (f"{CONFIGS} --alter --add-config {LOCATION}=FOLDER/none.pem", False, "new"),
    (f"{CONFIGS} --alter --add-config ssl.keystore.location=FOLDER/new.pem", True, "new"),
    (f"{CONFIGS} --alter --add-config {LOCATION}=FOLDER/more.pem", True, "more"),
    (f"{CONFIGS} --alter --delete-config {LOCATION}", False, "more"),
    (f"{CONFIGS} --describe", True, "more"),
]


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_keystores_change_as_on_kafka(tmp_path):
    authority = Authority(tmp_path / "authority")
    certificates = {name: authority.sign(name, "/CN=localhost") for name in ("old", "new")} | {
        "elsewhere": authority.sign("elsewhere", "/CN=elsewhere"),
        "fewer": authority.sign("fewer", "/CN=localhost", "DNS:localhost"),
        **{name: authority.sign(name, "/CN=localhost", "DNS:localhost,IP:127.0.0.1,DNS:kafka.example")
           for name in ("more", "later")}}
    sides = [Side(tmp_path / make.__name__, certificates, make) for make in (real, ours)]
    serials = {name: serial_of(files[0]) for name, files in certificates.items()}
    different = []

    def both_say(command, in_words, shown):
        one, other = (side.say(command) for side in sides)
        if not (one == other if in_words else one[0] == other[0]):
            different.append(f"{command}\n--- Kafka\n{one}\n--- ours\n{other}\n")
        for side in sides:
            side.shows(serials[shown])

    for step in STORY:
        both_say(*step)
    # What was replaced under its name is read with the next change of the broker, whatever it is.
    for side in sides:
        shutil.copy(side.folder / "later.pem", side.folder / "more.pem")
    both_say(f"{CONFIGS} --alter --add-config log.cleaner.threads=2", True, "later")
    for side in sides:
        side.broker.stop()
    assert not different, "\n".join(different)
