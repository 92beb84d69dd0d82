"""The function that `tailrace lambda package` writes, run as Lambda does; its runtime API is the test's own."""
import base64
import gzip
import http.server
import json
import os
import subprocess
import threading
import time
import zipfile

import lambda_side
import pytest
import tailrace
import yaml
from broker import Broker
from lambda_side import consume, kinesis, records, s3, sqs


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return lambda_side.package(tmp_path_factory.mktemp("package"))


@pytest.fixture
def broker(tmp_path):
    return Broker(tmp_path).start()


@pytest.fixture
def api():
    one = lambda_side.RuntimeApi()
    yield one
    one.close()


@pytest.fixture
def function(tmp_path, package, broker, api):
    """Makes the function, told by the environment."""
    folder = lambda_side.unpack(package, tmp_path / "task")

    def make(**environment):
        return lambda_side.Function(folder, api, **{"TAILRACE_KAFKA": broker.address, "TAILRACE_TOPIC": "events",
                                                    **environment}).start()

    return make


def failures(answer):
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_each_kind_of_event_becomes_records(function, api, broker):
    function(TAILRACE_TOPIC="aws-{source}")
    encode = lambda text: base64.b64encode(text.encode()).decode()
    assert api.invoke(records(s3(key="in+2024/%C3%BC.json"))) == {"records": 1, "rejected": 0}
    assert failures(api.invoke(records(sqs("1", "one"), sqs("2", "zwei ü", MessageGroupId="g")))) == []
    assert failures(api.invoke(records(kinesis("1", encode("bytes"), "key")))) == []
    assert api.invoke(records(lambda_side.sns("m", "hello"))) == {"records": 1, "rejected": 0}
    assert api.invoke(lambda_side.event_bridge("e", {"price": 1.5}))["records"] == 1
    answer = api.invoke(lambda_side.api_v2('{"a":1}'))
    assert answer["statusCode"] == 200 and json.loads(answer["body"]) == {"accepted": 1, "rejected": 0}
    assert api.invoke({"plain": True})["records"] == 1
    names = ("s3", "sqs", "kinesis", "sns", "eventbridge", "api", "event")
    found = {}
    for topic, key, value, headers in consume(broker.address, [f"aws-{name}" for name in names], 8):
        found.setdefault(topic, []).append((key, value, headers))
    one = json.loads(found["aws-s3"][0][1])
    assert (one["bucket"], one["key"], one["size"], one["event"]) == ("b", "in 2024/ü.json", 3, "ObjectCreated:Put")
    assert found["aws-s3"][0][0].decode() == "b/in 2024/ü.json"
    assert {(key, value.decode()) for key, value, _ in found["aws-sqs"]} == {(None, "one"), (b"g", "zwei ü")}
    assert found["aws-kinesis"][0][:2] == (b"key", b"bytes")
    assert found["aws-sns"][0][1] == b"hello" and found["aws-sns"][0][2]["ce_id"] == b"m"
    assert json.loads(found["aws-eventbridge"][0][1]) == {"price": 1.5}
    assert found["aws-eventbridge"][0][2]["ce_type"] == b"aws.eventbridge.Order placed"
    assert found["aws-api"][0][1] == b'{"a":1}'
    assert json.loads(found["aws-event"][0][1]) == {"plain": True}


def test_a_malformed_and_a_too_large_item_are_rejected_and_their_neighbours_arrive(function, api, broker):
    function()
    large = "".join(f"{n:x}" for n in range(700_000))[:3_000_000]
    broken = {"messageId": "2", "eventSource": "aws:sqs"}
    answer = api.invoke(records(sqs("1", "first"), broken, sqs("3", large), sqs("4", "last")))
    assert failures(answer) == []
    assert {value for _, _, value, _ in consume(broker.address, ["events"], 2)} == {b"first", b"last"}
    rejects = {reject["origin"]: reject for reject in
               (json.loads(value) for _, _, value, _ in consume(broker.address, ["__rejected"], 2))}
    assert rejects["2"]["reason"] == "malformed" and json.loads(base64.b64decode(rejects["2"]["bytes"])) == broken
    assert rejects["3"]["reason"] == "oversized" and rejects["3"]["truncated_from"] == len(large)


def test_what_cannot_be_delivered_in_time_is_answered_as_failed_before_the_deadline(tmp_path, package, api):
    broker = Broker(tmp_path, "auto.create.topics.enable=false").start()
    make_topic(broker.address, "there")
    folder = lambda_side.unpack(package, tmp_path / "task")
    lambda_side.Function(folder, api, TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="{name}").start()
    begun = time.monotonic()
    answer = api.invoke(records(sqs("1", "a", "there"), sqs("2", "b", "nowhere"), sqs("3", "c", "there")), seconds=4)
    assert time.monotonic() - begun < 4
    assert failures(answer) == ["2"]
    assert [value for _, _, value, _ in consume(broker.address, ["there"], 2)] == [b"a", b"c"]


