"""Webhooks: what is sent arrives once, by every format; foreign clients sign and send; kill -9 loses no record."""
import collections
import hashlib
import hmac
import http.client
import json
import os
import random
import ssl
import threading
import time
import urllib.parse

import pytest

import tailrace
from certificates import Authority

KILLS = int(os.environ.get("TAILRACE_KILLS", "3"))
SQL = """
CREATE STREAMING TABLE orders_raw AS SELECT key, value FROM STREAM orders;
"""


def settings(hook, name="shop", **topic):
    return json.dumps({
        "topics": {"orders": {"partitions": 2, "format": "json"} | topic},
        "ingest": [{"name": name, "topic": "orders", "use": "webhook"} | hook],
        "checkpoint": {"every": "200ms"}})


class Door:
    """Requests to a running project's door over one kept connection."""

    def __init__(self, project, context=None):
        address = urllib.parse.urlsplit(project.hooks())
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(address.hostname, address.port, timeout=60, **({"context": context} if context else {}))
        # The sources start after the door.
        tailrace.wait_until(lambda: self.raw("POST", "/hooks/none")[0] == 404, "the door")

    def raw(self, method, path, body=b"", **headers):
        self.connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def post(self, path, body, **headers):
        """Status and answer; waits while the source is not there yet."""
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if not any(name.lower() == "content_type" for name in headers):
            headers["Content_Type"] = "application/json"
        end = time.monotonic() + 30
        while True:
            status, text, _ = self.raw("POST", path, body, **headers)
            if status != 503 or time.monotonic() > end:
                return status, json.loads(text)
            time.sleep(0.02)


