"""Alerts of a running project: from the cause to the message in each channel, once a state change through kills."""
import http.server
import json
import os
import random
import re
import threading
import time

import confluent_kafka
import pytest
import tailrace
from receivers import Receiver, SlackApi, SlackWebhook, block_fault, slack_fault
from tailrace import wait_until

SQL = """
CREATE STREAMING TABLE numbers_raw (CONSTRAINT small EXPECT (n < 100) ON VIOLATION DROP ROW)
AS SELECT CAST(get_json_object(value, '$.n') AS INT) AS n, get_json_object(value, '$.name') AS name FROM STREAM numbers;
CREATE MATERIALIZED VIEW by_name AS SELECT name, max(n) AS most FROM numbers_raw GROUP BY name;
"""
BASH = "airflow.providers.standard.operators.bash.BashOperator"


class Source:
    """An HTTP API that has records, or fails while it is told to."""

    def __init__(self):
        self.failing = False
        self.changed = 0.0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b'{"results": [{"n": 1, "name": "a"}]}'
                self.send_response(500 if outer.failing else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fail(self, failing):
        self.failing = failing
        self.changed = time.monotonic()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def source():
    made = Source()
    yield made
    made.stop()


@pytest.fixture
def slack():
    made = SlackWebhook()
    yield made
    made.stop()


def project_for(folder, alerts, ingest):
    settings = {"topics": {"numbers": {"format": "json"}}, "ingest": [ingest | {"topic": "numbers"}],
                "serving": {"by_name": {"key": ["name"]}}, "checkpoint": {"every": "200ms"}, "alerts": alerts}
    return tailrace.with_sql(folder, SQL, json.dumps(settings))


def api_of(source):
    return {"name": "api", "use": "http",
            "http": {"url": source.url, "every": "100ms", "records": "$.results", "backoff": "50ms",
                     "backoff_max": "100ms"}}


def files_in(folder):
    folder.mkdir(exist_ok=True)
    return {"name": "files", "use": "files", "files": {"path": str(folder), "every": "100ms"}}


def webhook_of(slack):
    return {"ops": {"slack": {"webhook": slack.url + "/services/T0/B0/secret"}}}


ERROR = {"name": "source down", "hop": "fetched.api", "error": True, "severity": "critical"}


def test_from_a_hop_that_fails_to_a_slack_message_and_back(tmp_path, source, slack, capsys):
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [ERROR]}, api_of(source)).start()
    wait_until(lambda: project.hops()["served.by_name"]["count"], "rows")
    source.fail(True)
    wait_until(lambda: len(slack.requests) == 1, "the message")
    with capsys.disabled():
        print(f"\nfrom the cause to Slack's message: {slack.requests[0][0] - source.changed:.2f} s")
    assert slack.titles() == [":red_circle: Firing: source down"]
    text = json.dumps(slack.bodies()[0])
    assert "fetched.api" in text and "answered 500" in text and f"tailrace status {project.folder}" in text
    buttons = [one for block in slack.bodies()[0]["blocks"] if block["type"] == "actions" for one in block["elements"]]
    assert buttons[0]["url"] == project.url() + "/#/"
    assert project.sql("SELECT rule, state FROM system.alerts") == [{"rule": "source down", "state": "firing"}]
    source.fail(False)
    wait_until(lambda: len(slack.requests) == 2, "the end")
    assert slack.titles()[1] == ":large_green_circle: Resolved: source down"
    # Slack has the message before the project has Slack's answer.
    wait_until(lambda: [row["state"] for row in project.get("/api/alerts")["messages"]] == ["sent", "sent"], "answers")
    metrics = project.command("sql", project.folder, "--data", project.data, "-c", "SELECT 1")
    assert metrics.returncode == 0
    assert "secret" not in json.dumps(project.get("/api/alerts")) + project.log.read_text()
    changes = project.command("alerts", "history", "--project", project.folder, "--data", project.data)
    assert "pending -> firing" in changes.stdout and "firing -> resolved" in changes.stdout
    project.stop()