def make_topic(address, name):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic(name, 1)]).values():
        made.result(30)


def test_a_broker_that_was_killed_fails_the_invocation_and_gets_the_retry(function, api, broker):
    function()
    assert failures(api.invoke(records(sqs("1", "before")))) == []
    broker.kill()
    kind, body, error = api.answer(api.begin(records(sqs("2", "while")), seconds=3))
    assert (kind, error) == ("error", "Tailrace.NotDelivered")
    assert body["errorType"] == error and "not acknowledged in time" in body["errorMessage"]
    broker.start()
    assert failures(api.invoke(records(sqs("2", "while")))) == []
    values = [value for _, _, value, _ in consume(broker.address, ["events"], 2)]
    assert values[0] == b"before" and set(values[1:]) == {b"while"}


def test_the_function_killed_again_and_again_loses_nothing_that_lambda_delivers_again(function, api, broker):
    process, wanted = function(), []
    for number in range(tailrace.KILLS):
        batch = records(*(sqs(f"{number}-{i}", f"{number}-{i}") for i in range(200)))
        wanted += [one["body"] for one in batch["Records"]]
        request = api.begin(batch)
        time.sleep(0.002 * number)
        process.kill()
        process.start()
        if request not in api.answers:  # Lambda gives it to the next process
            assert failures(api.invoke(batch)) == []
    found = consume(broker.address, ["events"], len(wanted), distinct=True)
    assert {value.decode() for _, _, value, _ in found} == set(wanted)


def test_the_runtime_api_gone_ends_the_function(function, api):
    process = function()
    api.invoke({"a": 1})
    api.close()
    assert process.process.wait(timeout=30) == 1
    assert "127.0.0.1" in process.log.read_text()


@pytest.mark.parametrize("environment, what", [
    ({"TAILRACE_TOPIC": ""}, "TAILRACE_TOPIC"),
    ({"TAILRACE_KAFKA": ""}, "TAILRACE_KAFKA"),
    ({"TAILRACE_KAFKA_SASL_PASSWORT": "hunter2"}, "sasl.passwort"),
    ({"TAILRACE_ENVELOPE": "both"}, "TAILRACE_ENVELOPE"),
])
def test_a_wrong_setting_is_an_init_error_that_names_it(function, api, environment, what):
    process = function(**environment)
    kind, body, error = api.answer("init")
    assert (kind, error) == ("error", "Tailrace.Settings")
    assert what in body["errorMessage"] and "hunter2" not in body["errorMessage"]
    assert process.process.wait(timeout=30) == 1


def test_the_package_tells_the_function_of_its_project(tmp_path, broker, api):
    project = tmp_path / "project"
    project.mkdir()
    (project / "tailrace.yml").write_text(
        "topics: {users: {}}\nlambda:\n  kafka: kafka://${BROKER}\n  topic: from_the_package\n  key: $.id\n"
        "  envelope: event\n  files: [notes.txt]\n")
    (project / "notes.txt").write_text("x")
    folder = lambda_side.unpack(lambda_side.package(tmp_path, project), tmp_path / "task")
    assert sorted(path.name for path in folder.iterdir()) == ["bootstrap", "notes.txt", "tailrace.yml"]
    lambda_side.Function(folder, api, BROKER=broker.address).start()
    assert failures(api.invoke(records(sqs("m", '{"id": 7, "price": 1.10}')))) == []
    topic, key, value, _ = consume(broker.address, ["from_the_package"], 1)[0]
    assert (key, json.loads(value)["payload"], json.loads(value)["id"]) == (b"7", {"id": 7, "price": 1.1}, "m")
    assert b'"payload":{"id": 7, "price": 1.10}' in value, "letter for letter"


def test_the_zip_is_what_lambda_takes_and_always_the_same(tmp_path, package):
    with zipfile.ZipFile(package) as archive:
        assert archive.testzip() is None
        info = archive.getinfo("bootstrap")
        assert info.external_attr >> 16 == 0o100755 and info.create_system == 3
    assert package.stat().st_size < 50 << 20 and info.file_size < 250 << 20
    assert lambda_side.package(tmp_path).read_bytes() == package.read_bytes()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may change the root")
