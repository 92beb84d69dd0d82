"""The sse source against a server of events that replays from Last-Event-ID, as Wikimedia's and others do: cuts in the
middle of an event, kill -9 of ours, refusals, bad events; each event once."""
import http.server
import json
import threading
import time

import pushed
import pytest
import tailrace


class Events:
    """Serves a growing list of events; `cut_after` bytes of each connection it is broken off."""

    def __init__(self):
        self.lock, self.texts, self.requests, self.cut_after, self.refuse = threading.Condition(), [], [], None, None
        events = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                events.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v2/stream"
        self.over = False

    def publish(self, *texts):
        with self.lock:
            self.texts += texts
            self.lock.notify_all()

    def serve(self, request):
        self.requests.append(dict(request.headers))
        if self.refuse:
            request.send_response(self.refuse)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream; charset=utf-8")
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        last = request.headers.get("Last-Event-ID")
        at = json.loads(last)[0]["offset"] + 1 if last else 0
        left = self.cut_after or 1 << 60
        send = lambda data: (request.wfile.write(data[:left]), request.wfile.flush())
        send(b":ok\nretry: 30\n\n")
        while left > 0 and not self.over:
            with self.lock:
                if at >= len(self.texts):
                    self.lock.wait(0.2)
                come = self.texts[at:at + 50]
            data = "".join(come).encode() or b":\n\n"
            try:
                send(data)
            except OSError:
                return
            at, left = at + len(come), left - len(data)

    def stop(self):
        self.over = True
        self.server.shutdown()
        self.server.server_close()


def event(n, data=None, type="message"):
    """As Wikimedia writes them: the id is JSON with topic and offset."""
    data = json.dumps({"n": n, "meta": {"stream": "recentchange"}}) if data is None else data
    place = json.dumps([{"topic": "eqiad.change", "partition": 0, "offset": n}])
    return f"event: {type}\nid: {place}\ndata: {data}\n\n"


@pytest.fixture
def events():
    made = Events()
    yield made
    made.stop()


def project(tmp_path, events, **options):
    return pushed.project(tmp_path, "sse", {"url": events.url, "backoff": "50ms", "backoff_max": "200ms"} | options,
                          key="$.n")


def numbers(made):
    return [json.loads(value)["n"] for value in pushed.values(made)]


def test_each_event_comes_once_through_cuts_in_the_middle_and_kill_9(tmp_path, events):
    events.cut_after = 1003  # within an event
    made = project(tmp_path, events).start()
    for begin in range(0, 100 * tailrace.KILLS, 100):
        events.publish(*[event(n) for n in range(begin, begin + 100)])
        tailrace.wait_until(lambda: len(numbers(made)) >= begin + 50, "half of them")
        made.kill()
        made.start()
    pushed.wait_for(made, 100 * tailrace.KILLS)
    assert numbers(made) == list(range(100 * tailrace.KILLS))
    assert not pushed.letters(made)
    made.stop()
    made.start()
    events.publish(event(100 * tailrace.KILLS))
    pushed.wait_for(made, 100 * tailrace.KILLS + 1)
    assert json.loads(events.requests[-1]["Last-Event-ID"])[0]["offset"] >= 100 * tailrace.KILLS - 1
    made.stop()


def test_bad_events_are_dead_letters_and_their_neighbours_stay(tmp_path, events):
    made = project(tmp_path, events, max_event="1KiB").start()
    events.publish(event(0), event(1, "no JSON"), event(2, '{"n":\ndata: 2}'), event(3, '"' + "x" * 5000 + '"'),
                   event(4))
    pushed.wait_for(made, 3)
    tailrace.wait_until(lambda: len(pushed.letters(made)) == 2, "two dead letters")
    assert numbers(made) == [0, 2, 4]
    assert pushed.letters(made) == [("bad JSON", f"{events.url}#2", "no JSON"),
                                    ("incomplete", f"{events.url}#4", '"' + "x" * 1023)]
    made.stop()


def test_only_events_of_the_types_that_were_asked_for(tmp_path, events):
    made = project(tmp_path, events, event=["edit", "new"], format="event").start()
    events.publish(event(0), event(1, type="edit"), event(2, "words", type="new"), event(3, type="log"))
    first, second = (json.loads(value) for value in pushed.wait_for(made, 2))
    assert first["event"] == "edit" and first["data"]["n"] == 1 and json.loads(first["id"])[0]["offset"] == 1
    assert second["event"] == "new" and second["data"] == "words"
    made.stop()


@pytest.mark.parametrize("status", [401, 503])
def test_a_refusal_is_named_in_the_hops_line_until_it_passes(tmp_path, events, status, monkeypatch):
    monkeypatch.setenv("STREAM_TOKEN", "sesame-123")
    events.refuse = status
    made = project(tmp_path, events, token="${STREAM_TOKEN}").start()
    hop = tailrace.wait_until(lambda: (lambda h: h if h["state"] == "error" else None)(
        made.hops()["fetched.input"]), "the refusal")
    assert f"answered {status}" in hop["why"] and "connects again in" in hop["why"]
    events.refuse = None
    events.publish(event(0))
    pushed.wait_for(made, 1)
    assert {request["Authorization"] for request in events.requests} == {"Bearer sesame-123"}
    tailrace.wait_until(lambda: made.hops()["fetched.input"]["state"] == "ok", "the hop to be well again")
    made.stop()
    assert "sesame" not in made.log.read_text()


def test_204_finishes_the_source_and_once_ends_when_nothing_more_comes(tmp_path, events):
    made = project(tmp_path, events)
    events.publish(*[event(n) for n in range(3)])
    made.once()
    assert numbers(made) == [0, 1, 2]
    events.publish(event(3))
    made.once()
    assert numbers(made) == [0, 1, 2, 3]
    events.refuse = 204
    asked = len(events.requests)
    made.start()
    tailrace.wait_until(lambda: len(events.requests) > asked, "the request")
    tailrace.wait_until(lambda: "204" in pushed.why(made), "the end")
    asked = len(events.requests)
    time.sleep(0.5)  # several times the backoff: to show that nothing more comes there is only waiting
    assert len(events.requests) == asked
    made.stop()
