"""kafka-delegation-tokens, given to real Kafka and to our broker, says the same; and Kafka's clients log in by a
token of ours."""
import re

import kafka_side
import pytest
from secured_broker import SecuredBroker

TOKENS = "DelegationTokenCommand --bootstrap-server LOGIN --command-config"
CREATE = "--create --max-life-time-period"
USERS = ("admin", "alice", "bob", "carol")
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required " + \
    " ".join(f'user_{name}="of-{name}"' for name in USERS) + ";"
SETTINGS = {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": JAAS,
    "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin;User:ANONYMOUS",
    "delegation.token.expiry.time.ms": 7_200_000, "delegation.token.max.lifetime.ms": 864_000_000,
}
KEY = {"delegation.token.secret.key": "of-all-brokers"}

# One story, in order: {USER} is a file of the client's settings, {token:N} and {hmac:N} are of the N-th token made.
COMMANDS = [
    f"{TOKENS} {{alice}} --describe",
    f"{TOKENS} {{alice}} {CREATE} -1",
    f"{TOKENS} {{alice}} {CREATE} 3600000 --renewer-principal User:bob --renewer-principal User:carol",
    f"{TOKENS} {{alice}} {CREATE} 3600000 --renewer-principal Group:all",
    f"{TOKENS} {{alice}} {CREATE} -1 --renewer-principal nobody",
    f"{TOKENS} {{carol}} {CREATE} -1 --owner-principal User:bob",
    "AclCommand --bootstrap-server @ --add --allow-principal User:carol --operation CreateTokens"
    " --user-principal User:bob",
    f"{TOKENS} {{carol}} {CREATE} -1 --owner-principal User:bob",
    f"{TOKENS} {{bob}} --describe",
    f"{TOKENS} {{carol}} --describe",
    f"{TOKENS} {{carol}} --describe --owner-principal User:alice",
    "AclCommand --bootstrap-server @ --add --allow-principal User:carol --operation Describe"
    " --delegation-token {token:0}",
    f"{TOKENS} {{carol}} --describe --owner-principal User:alice",
    "AclCommand --bootstrap-server @ --add --allow-principal User:bob --operation DescribeTokens"
    " --user-principal User:alice",
    f"{TOKENS} {{bob}} --describe --owner-principal User:alice --owner-principal User:nobody",
    f"{TOKENS} {{alice}} --renew --renew-time-period -1 --hmac {{hmac:0}}",
    f"{TOKENS} {{bob}} --renew --renew-time-period 1000 --hmac {{hmac:0}}",
    f"{TOKENS} {{bob}} --renew --renew-time-period 60000 --hmac {{hmac:1}}",
    f"{TOKENS} {{carol}} --renew --renew-time-period 60000 --hmac {{hmac:2}}",
    f"{TOKENS} {{bob}} --renew --renew-time-period -1 --hmac bm90aGluZw==",
    f"{TOKENS} {{admin}} --expire --expiry-time-period -1 --hmac {{hmac:0}}",
    f"{TOKENS} {{alice}} --expire --expiry-time-period 600000 --hmac {{hmac:0}}",
    f"{TOKENS} {{alice}} --expire --expiry-time-period -1 --hmac {{hmac:0}}",
    f"{TOKENS} {{alice}} --expire --expiry-time-period -1 --hmac {{hmac:0}}",
    f"{TOKENS} {{admin}} --describe",
    f"{TOKENS} {{token:1}} --describe",
    f"{TOKENS} {{token:1}} {CREATE} -1",
    f"{TOKENS} {{token:1}} --renew --renew-time-period -1 --hmac {{hmac:1}}",
    "DelegationTokenCommand --bootstrap-server @ --command-config {nobody} --describe",
    f"DelegationTokenCommand --bootstrap-server @ --command-config {{nobody}} {CREATE} -1",
]