def test_one_message_a_state_change_through_kills(tmp_path, source, slack):
    """Half of the kills come while Slack has the message and has not answered: then it must not come again."""
    rng = random.Random(5)
    rule = ERROR | {"repeat": "0s"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, api_of(source)).start()
    wait_until(lambda: project.hops()["served.by_name"]["count"], "rows")
    unknown = 0
    kills = int(os.environ.get("TAILRACE_KILLS", "3"))
    for kill in range(kills):
        for failing in (True, False):
            slack.arrived.clear()
            slack.delay = 0.5 if kill % 2 == 0 else 0
            source.fail(failing)
            if failing:
                if kill % 2 == 0:
                    assert slack.arrived.wait(30)
                else:
                    time.sleep(rng.uniform(0, 0.6))
                project.kill()
                project.start()
            word = "Firing" if failing else "Resolved"

            def told():
                messages = project.get("/api/alerts")["messages"]
                return messages and messages[0]["title"].startswith(word) and messages[0]["over_ms"] > 0 and messages[0]

            last = wait_until(told, f"{word} of kill {kill}; {slack.titles()}")
            unknown += last["state"] == "unknown"
            if last["state"] == "sent":
                assert word in slack.titles()[-1]
    titles = slack.titles()
    assert all(a != b for a, b in zip(titles, titles[1:])), titles
    assert len(titles) <= 2 * kills and len(titles) >= 2 * kills - unknown
    firing = [row for row in project.get("/api/alerts/history?limit=1000")["history"] if row["to"] == "firing"]
    assert len(firing) == kills
    project.stop()


def test_a_hop_that_is_behind_is_told_with_how_far_and_again_when_it_is_not(tmp_path, slack):
    """Records of an hour ago that come faster than they are taken, for as long as that takes to be seen."""
    rule = {"name": "behind", "hop": "decoded.numbers", "lag": "30s"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in")).start()
    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka()})
    hour_ago = int((time.time() - 3600) * 1000)

    def push():
        for _ in range(10_000):
            producer.produce("numbers", b'{"n": 1, "name": "x"}', timestamp=hour_ago)
        producer.flush(60)
        return slack.requests

    wait_until(push, "the message")
    assert slack.titles()[0] == ":large_orange_circle: Firing: behind"
    text = json.dumps(slack.bodies()[0])
    assert re.search(r"decoded\.numbers is 1h.* behind \([\d.,]+ records\); the limit is 30s", text)
    wait_until(lambda: slack.titles()[-1] == ":large_green_circle: Resolved: behind", "the end")
    wait_until(lambda: project.hops()["decoded.numbers"]["lag_s"] == 0, "no lag")
    project.stop()


def test_rows_of_a_query_are_alerts_named_by_their_columns(tmp_path, slack):
    rule = {"name": "too many", "query": "SELECT name, most FROM by_name WHERE most > 50", "every": "250ms",
            "message": "{{ labels.name }} has <{{ most }}> & more", "runbook": "https://example.com/runbook"}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in")).start()
    (tmp_path / "in" / "a.jsonl").write_text('{"n": 60, "name": "x"}\n{"n": 2, "name": "y"}\n')
    wait_until(lambda: len(slack.requests) == 1, "the message")
    body = slack.bodies()[0]
    assert body["blocks"][1]["text"]["text"] == "x has &lt;60&gt; &amp; more"
    assert {"type": "mrkdwn", "text": "*name*\nx"} in body["blocks"][2]["fields"]
    # A value that moves is no new alert; another row is.
    (tmp_path / "in" / "b.jsonl").write_text('{"n": 70, "name": "x"}\n{"n": 80, "name": "y"}\n')
    wait_until(lambda: len(slack.requests) == 2, "the second row")
    assert slack.titles()[1].endswith("Firing: too many (2 alerts)")
    project.stop()


def test_quality_that_falls_is_told_with_examples(tmp_path, slack):
    rule = {"name": "quality", "expectation": "numbers_raw.small", "failure_rate": 0.2, "over": "1h", "at_least": 5}
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [rule]}, files_in(tmp_path / "in")).start()
    (tmp_path / "in" / "a.jsonl").write_text('{"n": 1, "name": "x"}\n' * 3 + '{"n": 777, "name": "bad"}\n' * 2)
    wait_until(lambda: len(slack.requests) == 1, "the message")
    text = json.dumps(slack.bodies()[0])
    assert "40 % of 5 rows of numbers_raw broke `small`" in text and "777" in text
    assert "dead-letters/expectation%20small" in text
    project.stop()


def test_runs_are_told_with_counts_and_with_the_first_error(tmp_path, slack):
    rules = [{"workflow": "*", "succeeded": True, "name": "run finished"},
             {"workflow": "*", "failed": True, "name": "run failed", "severity": "critical"}]
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": rules}, files_in(tmp_path / "in"))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "d.yml").write_text(f"""
works:
  schedule: none
  start_date: 2026-01-01
  tasks: {{one: {{operator: {BASH}, bash_command: "echo fine"}}}}