def records(project, topic="orders"):
    done = project.command("consume", topic, "--project", project.folder, "--data", project.data, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def values(project):
    return [json.loads(one["value"]) if isinstance(one["value"], str) else one["value"] for one in records(project)]


@pytest.fixture
def start(tmp_path):
    made = []

    def run(hook, **topic):
        project = tailrace.with_sql(tmp_path, SQL, settings(hook, **topic))
        made.append(project)
        return project.start()

    yield run
    for project in made:
        if not project.ended():
            project.kill()


def test_what_is_sent_is_in_the_topic_and_the_table_when_it_is_answered(start):
    project = start({"key": "$.id"})
    door = Door(project)
    assert door.post("/hooks/shop", {"id": "a", "n": 1}) == (200, {"records": 1})
    assert door.post("/hooks/shop", '{"id": "b"}\n{"id":\n{"id": "c"}\n', Content_Type="application/x-ndjson") == (
        200, {"records": 2, "rejected": 1, "lines": [{"line": 2, "error": tailrace_error(door)}]})
    assert sorted((one["key"], json.loads(one["value"]).get("n")) for one in records(project)) == [
        ("a", 1), ("b", None), ("c", None)]
    found = tailrace.wait_until(lambda: rows_of(project, 3), "three rows")
    assert {row["key"] for row in found} == {"a", "b", "c"}
    letters = tailrace.wait_until(
        lambda: project.sql("SELECT reason, origin FROM system.dead_letters"), "the dead letter")
    assert [(one["reason"], one["origin"]) for one in letters] == [("bad JSON", "shop:line 2")]
    metrics = door_metrics(project)
    assert 'tailrace_hooks_requests_total{source="shop",answer="accepted"} 2' in metrics
    assert 'tailrace_hooks_records_total{source="shop"} 3' in metrics


def tailrace_error(door):
    """What a body that ends too early is told, without the sentence's beginning."""
    status, answer = door.post("/hooks/shop", '{"id":')
    assert status == 400
    return answer["error"].removeprefix("the body is not JSON: ")


def rows_of(project, count):
    found = project.sql("SELECT * FROM orders_raw")
    return found if len(found) >= count else None


def door_metrics(project):
    import urllib.request

    with urllib.request.urlopen(project.url() + "/metrics") as answer:
        return answer.read().decode()


def test_stripes_and_slacks_own_libraries_are_believed(tmp_path):
    stripe = pytest.importorskip("stripe")
    slack = pytest.importorskip("slack_sdk.signature")
    secrets = {"STRIPE": "whsec_1234", "SLACK": "8f742231b10e8888abcd99yyyzzz85a5", "GITHUB": "It's a secret, to all"}
    hooks = [{"name": name.lower(), "topic": "orders", "use": "webhook",
              "webhook": {"signature": name.lower(), "secret": "${%s}" % name}} for name in secrets]
    project = tailrace.with_sql(tmp_path, SQL, json.dumps(
        {"topics": {"orders": {"format": "json"}}, "ingest": hooks}))
    os.environ.update(secrets)
    project.start()
    door = Door(project)
    event = json.dumps({"id": "evt_1", "object": "event", "type": "charge.succeeded"})
    signed = stripe.WebhookSignature.generate_signature_header(event, secrets["STRIPE"])
    for _ in range(2):  # Stripe sends it again
        assert door.post("/hooks/stripe", event, Stripe_Signature=signed) == (200, {"records": 1})
    assert door.post("/hooks/stripe", event + " ", Stripe_Signature=signed)[0] == 401
    old = stripe.WebhookSignature.generate_signature_header(event, secrets["STRIPE"], int(time.time()) - 600)
    assert door.post("/hooks/stripe", event, Stripe_Signature=old)[0] == 401

    verifier, now = slack.SignatureVerifier(secrets["SLACK"]), str(int(time.time()))

    def from_slack(body, kind="application/json"):
        return door.post("/hooks/slack", body, Content_Type=kind, X_Slack_Request_Timestamp=now,
                         X_Slack_Signature=verifier.generate_signature(timestamp=now, body=body))

    greeting = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd"})
    assert from_slack(greeting) == (200, {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd"})
    form = urllib.parse.urlencode({"payload": json.dumps({"type": "block_actions", "id": "slack-1"})})
    assert from_slack(form, "application/x-www-form-urlencoded") == (200, {"records": 1})

    body = json.dumps({"zen": "Keep it logically awesome.", "id": "github-1"}).encode()
    digest = "sha256=" + hmac.new(secrets["GITHUB"].encode(), body, hashlib.sha256).hexdigest()
    assert door.post("/hooks/github", body, X_GitHub_Event="ping", X_Hub_Signature_256=digest)[1]["records"] == 0
    for _ in range(2):  # redelivered by hand
        assert door.post("/hooks/github", body, X_GitHub_Event="push", X_GitHub_Delivery="72d3162e",
                         X_Hub_Signature_256=digest) == (200, {"records": 1})
    found = sorted(one.get("id") or one["payload"]["id"] for one in values(project))
    assert found == ["evt_1", "github-1", "slack-1"]
    said = project.log.read_text() + json.dumps(project.hops())
    assert not any(secret in said for secret in secrets.values())
    project.stop()


def test_the_cloudevents_sdk_is_understood_in_each_of_its_modes(start):
    pytest.importorskip("cloudevents.core")
    from cloudevents.core.bindings import http as binding
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    project = start({})
    door = Door(project)

    def event(number):
        return CloudEvent({"type": "com.example.order", "source": "https://example.com/shop", "id": str(number),
                           "subject": "Größe 9"}, {"number": number})

    def send(message):
        return door.post("/hooks/shop", message.body,
                         **{name.replace("-", "_"): value for name, value in message.headers.items()})

    for number, encode in ((1, binding.to_structured_event), (2, binding.to_binary_event)):
        message = encode(event(number))
        for _ in range(2):
            assert send(message) == (200, {"records": 1})
    batch = [json.loads(binding.to_structured_event(event(number)).body) for number in (2, 3, 4)]  # 2 was sent before
    assert door.post("/hooks/shop", batch, Content_Type="application/cloudevents-batch+json") == (200, {"records": 3})
    found = {one["id"]: one for one in values(project)}
    assert len(values(project)) == 4 and sorted(found) == ["1", "2", "3", "4"]
    for number, one in found.items():
        again = JSONFormat().read(CloudEvent, json.dumps(one))
        assert (again.get_type(), again.get_subject(), again.get_data()) == (
            "com.example.order", "Größe 9", {"number": int(number)})


def test_the_door_speaks_tls(tmp_path):
    authority = Authority(tmp_path / "tls")
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    project = tailrace.with_sql(tmp_path, SQL, settings({"webhook": {"token": "s3cret-token"}}))
    project.words = ["--hooks-tls-certificate", certificate, "--hooks-tls-key", key]
    project.start()
    door = Door(project, ssl.create_default_context(cafile=authority.certificate))
    assert project.hooks().startswith("https://")
    assert door.post("/hooks/shop", {})[0] == 401
    assert door.post("/hooks/shop", {}, Authorization="Bearer s3cret-token") == (200, {"records": 1})
    project.stop()


def test_mistakes_are_told_before_anything_runs(tmp_path):
    project = tailrace.with_sql(tmp_path, SQL, settings({"webhook": {"signature": "gitlab"}}))
    done = project.command("check", project.folder)
    assert done.returncode == 1 and "signature" in done.stderr and "github" in done.stderr
    hooks = [{"name": name, "topic": "orders", "use": "webhook", "webhook": {"path": "one"}} for name in ("a", "b")]
    (project.folder / "tailrace.yml").write_text(json.dumps({"topics": {"orders": {}}, "ingest": hooks}))
    done = project.command("check", project.folder)
    assert done.returncode == 1 and "another `path`" in done.stderr, done.stderr


class Sender(threading.Thread):
    """Sends records until it is told to stop, each until it is answered; those with an even number have a key."""

    def __init__(self, project, name):
        super().__init__(daemon=True)
        self.project, self.name, self.number = project, name, 0
        self.answered, self.over = [], threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            self.number += 1
            one = f"{self.name}-{self.number}"
            while not self.sent(one):
                if self.over.is_set():
                    return
                time.sleep(0.005)
            self.answered.append(one)

    def sent(self, one):
        try:
            address = urllib.parse.urlsplit(self.project.hooks())
            if not hasattr(self, "line") or self.line.port != address.port:
                self.line = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
            headers = {"Content-Type": "application/json"}
            if self.number % 2 == 0:
                headers["Idempotency-Key"] = one
            self.line.request("POST", "/hooks/shop", json.dumps({"id": one}), headers)
            answer = self.line.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException, KeyError):
            self.line = http.client.HTTPConnection("127.0.0.1", 1)
            return False


def test_kills_lose_nothing_that_was_answered_and_double_nothing_that_has_a_key(tmp_path):
    project = tailrace.with_sql(tmp_path, SQL, settings({}))
    dice = random.Random(9)
    project.start()
    senders = [Sender(project, str(i)) for i in range(8)]
    for _ in range(KILLS):
        before = sum(len(one.answered) for one in senders)
        tailrace.wait_until(lambda: sum(len(one.answered) for one in senders) > before + 50, "answers")
        time.sleep(dice.uniform(0, 0.3))
        project.kill()
        project.start()
    before = sum(len(one.answered) for one in senders)
    tailrace.wait_until(lambda: sum(len(one.answered) for one in senders) > before + 50, "answers after the last kill")
    for one in senders:
        one.over.set()
    for one in senders:
        one.join(60)
    answered = [one for sender in senders for one in sender.answered]
    door = Door(project)
    for one in dice.sample([one for one in answered if int(one.split("-")[1]) % 2 == 0], 40):
        status, _, headers = door.raw("POST", "/hooks/shop", json.dumps({"id": one}), Idempotency_Key=one,
                                      Content_Type="application/json")
        assert (status, headers["Idempotent-Replayed"]) == (200, "true"), one
    found = collections.Counter(one["id"] for one in values(project))
    lost = [one for one in answered if one not in found]
    doubled = [one for one, times in found.items() if times > 1 and int(one.split("-")[1]) % 2 == 0]
    assert (lost, doubled) == ([], []), f"of {len(answered)}"
    count = "SELECT count(*) AS n FROM orders_raw"
    tailrace.wait_until(lambda: project.sql(count)[0]["n"] == sum(found.values()), "each record in the table")
    project.stop()


def test_a_request_starts_a_workflows_task(tmp_path):
    project = tailrace.with_sql(tmp_path, SQL, settings({}))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "on_order.yml").write_text(f"""
on_order:
  start_date: 2026-01-01
  schedule:
    - {{__type__: airflow.sdk.Asset, uri: "tailrace://topics/orders"}}
  tasks:
    note:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: >-
        echo {{{{ triggering_asset_events | length }}}} >> {tmp_path}/seen
""")
    project.start()
    door = Door(project)
    for number in range(3):
        assert door.post("/hooks/shop", {"n": number})[0] == 200
    seen = tmp_path / "seen"
    tailrace.wait_until(lambda: seen.exists() and len(seen.read_text().splitlines()) == 3, "a task for each request")
    project.stop()


def test_status_says_where_to_push(start):
    project = start({"webhook": {"path": "orders/new"}})
    door = Door(project)
    done = project.command("status", project.folder, "--data", project.data, "--json")
    doors = json.loads(done.stdout)["doors"]
    assert doors["hooks"] == project.hooks() and doors["console"].startswith("http://127.0.0.1:")
    assert doors["webhooks"] == ["/hooks/orders/new"]
    shown = project.command("status", project.folder, "--data", project.data).stdout
    assert f"POST {project.hooks()}/hooks/orders/new" in shown
    assert door.post("/hooks/orders/new", {"id": 1}) == (200, {"records": 1})
    project.stop()
    done = project.command("status", project.folder, "--data", project.data, "--json")
    assert json.loads(done.stdout)["doors"] is None


def test_a_compose_file_opens_the_door_only_to_who_may(tmp_path):
    project = tailrace.with_sql(tmp_path, SQL, settings({"webhook": {}}))
    done = project.command("compose", project.folder, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "tailrace.yml:" in done.stderr and "`token` or a `signature`" in done.stderr
    (project.folder / "tailrace.yml").write_text(settings({"webhook": {"token": "${HOOK_TOKEN}"}}))
    done = project.command("compose", project.folder, "--out", tmp_path / "out", env={"HOOK_TOKEN": "s3cret"})
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "compose.yml").read_text()
    assert '--hooks, "0.0.0.0:9080"' in text and '"127.0.0.1:9080:9080"' in text
    assert "HOOK_TOKEN: ${HOOK_TOKEN:?" in text and "s3cret" not in text
