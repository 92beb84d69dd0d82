"""Traces: a batch's way through the hops as spans, decoded by OpenTelemetry's own messages; contexts go on through
webhooks, functions and records' headers; no collector holds the stream up."""
import json
import sqlite3
import urllib.request

import confluent_kafka
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

import tailrace
from collector import Collector

SQL = """
CREATE STREAMING TABLE orders_raw AS SELECT key, value FROM STREAM orders;
CREATE MATERIALIZED VIEW orders_count AS SELECT count(*) AS n FROM orders_raw;
"""
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{PARENT}-01"
Kind = trace_pb2.Span.SpanKind


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path, collector, monkeypatch):
    made = []

    def run(environment=None, **more):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        settings = {
            "topics": {"orders": {"partitions": 1, "format": "json"}},
            "ingest": [{"name": "shop", "topic": "orders", "use": "webhook", "webhook": {}}],
            "functions": {"take": {"ingest": "shop"}},
            "serving": {"orders": {"table": "orders_count", "key": ["n"]}},
            "checkpoint": {"every": "200ms"}} | more
        project = tailrace.with_sql(tmp_path, SQL, json.dumps(settings))
        made.append(project)
        return project.start()

    yield run
    for project in made:
        if not project.ended():
            project.stop()


def post(project, path, value, **headers):
    def once():
        request = urllib.request.Request(project.hooks() + path, json.dumps(value).encode(),
                                         {"Content-Type": "application/json"} | headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status in (200, 202)
        except urllib.error.HTTPError as refused:
            assert refused.code == 503 or b"the source does not run" in refused.read(), refused.code
            return False

    tailrace.wait_until(once, "the webhook takes it")


def the(collector, name, of_trace=None):
    """The first span of that name (in that trace) once it has been sent."""
    def found():
        return [span for span in collector.spans(name) if of_trace in (None, span.trace)]

    return tailrace.wait_until(found, f"a span {name}; there are {sorted({s.name for s in collector.spans()})}")[0]


def the_request(collector, name, of_trace=TRACE):
    """The one that was taken: before the source runs requests are refused, and have a span, too."""
    return tailrace.wait_until(lambda: [span for span in collector.spans(name) if of_trace in (None, span.trace) and
                                        span.attributes["http.response.status_code"] == 200], f"the span {name}")[0]


def test_a_requests_trace_goes_on_to_the_lake(start, collector):
    project = start({"OTEL_SERVICE_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"})
    post(project, "/hooks/shop", {"id": 1}, traceparent=HEADER, tracestate="vendor=7")
    request = the_request(collector, "POST /hooks/shop")
    assert (request.parent, request.kind) == (PARENT, Kind.SPAN_KIND_SERVER)
    assert request.message.trace_state == "vendor=7"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["http.route"] == "/hooks/shop"
    send = the(collector, "send orders", TRACE)
    assert (send.parent, send.kind) == (request.id, Kind.SPAN_KIND_PRODUCER)
    assert send.attributes["messaging.system"] == "kafka"
    assert send.attributes["messaging.operation.type"] == "send"
    assert send.attributes["messaging.destination.name"] == "orders"
    assert send.attributes["messaging.batch.message_count"] == 1
    assert the(collector, "sync shop", TRACE).parent == send.id
    # The record came with a context of its own, which is the one that goes on.
    step = the(collector, "process orders", TRACE)
    assert (step.parent, step.kind) == (request.id, Kind.SPAN_KIND_CONSUMER)
    assert step.attributes["messaging.batch.message_count"] == 1
    serve = tailrace.wait_until(lambda: [s.name for s in collector.spans() if s.name.startswith("serve ")],
                                "a span of the served tables")[0]
    for name, hop in (("decode orders", "decoded.orders"), ("silver orders_raw", "silver.orders_raw"),
                      ("gold orders_count", "gold.orders_count"), (serve, None)):
        span = the(collector, name, TRACE)
        assert span.parent == step.id
        assert span.attributes.get("tailrace.hop") == hop
        assert step.begun <= span.begun and span.ended <= step.ended
    assert the(collector, "silver orders_raw", TRACE).attributes["tailrace.rows.out"] == 1
    commit = the(collector, "commit orders_raw")
    checkpoints = tailrace.wait_until(
        lambda: [s for s in collector.spans() if s.name.startswith("checkpoint ") and s.id == commit.parent],
        "the checkpoint that the commit belongs to")
    assert checkpoints[0].parent == step.id or (TRACE, step.id) in checkpoints[0].links
    resource = collector.sent[0][0]
    assert resource["service.name"] == "orders"
    assert resource["deployment.environment.name"] == "test"
    assert resource["service.version"]


def test_hops_ids_are_those_of_the_status(start, collector):
    project = start()
    post(project, "/hooks/shop", {"id": 1})
    the(collector, "commit orders_raw")
    hops = set(project.hops())
    named = {s.attributes["tailrace.hop"] for s in collector.spans() if "tailrace.hop" in s.attributes}
    assert {"appended.orders", "decoded.orders", "silver.orders_raw", "lake"} <= named
    assert named <= hops


def test_a_kafka_clients_trace_goes_on_and_a_consumer_finds_it(start, collector):
    project = start()
    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka()})
    producer.produce("orders", b'{"id": 1}', headers={"traceparent": HEADER, "other": b"x"})
    assert producer.flush(30) == 0
    assert the(collector, "process orders", TRACE).parent == PARENT
    post(project, "/hooks/shop", {"id": 2})
    send = the(collector, "send orders")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "g",
                                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    got = []

    def both():
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            got.append(dict(message.headers() or []))
        return len(got) == 2

    tailrace.wait_until(both, "two records")
    consumer.close()
    assert got[0] == {"traceparent": HEADER.encode(), "other": b"x"}
    request = the_request(collector, "POST /hooks/shop", None)
    assert got[1] == {"traceparent": f"00-{request.trace}-{request.id}-01".encode()}
    assert send.trace == request.trace


