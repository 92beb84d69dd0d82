"""kafka-acls and kafka-configs for users and quotas, given to real Kafka and to our broker, both with an authorizer:
they say the same."""
import re

import kafka_side
import pytest
from secured_broker import SecuredBroker

ACLS = "AclCommand --bootstrap-server @"
CONFIGS = "kafka.admin.ConfigCommand --bootstrap-server @"
USERS = f"{CONFIGS} --entity-type users"
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"

# One story, in order.
COMMANDS = [
    f"{ACLS} --list",
    f"{ACLS} --add --allow-principal User:alice --operation Read --topic orders",
    f"{ACLS} --add --allow-principal User:alice --operation Read --topic orders",
    f"{ACLS} --add --allow-principal User:* --deny-principal User:bob --deny-host 10.0.0.1 --operation All"
    " --topic pre --resource-pattern-type prefixed",
    f"{ACLS} --add --allow-principal User:alice --consumer --topic orders --group readers",
    f"{ACLS} --add --allow-principal User:alice --producer --topic orders --transactional-id t1",
    f"{ACLS} --add --allow-principal User:carol --operation Alter --cluster",
    f"{ACLS} --add --allow-principal alice --operation Read --topic orders",
    f"{ACLS} --add --allow-principal User:alice --operation ClusterAction --topic orders",
    f"{ACLS} --add --allow-principal User:alice --operation CreateTokens --user-principal User:bob",
    f"{ACLS} --list",
    f"{ACLS} --list --topic orders",
    f"{ACLS} --list --topic presto --resource-pattern-type match",
    f"{ACLS} --list --principal User:alice",
    f"{ACLS} --list --topic nothing",
    f"{ACLS} --remove --allow-principal User:alice --operation Read --topic orders --force",
    f"{ACLS} --remove --topic pre --resource-pattern-type prefixed --force",
    f"{ACLS} --remove --group readers --resource-pattern-type any --force",
    f"{ACLS} --list",
    f"{USERS} --describe",
    f"{USERS} --alter --entity-name alice --add-config SCRAM-SHA-256=[iterations=8192,password=secret-1]",
    f"{USERS} --alter --entity-name alice --add-config SCRAM-SHA-512=[password=secret-2]",
    f"{USERS} --alter --entity-name bob --add-config SCRAM-SHA-256=[iterations=100,password=secret-3]",
    f"{USERS} --describe --entity-name alice",
    f"{USERS} --describe",
    f"{USERS} --alter --entity-name alice --delete-config SCRAM-SHA-256",
    f"{USERS} --alter --entity-name alice --delete-config SCRAM-SHA-256",
    f"{USERS} --describe --entity-name alice",
    f"{USERS} --alter --entity-name alice --add-config producer_byte_rate=1000,consumer_byte_rate=2000",
    f"{USERS} --alter --entity-name alice --add-config nonsense=1",
    f"{USERS} --alter --entity-default --add-config request_percentage=50.5",
    f"{USERS} --alter --entity-name alice --entity-type clients --entity-name c1 --add-config producer_byte_rate=7",
    f"{USERS} --alter --entity-name alice --entity-type clients --entity-default --add-config producer_byte_rate=8",
    f"{CONFIGS} --entity-type clients --alter --entity-name c2 --add-config controller_mutation_rate=3",
    f"{CONFIGS} --entity-type ips --alter --entity-name 10.0.0.9 --add-config connection_creation_rate=5",
    f"{USERS} --alter --entity-name alice --add-config producer_byte_rate=0",
    f"{USERS} --describe",
    f"{USERS} --describe --entity-name alice",
    f"{USERS} --describe --entity-default",
    f"{USERS} --describe --entity-name alice --entity-type clients",
    f"{CONFIGS} --entity-type clients --describe",
    f"{CONFIGS} --entity-type ips --describe",
    f"{USERS} --alter --entity-name alice --delete-config producer_byte_rate,consumer_byte_rate",
    f"{USERS} --describe",
]


def comparable(said):
    """Rules, mechanisms and operations are in sets, which have no order; addresses are each broker's own."""
    lines = [re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line) for line in said.lines]
    return said.code, sorted(" ".join(sorted(re.split(r"[\s,\[\]]+", line))) for line in lines)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("security")
    rules = {"authorizer.class.name": AUTHORIZER, "super.users": "User:ANONYMOUS"}
    real = kafka_side.RealKafka(folder, **rules).start()
    (folder / "ours").mkdir()
    ours = SecuredBroker(folder / "ours", "listeners=PLAINTEXT://127.0.0.1:0\n" +
                         "".join(f"{name}={value}\n" for name, value in rules.items())).start()
    ours.address = ours.ports[""]
    yield real, ours
    ours.stop()
    real.stop()


def test_acls_users_and_quotas_are_told_the_same(brokers):
    different = []
    for command in COMMANDS:
        one, other = (kafka_side.tool(broker.address, command) for broker in brokers)
        if comparable(one) != comparable(other):
            different.append(f"{command}\n--- Kafka\n{one}\n--- ours\n{other}\n")
    assert not different, "\n".join(different)


def test_without_an_authorizer_both_say_so(tmp_path):
    real = kafka_side.RealKafka(tmp_path).start()
    (tmp_path / "ours").mkdir()
    ours = SecuredBroker(tmp_path / "ours", "listeners=PLAINTEXT://127.0.0.1:0\n").start()
    for command in (f"{ACLS} --list", f"{ACLS} --add --allow-principal User:a --operation Read --topic t",
                    f"{ACLS} --remove --allow-principal User:a --operation Read --topic t --force"):
        one, other = (kafka_side.tool(address, command) for address in (real.address, ours.ports[""]))
        assert (one.code, one.lines) == (other.code, other.lines), command
    ours.stop()
    real.stop()
