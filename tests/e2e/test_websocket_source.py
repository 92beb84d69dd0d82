"""The websocket source against a foreign server, PyPI's websockets: subscriptions, fragments, pings, closings, kill -9,
bad messages, TLS."""
import json
import ssl
import threading

import pushed
import pytest
import tailrace
import websockets.sync.server
from certificates import Authority


class Feed:
    """Sends to each connection what `script(connection)` says, after its greetings were read."""

    def __init__(self, script, greetings=0, **options):
        self.greetings, self.connections, self.heads = [], 0, []
        self.goon = threading.Event()

        def serve(connection):
            self.heads.append(dict(connection.request.headers.raw_items()))
            self.connections += 1
            try:
                self.greetings.append([connection.recv(timeout=10) for _ in range(greetings)])
                script(connection)
            except websockets.exceptions.ConnectionClosed:
                pass

        self.server = websockets.sync.server.serve(serve, "127.0.0.1", 0, **options)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.address = "127.0.0.1:%d" % self.server.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.goon.set()
        self.server.shutdown()


def project(tmp_path, url, **options):
    return pushed.project(tmp_path, "websocket", {"url": url, "backoff": "50ms", "backoff_max": "200ms"} | options,
                          key="$.n")


def numbers(made):
    return [json.loads(value)["n"] for value in pushed.values(made)]


def wait(connection):
    """Until the other side leaves."""
    while True:
        connection.recv()


def test_it_subscribes_and_takes_texts_binaries_and_fragments(tmp_path, monkeypatch):
    monkeypatch.setenv("FEED_TOKEN", "sesame-9")

    def script(connection):
        connection.send('{"n": 0}')
        connection.send(b'{"n": 1}')
        connection.send(['{"n"', ": 2", "}"])
        connection.ping().wait(5)
        connection.send('{"n": 3, "filler": "' + "ü" * 100_000 + '"}')
        wait(connection)

    with Feed(script, greetings=2, subprotocols=["feed.v1"]) as feed:
        made = project(tmp_path, f"ws://{feed.address}/stream?x=1", protocol="feed.v1", token="${FEED_TOKEN}",
                       send=['{"op": "subscribe", "to": "a"}', '{"op": "subscribe", "to": "b"}'],
                       headers={"X-Client": "tests"}).start()
        pushed.wait_for(made, 4)
        assert numbers(made) == [0, 1, 2, 3]
        assert feed.greetings[0] == ['{"op": "subscribe", "to": "a"}', '{"op": "subscribe", "to": "b"}']
        assert feed.heads[0]["Authorization"] == "Bearer sesame-9" and feed.heads[0]["X-Client"] == "tests"
        made.stop()
        assert "sesame" not in made.log.read_text()


def test_bad_messages_are_dead_letters_and_their_neighbours_stay(tmp_path):
    def script(connection):
        for message in ('{"n": 0}', "no JSON", '{"n": 1}', "x" * 5000, b"\xff\xfe", '{"n": 2}'):
            connection.send(message)
        wait(connection)

    with Feed(script) as feed:
        url = f"ws://{feed.address}/"
        made = project(tmp_path, url, max_message="1KiB").start()
        pushed.wait_for(made, 3)
        tailrace.wait_until(lambda: len(pushed.letters(made)) == 3, "three dead letters")
        assert numbers(made) == [0, 1, 2]
        assert [letter[:2] for letter in pushed.letters(made)] == [
            ("bad JSON", url + "#2"), ("incomplete", url + "#4"), ("bad JSON", url + "#5")]
        assert pushed.letters(made)[1][2] == "x" * 1024
        made.stop()


def test_it_connects_again_after_closings_cuts_and_kill_9_and_doubles_nothing(tmp_path):
    sent = []

    def script(connection):
        for _ in range(50):
            sent.append(len(sent))
            connection.send(json.dumps({"n": sent[-1]}))
        if feed.connections % 3 == 1:
            connection.close(1011, "overloaded")
        elif feed.connections % 3 == 2:
            connection.socket.close()
        else:
            wait(connection)

    with Feed(script) as feed:
        made = project(tmp_path, f"ws://{feed.address}/").start()
        seen = []
        for _ in range(tailrace.KILLS):
            # More than before the kill: what came since may be all that its connection has.
            tailrace.wait_until(lambda: len(numbers(made)) >= len(seen) + 50, "more")
            seen = numbers(made)
            made.kill()
            made.start()
            after = numbers(made)
            assert set(seen) <= set(after) and len(after) == len(set(after)) and after == sorted(after)
        made.stop()


def test_trouble_is_named_in_the_hops_line_without_the_login(tmp_path):
    def script(connection):
        if not feed.goon.is_set():
            connection.close(1013, "come back later")
        else:
            connection.send('{"n": 1}')
            wait(connection)

    with Feed(script) as feed:
        made = project(tmp_path, f"ws://me:hidden-7@{feed.address}/?access_token=hidden-8").start()
        hop = tailrace.wait_until(lambda: (lambda h: h if "1013" in h["why"] else None)(
            made.hops()["fetched.input"]), "the closing")
        assert "closed it with 1013: come back later" in hop["why"] and "connects again in" in hop["why"]
        assert "hidden" not in json.dumps(made.get("/api/status"))
        feed.goon.set()
        pushed.wait_for(made, 1)
        tailrace.wait_until(lambda: made.hops()["fetched.input"]["state"] == "ok", "the hop to be well again")
        made.stop()
        assert "hidden" not in made.log.read_text()


def test_a_server_that_is_silent_is_left_unless_it_answers_pings(tmp_path):
    def script(connection):
        wait(connection)

    with Feed(script) as feed:
        made = project(tmp_path, f"ws://{feed.address}/", ping="none", idle_timeout="300ms").start()
        tailrace.wait_until(lambda: feed.connections > 2, "other connections")
        made.stop()
        count = feed.connections
        (tmp_path / "pinging").mkdir()
        made = project(tmp_path / "pinging", f"ws://{feed.address}/", ping="100ms", idle_timeout="5s").start()
        tailrace.wait_until(lambda: "connected" in pushed.why(made), "the connection")
        assert feed.connections == count + 1
        made.stop()


def test_wss_trusts_the_authority_that_was_named(tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate, key, _ = authority.sign("server", "/CN=server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def script(connection):
        connection.send('{"n": 5}')
        wait(connection)

    with Feed(script, ssl=context) as feed:
        made = project(tmp_path, f"wss://{feed.address}/", ca_file=str(authority.certificate))
        made.once()
        assert numbers(made) == [5]
        (tmp_path / "other").mkdir()
        made = project(tmp_path / "other", f"wss://{feed.address}/").start()
        hop = tailrace.wait_until(lambda: (lambda h: h if h["state"] == "error" else None)(
            made.hops()["fetched.input"]), "the distrust")
        assert "certificate" in hop["why"], hop
        made.stop()