def test_a_function_that_ingests_goes_on_in_its_callers_trace(start, collector):
    project = start()
    post(project, "/2015-03-31/functions/take/invocations", {"id": 1}, traceparent=HEADER)
    call = the_request(collector, "POST /2015-03-31/functions/{FunctionName}/invocations")
    assert call.parent == PARENT
    assert the(collector, "process orders", TRACE).parent == call.id


def test_a_call_that_nobody_waits_for_goes_on_in_its_callers_trace(start, collector):
    project = start()
    post(project, "/2015-03-31/functions/take/invocations", {"id": 1}, traceparent=HEADER,
         **{"X-Amz-Invocation-Type": "Event"})
    step = the(collector, "process orders", TRACE)
    # A try before the source runs is refused, and has a span, too.
    called = tailrace.wait_until(lambda: [span for span in collector.spans("call take") if span.id == step.parent],
                                 "the try that was taken")[0]
    assert (called.trace, called.kind) == (TRACE, Kind.SPAN_KIND_CONSUMER)
    [request] = tailrace.wait_until(
        lambda: [span for span in collector.spans("POST /2015-03-31/functions/{FunctionName}/invocations")
                 if span.id == called.parent], "the request of the call")
    assert (request.trace, request.attributes["http.response.status_code"]) == (TRACE, 202)


def test_a_trace_goes_through_a_staging_table(start, collector):
    project = start(ingest=[{"name": "shop", "topic": "orders", "use": "webhook", "webhook": {}, "stage": "staged"}],
                    staging={"staged": {"key": "id"}}, functions={})
    post(project, "/hooks/shop", {"id": 1, "what": "x"}, traceparent=HEADER)
    upsert = the(collector, "upsert staged", TRACE)
    assert the(collector, "send orders", TRACE).parent == upsert.id
    assert the(collector, "process orders", TRACE).parent == upsert.id
    # What somebody else writes is of no trace.
    with sqlite3.connect(project.data / "staging" / "staging.db", timeout=30) as other:
        other.execute("UPDATE staged SET what = 'y' WHERE id = 1")
    other.close()

    def own():
        return [span for span in collector.spans("process orders") if span.trace != TRACE]

    assert not tailrace.wait_until(own, "the step of the other's change")[0].links


