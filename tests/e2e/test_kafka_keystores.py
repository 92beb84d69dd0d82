"""Certificates of listeners that change while the broker runs (KIP-226), as openssl sees them."""
import re

import confluent_kafka
import pytest
from certificates import Authority, serial_at, serial_of
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from secured_broker import SecuredBroker


class Keystores:
    def __init__(self, folder):
        self.authority = Authority(folder / "authority")
        self.other = Authority(folder / "other", "other")
        self.old, self.new = (self.authority.sign(name, "/CN=localhost") for name in ("old", "new"))
        self.broker = SecuredBroker(folder, f"""
listeners=PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0,MUTUAL://127.0.0.1:0
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,MUTUAL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={self.old[2]}
ssl.truststore.type=PEM
ssl.truststore.location={self.authority.certificate}
listener.name.mutual.ssl.client.auth=required
""").start()

    def set(self, **values):
        """By the setting's name with _ for each dot but the listener's."""
        entries = [ConfigEntry(name.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
                   for name, value in values.items()]
        admin = AdminClient({"bootstrap.servers": self.broker.ports["PLAINTEXT"]})
        resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=entries)
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(20)

    def serials(self):
        return {name: serial_at(self.broker.ports[name]) for name in ("SSL", "MUTUAL")}

    def is_served(self, own):
        """Whether a client that shows this certificate is served at the listener that wants one."""
        admin = AdminClient({"bootstrap.servers": self.broker.ports["MUTUAL"], "security.protocol": "SSL",
                             "ssl.ca.location": str(self.authority.certificate), "ssl.certificate.location":
                             str(own[0]), "ssl.key.location": str(own[1])})
        try:
            return len(admin.list_topics(timeout=5).brokers) == 1
        except confluent_kafka.KafkaException:
            return False


@pytest.fixture
def stores(tmp_path):
    made = Keystores(tmp_path)
    yield made
    if made.broker.process.poll() is None:
        made.broker.stop()


def test_a_new_keystore_is_shown_to_who_connects_next_and_after_a_restart(stores):
    old, new = serial_of(stores.old[0]), serial_of(stores.new[0])
    assert stores.serials() == {"SSL": old, "MUTUAL": old}
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": stores.broker.ports["SSL"], "security.protocol": "SSL", "group.id": "g",
        "ssl.ca.location": str(stores.authority.certificate)})
    assert consumer.list_topics(timeout=10).brokers
    stores.set(listener_name_ssl_ssl_keystore_location=stores.new[2])
    assert stores.serials() == {"SSL": new, "MUTUAL": old}
    assert consumer.list_topics(timeout=10).brokers, "an open connection goes on"
    stores.broker.stop()
    stores.broker.start()
    assert stores.serials() == {"SSL": new, "MUTUAL": old}


def test_a_file_that_was_replaced_is_read_with_the_next_change_of_the_broker(stores):
    old, new = serial_of(stores.old[0]), serial_of(stores.new[0])
    stores.old[2].write_text(stores.new[2].read_text())
    assert stores.serials() == {"SSL": old, "MUTUAL": old}
    stores.set(log_cleaner_threads=2)
    assert stores.serials() == {"SSL": new, "MUTUAL": new}
    stores.old[2].write_text("no certificate")
    stores.set(log_cleaner_threads=1)
    assert stores.serials() == {"SSL": new, "MUTUAL": new}
    told = stores.broker.log.read_text()
    assert re.search("the listeners keep their certificates: .*listener SSL: no certificate", told)


def test_who_is_trusted_changes_with_the_truststore(stores):
    ours, theirs = stores.authority.sign("ours", "/CN=ours"), stores.other.sign("theirs", "/CN=theirs")
    assert stores.is_served(ours) and not stores.is_served(theirs)
    stores.set(listener_name_mutual_ssl_truststore_location=stores.other.certificate)
    assert stores.is_served(theirs) and not stores.is_served(ours)


def test_what_cannot_be_used_is_refused_and_changes_nothing(stores):
    old = stores.serials()
    renamed = stores.authority.sign("renamed", "/CN=elsewhere")
    fewer = stores.authority.sign("fewer", "/CN=localhost", "DNS:localhost")
    for path, why in ((renamed[2], "DistinguishedName does not match"), (fewer[2], "SubjectAltNames do not match"),
                      (stores.old[0], "key"), ("/nowhere", "/nowhere")):
        with pytest.raises(confluent_kafka.KafkaException) as refused:
            stores.set(listener_name_ssl_ssl_keystore_location=path)
        assert refused.value.args[0].code() == confluent_kafka.KafkaError.INVALID_REQUEST
        assert why in str(refused.value), refused.value
        assert stores.serials() == old
    more = stores.authority.sign("more", "/CN=localhost", "DNS:localhost,IP:127.0.0.1,DNS:kafka.example")
    stores.set(listener_name_ssl_ssl_keystore_location=more[2])
    assert stores.serials()["SSL"] == serial_of(more[0])
