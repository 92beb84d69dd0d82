"""Lines by TCP and TLS, datagrams by UDP, standard input and named pipes as sources: foreign senders, bad input among
good, kill -9, back-pressure, an end."""
import json
import os
import socket
import ssl
import subprocess
import threading

import pushed
import pytest
import tailrace
from certificates import Authority

LOCAL = "127.0.0.1:0"


def lines(numbers):
    return "".join(json.dumps({"n": n}) + "\n" for n in numbers).encode()


def numbers(made):
    return [json.loads(value)["n"] for value in pushed.values(made)]


def send(port, data):
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(data)


def test_tcp_lines_become_records_in_their_order_and_the_last_needs_no_newline(tmp_path):
    made = pushed.project(tmp_path, "tcp", {"listen": LOCAL}, key="$.n").start()
    send(pushed.port(made), lines(range(3000)) + b'{"n": 3000}')
    pushed.wait_for(made, 3001)
    assert numbers(made) == list(range(3001))
    assert made.sql("SELECT count(*) AS n FROM events WHERE key = '17'")[0]["n"] == 1
    made.stop()


def test_bad_lines_are_dead_letters_with_their_place_and_their_neighbours_stay(tmp_path):
    made = pushed.project(tmp_path, "tcp", {"listen": LOCAL, "max_line": "100"}).start()
    port = pushed.port(made)
    with socket.create_connection(("127.0.0.1", port)) as peer:
        own = peer.getsockname()[1]
        for piece in (b'{"n": 1}\n{"n"', b': 2}\r\nnonsense\n', b"[" + b"1," * 500, b"1]\n\n", b'{"n": 3}\n{"n": '):
            peer.sendall(piece)
    pushed.wait_for(made, 3)
    tailrace.wait_until(lambda: len(pushed.letters(made)) == 3, "three dead letters")
    assert numbers(made) == [1, 2, 3]
    assert pushed.letters(made) == [
        ("bad JSON", f"tcp 127.0.0.1:{own}#3", "nonsense"),
        ("incomplete", f"tcp 127.0.0.1:{own}#4", ("[" + "1," * 500)[:100]),
        ("bad JSON", f"tcp 127.0.0.1:{own}#6", '{"n": ')]
    made.stop()


@pytest.mark.parametrize("form, value", [("text", {"line": "GET / 200"}), ("raw", None)])
def test_lines_that_are_no_json_are_wrapped_or_kept_as_they_are(tmp_path, form, value):
    made = pushed.project(tmp_path, "tcp", {"listen": LOCAL, "format": form},
                          format="json" if form == "text" else "raw").start()
    with socket.create_connection(("127.0.0.1", pushed.port(made))) as peer:
        here = peer.getsockname()
        peer.sendall(b"GET / 200\n")
    got = pushed.wait_for(made, 1)[0]
    assert (json.loads(got) == value | {"from": f"{here[0]}:{here[1]}"}) if value else (got == "GET / 200")
    made.stop()