breaks:
  schedule: none
  start_date: 2026-01-01
  tasks:
    one:
      operator: {BASH}
      bash_command: "[ -e {tmp_path}/mended ] || {{ echo the disk is gone; exit 3; }}"
      retries: 0
    two: {{operator: {BASH}, bash_command: "true", dependencies: [one]}}
""")
    project.start()
    at = ("--project", project.folder, "--data", project.data)
    assert project.command("dags", "run", "works", "--wait", *at).returncode == 0
    wait_until(lambda: len(slack.requests) == 1, "the run that finished")
    assert slack.titles() == [":white_check_mark: run finished"]
    assert "of works finished in" in json.dumps(slack.bodies()[0])
    assert project.command("dags", "run", "breaks", "--wait", *at).returncode == 1
    wait_until(lambda: len(slack.requests) == 2, "the run that failed")
    text = json.dumps(slack.bodies()[1])
    assert slack.titles()[1] == ":red_circle: Firing: run failed"
    assert "at task one" in text and "the disk is gone" in text and "tailrace dags logs breaks one" in text
    # Another run that fails is told, too; nothing again after a kill; the one that works ends it.
    assert project.command("dags", "run", "breaks", "--wait", *at).returncode == 1
    wait_until(lambda: len(slack.requests) == 3, "the second run that failed")
    project.kill()
    project.start()
    (tmp_path / "mended").touch()
    assert project.command("dags", "run", "breaks", "--wait", *at).returncode == 0
    wait_until(lambda: len(slack.requests) == 5, f"both ends: {slack.titles()}")
    assert sorted(title.split()[1] for title in slack.titles()[3:]) == ["Resolved:", "run"]
    project.stop()


def test_a_token_gives_a_thread_whose_first_message_shows_the_state(tmp_path, source):
    slack = SlackApi()
    channel = {"ops": {"slack": {"token": "xoxb-secret", "channel": "C1", "api": slack.url + "/api"}}}
    rule = ERROR | {"repeat": "1s"}
    project = project_for(tmp_path, {"channels": channel, "rules": [rule]}, api_of(source)).start()
    source.fail(True)
    wait_until(lambda: len(slack.messages) >= 2, "the message, and a repeat")
    source.fail(False)

    def ended():
        return [body for body in slack.messages.values() if "Resolved" in body["text"]]

    wait_until(lambda: len(ended()) == 2, "the end, below and in the first message")
    first, *rest = slack.messages.items()
    assert "Resolved" in first[1]["text"]
    assert all(body["thread_ts"] == first[0] for _, body in rest)
    assert any(body.get("reply_broadcast") for _, body in rest)
    slack.stop()
    project.stop()


def test_429_and_a_dead_channel_hold_up_no_other(tmp_path, source, slack):
    dead, other = Receiver(), Receiver()
    dead.answer = lambda *_: (503, {}, "no")
    slack.planned = [(429, {"Retry-After": "2"}, "rate_limited")]
    channels = webhook_of(slack) | {"dead": {"webhook": {"url": dead.url}},
                                    "other": {"webhook": {"url": other.url, "headers": {"X-Key": "1"}}}}
    project = project_for(tmp_path, {"channels": channels, "rules": [ERROR]}, api_of(source)).start()
    source.fail(True)
    wait_until(lambda: other.requests, "the webhook")
    _, _, headers, body = other.requests[0]
    assert body["version"] == "4" and body["status"] == "firing" and body["alerts"][0]["labels"]["hop"] == "fetched.api"
    assert headers["X-Key"] == "1" and headers["Idempotency-Key"]
    wait_until(lambda: slack.requests, "Slack, when it asked to come back")
    assert slack.requests[0][0] - slack.refused[0] >= 2 and other.requests[0][0] < slack.requests[0][0]
    states = {one["name"]: one for one in project.get("/api/alerts")["channels"]}
    assert states["dead"]["failing"] and "503" in states["dead"]["last"] and states["dead"]["waiting"] == 1
    assert states["ops"]["retried"] == 1
    dead.stop()
    other.stop()
    project.stop()


def test_pagerduty_gets_one_incident_that_is_resolved(tmp_path, source):
    duty = Receiver()
    duty.answer = lambda *_: (202, {}, '{"status": "success"}')
    channel = {"duty": {"pagerduty": {"routing_key": "R" * 32, "url": duty.url + "/v2/enqueue"}}}
    project = project_for(tmp_path, {"channels": channel, "rules": [ERROR]}, api_of(source)).start()
    source.fail(True)
    wait_until(lambda: len(duty.requests) == 1, "the trigger")
    source.fail(False)
    wait_until(lambda: len(duty.requests) == 2, "the resolve")
    trigger, resolve = duty.bodies()
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] and len(trigger["dedup_key"]) <= 255
    assert trigger["routing_key"] == "R" * 32
    payload = trigger["payload"]
    assert payload["severity"] == "critical" and payload["component"] == "fetched.api" and payload["source"]
    assert len(payload["summary"]) <= 1024
    assert trigger["links"][0].keys() == {"href", "text"}
    duty.stop()
    project.stop()


def test_silences_and_tests_by_the_command(tmp_path, source, slack):
    project = project_for(tmp_path, {"channels": webhook_of(slack), "rules": [ERROR]}, api_of(source))
    at = ("--project", project.folder, "--data", project.data)
    # Without a program that runs, a test goes all the same.
    done = project.command("alerts", "test", "ops", *at)
    assert (done.returncode, done.stdout) == (0, "ops          sent: HTTP 200 ok\n")
    project.start()
    made = project.command("alerts", "silence", 'hop=~"fetched.*"', "--duration", "1h", "--json", *at)
    silence = json.loads(made.stdout)
    source.fail(True)
    wait_until(lambda: project.sql("SELECT state, muted_by FROM system.alerts") ==
               [{"state": "firing", "muted_by": "silence " + silence["id"]}], "the muted alert")
    assert "firing" in project.command("alerts", "list", *at).stdout
    assert project.command("alerts", "unsilence", silence["id"], *at).returncode == 0
    wait_until(lambda: len(slack.requests) == 2, "the message that was held back")
    assert [title.split(" ", 1)[1] for title in slack.titles()] == ["Test: a test of the channels",
                                                                     "Firing: source down"]
    slack.planned = [(404, {}, "no_service")]
    done = project.command("alerts", "test", "source down", *at)
    assert (done.returncode, done.stdout) == (1, "ops          NOT sent: HTTP 404 no_service\n")
    wrong = project.command("alerts", "test", "nobody", *at)
    assert wrong.returncode == 1 and "there are: ops, source down" in wrong.stderr
    project.stop()


def test_a_channel_without_its_variable_is_off_and_says_so(tmp_path, source):
    channel = {"ops": {"slack": {"webhook": "${NO_SUCH_WEBHOOK}"}}}
    project = project_for(tmp_path, {"channels": channel, "rules": [ERROR]}, api_of(source)).start()
    wait_until(lambda: project.get("/api/alerts")["channels"], "the alerts are there")
    assert project.get("/api/alerts")["channels"][0]["off"] == "NO_SUCH_WEBHOOK is not set in the environment"
    assert "channel ops is off: NO_SUCH_WEBHOOK" in project.log.read_text()
    project.stop()


def test_a_wrong_rule_is_told_by_check_with_its_place(tmp_path, source):
    project = project_for(tmp_path, {}, api_of(source))
    settings = project.folder / "tailrace.yml"
    settings.write_text(json.dumps({"topics": {"numbers": {"format": "json"}}}) + "\n")
    assert project.command("check", project.folder).returncode == 0
    settings.write_text("topics: {numbers: {format: json}}\nalerts:\n  rules:\n    - {hop: x, eror: true}\n")
    done = project.command("check", project.folder)
    assert done.returncode == 1 and "tailrace.yml:4:16: unknown key `eror`; did you mean `error`?" in done.stderr


def test_a_rule_of_what_is_not_there_is_refused_with_the_nearest(tmp_path, source):
    rule = {"hop": "served.by_nam", "error": True}
    project = project_for(tmp_path, {"rules": [rule]}, api_of(source))
    done = project.command("run", project.folder, "--data", project.data, *tailrace.FREE_PORTS)
    assert done.returncode == 1 and "there is no hop `served.by_nam`; did you mean `served.by_name`?" in done.stderr


def test_the_slack_of_these_tests_refuses_what_slack_refuses():
    assert slack_fault({}) == "no_text"
    assert slack_fault({"text": "x", "colour": "red"}) == "invalid_payload"
    assert slack_fault({"blocks": [{"type": "divide"}]}) == "invalid_blocks"
    assert block_fault({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}})
    assert block_fault({"type": "section", "text": {"type": "mrkdwn", "text": "a & b"}})
    assert block_fault({"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11})
    assert not block_fault({"type": "section", "text": {"type": "mrkdwn", "text": "a &amp; b"}})
