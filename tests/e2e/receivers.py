"""Who gets alerts in tests: a Slack that refuses what Slack refuses, PagerDuty, any webhook; servers on free ports."""
import http.server
import json
import re
import threading
import time


class Receiver:
    """Notes each request as (seconds, path, headers, body) and answers what `answer` says: status, headers, text."""

    def __init__(self):
        self.requests = []
        self.refused = []  # seconds
        self.planned = []  # answers that come first: (status, headers, text)
        self.delay = 0
        self.arrived = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                noted = (time.monotonic(), self.path, dict(self.headers), json.loads(body))
                status, headers, text = outer.planned.pop(0) if outer.planned else outer.answer(*noted[1:])
                if status < 300:
                    outer.requests.append(noted)
                else:
                    outer.refused.append(noted[0])
                outer.arrived.set()
                time.sleep(outer.delay)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    pass  # the other side was killed

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, headers, body):
        return 200, {}, "ok"

    def bodies(self):
        return [body for _, _, _, body in self.requests]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# What Slack's documentation says of blocks: https://docs.slack.dev/reference/block-kit/blocks
SECTION = 3000


def text_fault(text, most, plain=None):
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        return "no text object"
    if plain and text["type"] != "plain_text":
        return "plain_text only"
    if not 1 <= len(text.get("text", "")) <= most:
        return f"a text of {len(text.get('text', ''))} characters"
    if text["type"] == "mrkdwn" and ("emoji" in text or re.search(r"&(?!amp;|lt;|gt;)", text["text"])):
        return "an & that is not escaped"
    return None


def block_fault(block):
    kind = block.get("type")
    if kind == "header":
        return text_fault(block["text"], 150, plain=True)
    if kind == "section":
        if "text" not in block and "fields" not in block:
            return "a section without text and fields"
        if "fields" in block:
            if not 1 <= len(block["fields"]) <= 10:
                return "fields: 1 to 10"
            for field in block["fields"]:
                if fault := text_fault(field, 2000):
                    return fault
        return text_fault(block["text"], SECTION) if "text" in block else None
    if kind == "context":
        if not 1 <= len(block["elements"]) <= 10:
            return "elements: 1 to 10"
        return next(filter(None, (text_fault(one, SECTION) for one in block["elements"])), None)
    if kind == "actions":
        ids = [one.get("action_id") for one in block["elements"]]
        if not 1 <= len(ids) <= 25 or len(set(ids)) != len(ids):
            return "elements: 1 to 25 with ids of their own"
        for one in block["elements"]:
            if one["type"] != "button" or len(one["action_id"]) > 255 or len(one.get("url", "")) > 3000:
                return "no button"
            if fault := text_fault(one["text"], 75, plain=True):
                return fault
        return None
    return f"no block of type {kind}"


def slack_fault(body):
    """What Slack would refuse a message for."""
    if set(body) - {"text", "blocks", "channel", "ts", "thread_ts", "reply_broadcast", "unfurl_links"}:
        return "invalid_payload"
    blocks = body.get("blocks", [])
    if not body.get("text") and not blocks:
        return "no_text"
    if len(blocks) > 50 or any(block_fault(block) for block in blocks):
        return "invalid_blocks"
    return None


class SlackWebhook(Receiver):
    """An incoming webhook at /services/T0/B0/secret."""

    def answer(self, path, headers, body):
        if path != "/services/T0/B0/secret":
            return 404, {}, "no_service"
        fault = slack_fault(body)
        return (400, {}, fault) if fault else (200, {}, "ok")

    def titles(self):
        return [body["blocks"][0]["text"]["text"] for body in self.bodies()]


class SlackApi(Receiver):
    """chat.postMessage and chat.update of a bot with the token xoxb-secret in the conversation C1."""

    def __init__(self):
        super().__init__()
        self.messages = {}  # by ts

    def answer(self, path, headers, body):
        def said(**answer):
            return 200, {"Content-Type": "application/json"}, json.dumps(answer)

        if headers.get("Authorization") != "Bearer xoxb-secret":
            return said(ok=False, error="invalid_auth")
        if body.get("channel") != "C1":
            return said(ok=False, error="channel_not_found")
        if fault := slack_fault(body):
            return said(ok=False, error=fault)
        if path == "/api/chat.update":
            if body["ts"] not in self.messages:
                return said(ok=False, error="message_not_found")
            self.messages[body["ts"]] = body
            return said(ok=True, channel="C1", ts=body["ts"])
        if path != "/api/chat.postMessage":
            return said(ok=False, error="unknown_method")
        if "thread_ts" in body and body["thread_ts"] not in self.messages:
            return said(ok=False, error="thread_not_found")
        ts = f"17000000.{len(self.messages):06}"
        self.messages[ts] = body
        return said(ok=True, channel="C1", ts=ts)