class Side:
    """A broker with the files of its users, and the tokens it gave."""

    def __init__(self, broker, folder):
        self.broker, self.folder, self.made = broker, folder, []
        self.files = {"nobody": self.write("nobody", "client.id=nobody\n")}
        for name in USERS:
            self.files[name] = self.log_in(name, "PLAIN", "plain.PlainLoginModule",
                                           f'username="{name}" password="of-{name}"')

    def write(self, name, text):
        path = self.folder / f"{name}.properties"
        path.write_text(text)
        return str(path)

    def log_in(self, file, mechanism, module, options):
        return self.write(file, f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config="
                          f"org.apache.kafka.common.security.{module} required {options};\n")

    def by_token(self, token, secret, mechanism="SCRAM-SHA-256"):
        return self.log_in("token", mechanism, "scram.ScramLoginModule",
                           f'username="{token}" password="{secret}" tokenauth="true"')

    def tell(self, command):
        for n, (token, secret) in enumerate(self.made):
            if "command-config" in command:
                command = command.replace(f"{{token:{n}}} --", f"{self.by_token(token, secret)} --")
            command = command.replace(f"{{token:{n}}}", token).replace(f"{{hmac:{n}}}", secret)
        for name, file in self.files.items():
            command = command.replace(f"{{{name}}}", file)
        said = kafka_side.tool(self.broker.address, command.replace("LOGIN", self.broker.ports["SASL_PLAINTEXT"]))
        if "--create" in command and said.code == 0:
            self.made += re.findall(r"^(\S{22})\s+(\S{88})\s", "\n".join(said.lines), re.M)
        return said

    def comparable(self, said):
        """Ids, secrets, times and addresses are each broker's own; tokens are listed in no order."""
        text = "\n".join(said.lines)
        for n, (token, secret) in enumerate(self.made):
            text = text.replace(token, f"TOKEN{n}").replace(secret, f"SECRET{n}")
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d", "TIME", text.replace(str(self.folder), ""))
        return said.code, sorted(re.sub(r"\s+", " ", re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line))
                                 for line in text.splitlines())


def start_both(folder, **settings):
    settings = SETTINGS | settings
    real = kafka_side.RealKafka(folder, ("SASL_PLAINTEXT",), **settings).start()
    (folder / "ours").mkdir()
    ours = SecuredBroker(folder / "ours", "listeners=PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0\n" +
                         "".join(f"{name}={value}\n" for name, value in settings.items())).start()
    ours.address = ours.ports["PLAINTEXT"]
    sides = []
    for name, broker in (("of-kafka", real), ("of-ours", ours)):
        (folder / name).mkdir()
        sides.append(Side(broker, folder / name))
    return sides


def differences(sides, commands):
    different = []
    for command in commands:
        said = [side.tell(command) for side in sides]
        one, other = (side.comparable(answer) for side, answer in zip(sides, said))
        if one != other:
            different.append(f"{command}\n--- Kafka\n{one}\n--- ours\n{other}\n")
    return different


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    both = start_both(tmp_path_factory.mktemp("tokens"), **KEY)
    yield both
    for side in both:
        side.broker.stop()


def test_the_tool_is_told_the_same(sides):
    different = differences(sides, COMMANDS)
    assert not different, "\n".join(different)
    assert [len(side.made) for side in sides] == [3, 3]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_kafkas_clients_write_and_read_with_a_token(sides, mechanism):
    for side in sides:
        made = side.tell(f"{TOKENS} {{admin}} {CREATE} -1")
        assert made.code == 0, made
        file = side.by_token(*side.made[-1], mechanism)
        address, topic = side.broker.ports["SASL_PLAINTEXT"], f"by-token-{mechanism}"
        assert kafka_side.tool(address, f"TopicCommand --bootstrap-server @ --command-config {file} --create"
                               f" --topic {topic} --partitions 1").code == 0
        assert kafka_side.tool(address, f"ConsoleProducer --bootstrap-server @ --command-config {file} --topic {topic}",
                               stdin="one\ntwo\n").code == 0
        read = kafka_side.tool(address, f"consumer.ConsoleConsumer --bootstrap-server @ --command-config {file}"
                               f" --topic {topic} --from-beginning --max-messages 2")
        assert {"one", "two"} <= set(read.lines), read


def test_without_a_key_both_say_so(tmp_path):
    sides = start_both(tmp_path)
    different = differences(sides, [
        f"{TOKENS} {{alice}} --describe", f"{TOKENS} {{alice}} {CREATE} -1",
        f"{TOKENS} {{alice}} --renew --renew-time-period -1 --hmac bm90aGluZw==",
        f"{TOKENS} {{alice}} --expire --expiry-time-period -1 --hmac bm90aGluZw=="])
    for side in sides:
        side.broker.stop()
    assert not different, "\n".join(different)