def test_tls_lines_come_from_those_with_a_certificate_alone(tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate, key, _ = authority.sign("server", "/CN=server")
    own, own_key, _ = authority.sign("client", "/CN=client")
    made = pushed.project(tmp_path, "tcp", {"listen": LOCAL, "tls": {
        "certificate": str(certificate), "key": str(key), "clients": str(authority.certificate)}}).start()
    port = pushed.port(made, "tls")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as peer:
            peer.sendall(b'{"n": 0}\n')
            peer.recv(1)
    context.load_cert_chain(own, own_key)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as peer:
        peer.sendall(lines([1, 2]))
        peer.unwrap()
    pushed.wait_for(made, 2)
    assert numbers(made) == [1, 2]
    made.stop()


def test_kill_9_doubles_nothing_and_what_was_seen_as_a_row_stays(tmp_path):
    made = pushed.project(tmp_path, "tcp", {"listen": LOCAL}).start()
    sent = 0
    for _ in range(tailrace.KILLS):
        send(pushed.port(made), lines(range(sent, sent + 500)))
        sent += 500
        seen = tailrace.wait_until(lambda: numbers(made), "rows")
        made.kill()
        made.start()
        after = numbers(made)
        assert len(after) == len(set(after)) and set(seen) <= set(after)
        assert after == sorted(after)
    made.stop()


def test_a_taken_port_is_named_and_taken_once_it_is_free(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        made = pushed.project(tmp_path, "tcp", {"listen": f"127.0.0.1:{port}"}).start()
        hop = tailrace.wait_until(lambda: (lambda h: h if h["state"] == "error" else None)(
            made.hops()["fetched.input"]), "the error")
        assert f"127.0.0.1:{port} is in use" in hop["why"] and "listen" in hop["why"]
    pushed.port(made)
    send(port, lines([1]))
    pushed.wait_for(made, 1)
    made.stop()


def test_each_line_of_a_datagram_is_a_record(tmp_path):
    made = pushed.project(tmp_path, "udp", {"listen": LOCAL}).start()
    port = pushed.port(made, "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b'{"n": 1}\n{"n": 2}\n', ("127.0.0.1", port))
        peer.sendto(b"\xff\xfe", ("127.0.0.1", port))
        peer.sendto(b"", ("127.0.0.1", port))
        peer.sendto(b'{"n": 3}', ("127.0.0.1", port))
        own = peer.getsockname()[1]
        pushed.wait_for(made, 3)
        assert numbers(made) == [1, 2, 3]
        tailrace.wait_until(lambda: pushed.letters(made), "the dead letter")
        assert [letter[:2] for letter in pushed.letters(made)] == [("bad JSON", f"udp 127.0.0.1:{own}#2")]
    made.stop()


def test_dropped_datagrams_are_counted_in_the_hops_line(tmp_path):
    made = pushed.project(tmp_path, "udp", {"listen": LOCAL, "held": "4KiB"}).start()
    port = pushed.port(made, "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        def flood():
            for _ in range(2000):
                peer.sendto(b'{"n": 0, "filler": "' + b"x" * 1400 + b'"}', ("127.0.0.1", port))
            return "datagrams dropped by the system" in pushed.why(made)
        tailrace.wait_until(flood, "a drop in the hop's line")
    made.stop()


def piped(made, data, *words):
    done = subprocess.run([tailrace.PROGRAM, "run", made.folder, "--data", made.data, *words], input=data,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def test_once_takes_standard_input_to_its_end(tmp_path):
    made = pushed.project(tmp_path, "stdin", {})
    piped(made, lines(range(9_000)) + b"nonsense\n", "--once")
    assert numbers(made) == list(range(9_000))
    assert pushed.letters(made) == [("bad JSON", "stdin#9001", "nonsense")]
    piped(made, lines([7]), "--once")
    assert numbers(made)[9_000:] == [7]


def test_once_waits_for_a_producer_that_takes_its_time(tmp_path):
    made = pushed.project(tmp_path, "stdin", {})
    slow = subprocess.Popen(["sh", "-c", "sleep 1.5; echo '{\"n\": 1}'; sleep 1; echo '{\"n\": 2}'"],
                            stdout=subprocess.PIPE)
    done = subprocess.run([tailrace.PROGRAM, "run", made.folder, "--data", made.data, "--once"], stdin=slow.stdout,
                          capture_output=True, timeout=60)
    slow.wait()
    assert done.returncode == 0 and numbers(made) == [1, 2]


def test_the_end_of_standard_input_finishes_the_source_and_the_project_runs_on(tmp_path):
    made = pushed.project(tmp_path, "stdin", {})
    read, write = os.pipe()
    log = open(made.log, "ab")
    made.process = subprocess.Popen([tailrace.PROGRAM, "run", made.folder, "--data", made.data, *tailrace.FREE_PORTS],
                                    stdin=read, stdout=log, stderr=log)
    tailrace.started.append(made.process)
    os.close(read)
    tailrace.wait_until(made.url, "the address")
    os.write(write, lines([1]))
    pushed.wait_for(made, 1)
    assert made.hops()["fetched.input"]["state"] == "ok"
    os.write(write, b'{"n": 2}')
    os.close(write)
    pushed.wait_for(made, 2)
    assert numbers(made) == [1, 2]
    made.stop()


def test_a_named_pipe_is_read_writer_after_writer(tmp_path):
    pipe = tmp_path / "pipe"
    made = pushed.project(tmp_path, "stdin", {"pipe": str(pipe)}).start()
    hop = tailrace.wait_until(lambda: (lambda h: h if h["state"] == "error" else None)(
        made.hops()["fetched.input"]), "the missing pipe")
    assert f"mkfifo {pipe}" in hop["why"]
    os.mkfifo(pipe)
    for n in range(3):
        writer = threading.Thread(target=lambda: pipe.write_bytes(lines([2 * n]) + b'{"n": %d}' % (2 * n + 1)))
        writer.start()
        writer.join()
        pushed.wait_for(made, 2 * n + 2)
    assert numbers(made) == list(range(6))
    made.stop()