def test_the_function_runs_where_nothing_is_but_its_package(tmp_path, package, broker, api):
    root = tmp_path / "root"
    lambda_side.unpack(package, root / "var" / "task")
    function = lambda_side.Function(root / "var" / "task", api, root=root, words=["/var/task/bootstrap"],
                                    TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="events",
                                    LAMBDA_TASK_ROOT="/var/task")
    function.start()
    assert api.invoke({"a": 1}) == {"records": 1, "rejected": 0}
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == ["bootstrap", "function.log"]


def test_the_whole_program_is_a_function_too(tmp_path, broker, api):
    linked = tmp_path / "bootstrap"
    linked.symlink_to(tailrace.PROGRAM)
    for words in ([str(linked)], [str(tailrace.PROGRAM), "lambda", "run"]):
        function = lambda_side.Function(tmp_path, api, words=words, TAILRACE_KAFKA=broker.address,
                                        TAILRACE_TOPIC="events").start()
        assert api.invoke({"a": 1}) == {"records": 1, "rejected": 0}
        function.kill()


def refused(*words):
    done = subprocess.run([tailrace.PROGRAM, "lambda", "package", *map(str, words)], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_a_program_that_lambda_could_not_run_is_refused_with_what_to_do(tmp_path):
    out = tmp_path / "x.zip"
    assert "--binary FILE" in refused("--arch", "arm64", "-o", out)
    assert "shared libraries" in refused("--binary", tailrace.PROGRAM, "-o", out)
    assert "no 64-bit program" in refused("--binary", __file__, "-o", out)
    assert "no folder" in refused(tmp_path / "nowhere", "-o", out)
    assert not out.exists()


def test_the_template_asks_for_partial_answers(tmp_path):
    done = subprocess.run([tailrace.PROGRAM, "lambda", "package", "--template"], capture_output=True, text=True,
                          timeout=60)
    yaml.SafeLoader.add_constructor("!Ref", lambda loader, node: {"Ref": loader.construct_scalar(node)})
    template = yaml.safe_load(done.stdout)
    properties = template["Resources"]["Events"]["Properties"]
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    for name in ("Queue", "Stream"):
        assert properties["Events"][name]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


class Objects(http.server.BaseHTTPRequestHandler):
    """S3, as far as an object is read of it; what is asked must be signed."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        by = self.headers.get("Authorization", "")
        signed = by.startswith("AWS4-HMAC-SHA256 Credential=AKID/")
        body = self.server.objects.get(self.path) if signed else None
        if body is None:
            code = "NoSuchKey" if signed else "AccessDenied"
            text = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(404 if signed else 403)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        self.send_response(200)
        if self.path.endswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 1000):
                piece = body[at:at + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if self.path.endswith("cut") else body)
        self.close_connection = True


@pytest.fixture
def objects():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Objects)
    server.daemon_threads = True
    server.objects = {}
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_objects_lines_are_records(function, api, broker, objects):
    lines = [json.dumps({"n": n}).encode() for n in range(5000)]
    objects.objects = {"/b/plain%20one": b"\n".join(lines[:2000]),
                       "/b/packed.gz": gzip.compress(b"\n".join(lines[2000:4000])),
                       "/b/chunked": b"\r\n".join(lines[4000:]) + b"\r\n", "/b/cut": b"\n".join(lines)}
    function(TAILRACE_S3="lines", AWS_ENDPOINT_URL=f"http://127.0.0.1:{objects.server_address[1]}",
             AWS_ACCESS_KEY_ID="AKID", AWS_SECRET_ACCESS_KEY="s", AWS_REGION="us-east-1")
    keys = ("plain+one", "packed.gz", "chunked")
    assert api.invoke(records(*(s3(key=key) for key in keys))) == {"records": 5000, "rejected": 0}
    assert {value for _, _, value, _ in consume(broker.address, ["events"], 5000)} == set(lines)
    assert api.invoke(records(s3(key="gone"))) == {"records": 0, "rejected": 1}
    reject = json.loads(consume(broker.address, ["__rejected"], 1)[0][2])
    assert reject["reason"] == "object" and "NoSuchKey" in reject["detail"]
    kind, body, _ = api.answer(api.begin(records(s3(key="cut"))))
    assert kind == "error", body


def test_a_request_that_holds_a_secret_keeps_it_out_of_the_topic(function, api, broker):
    function(TAILRACE_ENVELOPE="event")
    api.invoke(lambda_side.api_v2("x", Authorization="Bearer hunter2", Cookie="hunter2", accept="*/*"))
    value = consume(broker.address, ["events"], 1)[0][2]
    assert b"hunter2" not in value and json.loads(value)["metadata"]["headers"] == {"accept": "*/*"}
