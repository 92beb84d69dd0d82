"""The syslog source under real senders: rsyslogd, logger, Python's handler; UDP, TCP in both framings, TLS; messages
that are none among good ones."""
import datetime
import json
import logging
import logging.handlers
import os
import shutil
import socket
import ssl
import subprocess

import ports
import pushed
import pytest
import tailrace
from certificates import Authority

RSYSLOGD = shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin") or "rsyslogd"


@pytest.fixture
def server(tmp_path):
    [port] = ports.free(1)
    made = pushed.project(tmp_path / "made", "syslog", {"listen": f"127.0.0.1:{port}"})
    made.port = port
    made.start()
    tailrace.wait_until(lambda: "listening at" in pushed.why(made), "the server")
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "made").mkdir()


def messages(made, count):
    return [json.loads(value) for value in pushed.wait_for(made, count)]


@pytest.mark.parametrize("transport", [["--udp"], ["--tcp"], ["--tcp", "--octet-count"]], ids=" ".join)
def test_loggers_messages_have_all_that_it_said(server, transport):
    say = ["logger", "-n", "127.0.0.1", "-P", str(server.port), *transport, "-p", "auth.crit"]
    subprocess.run([*say, "--rfc5424", "-t", "billing", "--id=4711", "--msgid", "ID47", "--sd-id", "order@32473",
                    "--sd-param", 'item="a\\"b"', "Grüße 1"], check=True)
    subprocess.run([*say, "--rfc3164", "-t", "billing", "--id=4712", "old 2"], check=True)
    new, old = sorted(messages(server, 2), key=lambda m: m["message"])
    assert (new["facility"], new["facility_name"], new["severity"], new["severity_name"]) == (4, "auth", 2, "crit")
    assert (new["app"], new["procid"], new["msgid"], new["message"]) == ("billing", "4711", "ID47", "Grüße 1")
    assert new["structured_data"]["order@32473"] == {"item": 'a"b'} and "timeQuality" in new["structured_data"]
    at, before = (datetime.datetime.fromisoformat(one["timestamp"][:19]) for one in (new, old))
    assert new["host"] == old["host"] and abs(at - before) < datetime.timedelta(minutes=10)
    assert (old["app"], old["procid"], old["message"]) == ("billing", "4712", "old 2")
    assert new["from"].startswith("127.0.0.1:")
    assert not pushed.letters(server)


@pytest.mark.parametrize("transport", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_pythons_handler_is_understood(server, transport):
    handler = logging.handlers.SysLogHandler(("127.0.0.1", server.port), facility="local3", socktype=transport)
    handler.ident = "shop: "
    for n in range(20):
        handler.emit(logging.LogRecord("shop", logging.WARNING, "", 0, f"order {n} is late", None, None))
    handler.close()
    got = messages(server, 20)
    assert [m["message"] for m in got] == [f"order {n} is late" for n in range(20)]
    assert {(m["facility_name"], m["severity_name"], m["app"]) for m in got} == {("local3", "warning", "shop")}


@pytest.mark.parametrize("forward", [
    'protocol="udp" template="RSYSLOG_SyslogProtocol23Format"', 'protocol="tcp" TCP_Framing="traditional"',
    'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'],
    ids=["udp", "tcp", "tcp_octet_counted"])
def test_rsyslog_forwards_every_message(tmp_path, server, forward):
    (tmp_path / "input.log").write_text("")
    config = tmp_path / "rsyslog.conf"
    config.write_text(f"""
        global(workDirectory="{tmp_path}")
        module(load="imfile" mode="inotify")
        input(type="imfile" File="{tmp_path}/input.log" Tag="app:" Severity="notice" Facility="local1")
        action(type="omfwd" target="127.0.0.1" port="{server.port}" {forward}
               queue.type="LinkedList" action.resumeRetryCount="-1")
    """)
    sender = subprocess.Popen([RSYSLOGD, "-n", "-f", config, "-i", tmp_path / "pid"])
    tailrace.started.append(sender)
    with open(tmp_path / "input.log", "a") as log:
        for n in range(500):
            log.write(f"line {n} of a log: \"quoted\", Größe [x]\n")
    got = messages(server, 500)
    assert [m["message"].strip() for m in got] == [f'line {n} of a log: "quoted", Größe [x]' for n in range(500)]
    assert {(m["facility_name"], m["severity_name"], m["app"]) for m in got} == {("local1", "notice", "app")}
    assert all(m["timestamp"] and m["host"] for m in got) and not pushed.letters(server)
    sender.terminate()
    sender.wait()


def test_what_is_no_syslog_is_a_dead_letter_with_its_bytes_and_its_neighbours_stay(server):
    with socket.create_connection(("127.0.0.1", server.port)) as peer:
        own = peer.getsockname()[1]
        peer.sendall(b"<13>first\nGET / HTTP/1.1\n20 <14>1 - h a p m - in<999>x\n<15>last\n")
        peer.sendall(b"99999999 <16>" + b"y" * 1000)
    got = messages(server, 3)
    assert [m["message"] for m in got] == ["first", "in", "last"]
    tailrace.wait_until(lambda: len(pushed.letters(server)) == 3, "three dead letters")
    assert [letter[:3] for letter in pushed.letters(server)] == [
        ("bad syslog", f"tcp 127.0.0.1:{own}#2", "GET / HTTP/1.1"),
        ("bad syslog", f"tcp 127.0.0.1:{own}#4", "<999>x"),
        ("incomplete", f"tcp 127.0.0.1:{own}#6", "<16>" + "y" * 1000)]


# RFC 5425: octet counting over TLS.
def test_tls_takes_counted_messages(tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate, key, _ = authority.sign("server", "/CN=server")
    made = pushed.project(tmp_path / "made", "syslog", {"listen": "127.0.0.1:0", "tls": {
        "certificate": str(certificate), "key": str(key)}}, key="$.host").start()
    context = ssl.create_default_context(cafile=str(authority.certificate))
    plain = socket.create_connection(("127.0.0.1", pushed.port(made, "tls")))
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as peer:
        for n in range(100):
            message = f"<34>1 2026-01-01T00:00:{n % 60:02}Z web{n % 3} app - - - message\n{n}".encode()
            peer.sendall(b"%d %s" % (len(message), message))
        peer.unwrap()
    got = messages(made, 100)
    assert [m["message"] for m in got] == [f"message\n{n}" for n in range(100)]
    assert made.sql("SELECT count(*) AS n FROM events WHERE key = 'web1'")[0]["n"] == 33
    made.stop()
