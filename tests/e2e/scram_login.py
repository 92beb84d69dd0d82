"""A login by SCRAM (RFC 5802) or PLAIN on a connection of kafka_wire, by a user's password or by a delegation token."""
import base64
import hashlib
import hmac
import os

import kafka_wire


def log_in(address, mechanism, name, password, token=False):
    """The connection and what the last SaslAuthenticate answered; a refusal is that answer, with its error."""
    connection = kafka_wire.Connection(address)
    assert connection.ask("SaslHandshake", Mechanism=mechanism)["ErrorCode"] == 0
    return connection, prove(connection, mechanism, name, password, token)


def prove(connection, mechanism, name, password, token=False):
    """The messages of the mechanism, after its handshake."""
    def message(text):
        return connection.ask("SaslAuthenticate", AuthBytes=text.encode())

    if mechanism == "PLAIN":
        return message(f"\0{name}\0{password}")
    digest = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[mechanism]

    def keyed(key, text):
        return hmac.new(key, text.encode(), digest).digest()

    first = f"n={name},r={base64.b64encode(os.urandom(18)).decode()}" + (",tokenauth=true" if token else "")
    challenged = message("n,," + first)
    if challenged["ErrorCode"]:
        return challenged
    challenge = challenged["AuthBytes"].decode()
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    final = f"c=biws,r={parts['r']}"
    said = ",".join((first, challenge, final))
    key = keyed(salted, "Client Key")
    signature = keyed(hashlib.new(digest, key).digest(), said)
    proof = bytes(one ^ other for one, other in zip(key, signature))
    answer = message(f"{final},p={base64.b64encode(proof).decode()}")
    if answer["ErrorCode"] == 0:
        expected = base64.b64encode(keyed(keyed(salted, "Server Key"), said)).decode()
        assert answer["AuthBytes"].decode() == f"v={expected}"
    return answer