def test_many_records_of_several_traces_are_linked(start, collector):
    project = start()
    traces = [f"{i + 1:032x}" for i in range(200)]
    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka(), "linger.ms": 500,
                                         "enable.idempotence": True})
    for i, trace in enumerate(traces):
        producer.produce("orders", json.dumps({"id": i}).encode(), headers={"traceparent": f"00-{trace}-{PARENT}-01"})
    assert producer.flush(30) == 0

    def all_seen():
        steps = collector.spans("process orders")
        return sum(s.attributes["messaging.batch.message_count"] for s in steps) == 200 and steps

    steps = tailrace.wait_until(all_seen, "steps of all records")
    linked = [link for step in steps for link in step.links]
    counted = len(linked) + sum(s.message.dropped_links_count for s in steps) + sum(1 for s in steps if s.parent)
    assert counted == 200
    assert all(len(step.links) <= 128 for step in steps)
    assert {trace for trace, _ in linked} <= set(traces)


def test_what_a_caller_does_not_sample_is_not_sent_but_goes_on(start, collector):
    project = start()
    post(project, "/hooks/shop", {"id": 1}, traceparent=HEADER[:-2] + "00")
    tailrace.wait_until(lambda: project.hops()["decoded.orders"]["count"] == 1, "the record")
    post(project, "/hooks/shop", {"id": 2}, traceparent=f"00-{'a' * 32}-{PARENT}-01")
    the(collector, "process orders", "a" * 32)
    assert not [span for span in collector.spans() if span.trace == TRACE]


def test_json_and_gzip_say_the_same(start, collector):
    project = start({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                     "OTEL_EXPORTER_OTLP_HEADERS": "x-key=s3cret"})
    post(project, "/hooks/shop", {"id": 1}, traceparent=HEADER)
    assert the(collector, "POST /hooks/shop", TRACE).parent == PARENT
    assert the(collector, "send orders", TRACE).attributes["messaging.batch.message_count"] == 1
    path, headers = collector.requests[0]
    assert path == "/v1/traces"
    assert headers["x-key"] == "s3cret"
    assert headers["Content-Type"] == "application/json"
    assert "s3cret" not in project.log.read_text()


def test_no_collector_stops_nothing_and_what_is_dropped_is_counted(start, collector):
    collector.close()
    project = start({"OTEL_BSP_MAX_QUEUE_SIZE": "4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2",
                     "OTEL_EXPORTER_OTLP_HEADERS": "x-key=s3cret"})
    for i in range(20):
        post(project, "/hooks/shop", {"id": i})
    tailrace.wait_until(lambda: project.sql("SELECT n FROM orders_count") == [{"n": 20}], "all rows")
    with urllib.request.urlopen(project.url() + "/metrics", timeout=30) as answer:
        text = answer.read().decode()
    counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("tailrace_telemetry_"))
    assert int(counts['tailrace_telemetry_spans_total{outcome="queue_full"}']) > 0
    assert int(counts['tailrace_telemetry_spans_total{outcome="exported"}']) == 0
    tailrace.wait_until(lambda: "traces are not taken" in project.log.read_text(), "the line of the first failure")
    project.stop(seconds=20)
    assert project.log.read_text().count("traces are not taken") == 1
    assert "s3cret" not in project.log.read_text()


def test_without_an_endpoint_records_have_no_headers(tmp_path, monkeypatch, start, collector):
    project = start({"OTEL_SDK_DISABLED": "true"})
    post(project, "/hooks/shop", {"id": 1}, traceparent=HEADER)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": project.kafka(), "group.id": "g",
                                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    message = tailrace.wait_until(lambda: consumer.poll(0.1), "the record")
    assert message.headers() is None
    consumer.close()
    project.stop()
    assert collector.requests == []


def test_a_wrong_variable_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    project = tailrace.Project(tmp_path)
    done = project.command("run", project.folder, "--data", project.data, "--once")
    assert done.returncode == 1
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: http/protobuf or http/json" in done.stderr
