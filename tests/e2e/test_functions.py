"""Lambda's Invoke API over a project's functions: its shapes, its errors, calls that outlive the program; boto3 and
the AWS CLI call it as they call AWS."""
import base64
import json
import os
import subprocess
import sys
import time

import pytest

import tailrace
from test_hooks import SQL, Door, values

INVOKE = "/2015-03-31/functions/{}/invocations"
SCORE = '''
import os

def handler(event, context):
    print("scoring", event.get("id"))
    if "fail" in event:
        raise KeyError(event["fail"])
    if "many" in event:
        return [{"id": n} for n in range(event["many"])]
    return {"score": len(event["id"]), "model": os.environ["MODEL"], "request": context.aws_request_id}
'''
ORDER = """SELECT e.id, e.n * 2 AS twice
FROM (SELECT from_json(value, 'id STRING, n INT') AS e FROM event)
"""


def function_project(folder, **more):
    project = tailrace.with_sql(folder, SQL, json.dumps({
        "topics": {"orders": {"partitions": 1, "format": "json"}},
        "ingest": [{"name": "shop", "topic": "orders", "use": "webhook", "key": "$.id"}],
        "functions": {
            "score": {"python": "hooks/score.py", "memory": "512MB", "environment": {"MODEL": "m1"},
                      "retry_after": "10ms"},
            "score_in": {"python": "hooks/score.py", "memory": "512MB", "ingest": "shop"},
            "double": {"sql": "hooks/order.sql"},
            "double_one": {"sql": "hooks/order.sql", "answer": "row"},
            "double_in": {"sql": "hooks/order.sql", "ingest": "shop"},
            "take": {"ingest": "shop"}}} | more))
    (project.folder / "hooks").mkdir()
    (project.folder / "hooks" / "score.py").write_text(SCORE)
    (project.folder / "hooks" / "order.sql").write_text(ORDER)
    return project


@pytest.fixture
def project(tmp_path):
    made = function_project(tmp_path).start()
    yield made
    if not made.ended():
        made.kill()


def invoke(door, name, event, **headers):
    body = event if isinstance(event, (str, bytes)) else json.dumps(event)
    end = time.monotonic() + 30
    while True:
        status, text, got = door.raw("POST", INVOKE.format(name), body, **headers)
        if status != 500 or time.monotonic() > end:  # the source has not started yet
            return status, json.loads(text) if text else None, got
        time.sleep(0.02)


def test_python_and_sql_answer_and_fail_as_lambdas_do(project):
    door = Door(project)
    status, answer, headers = invoke(door, "score", {"id": "abc"}, X_Amz_Log_Type="Tail")
    assert (status, answer["score"], answer["model"]) == (200, 3, "m1")
    assert headers["x-amzn-RequestId"] == answer["request"] and headers["X-Amz-Executed-Version"] == "$LATEST"
    log = base64.b64decode(headers["X-Amz-Log-Result"]).decode()
    assert f"START RequestId: {answer['request']} Version: $LATEST\nscoring abc\nEND" in log
    assert "Memory Size: 512 MB" in log
    status, answer, headers = invoke(door, "score", {"fail": "x"})
    assert (status, headers["X-Amz-Function-Error"], answer["errorType"]) == (200, "Unhandled", "KeyError")
    assert invoke(door, "double", {"id": "a", "n": 4})[1] == [{"id": "a", "twice": 8}]
    assert invoke(door, "double_one", {"id": "a", "n": 4})[1] == {"id": "a", "twice": 8}
    whole = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Adouble_one%3A$LATEST"
    assert invoke(door, whole, {"n": 1})[1] == {"id": None, "twice": 2}


PAIRS = """SELECT count(*) AS pairs
FROM (SELECT explode(sequence(1, 100000)) AS n FROM event) a
  JOIN (SELECT explode(sequence(1, 100000)) AS n FROM event) b
  ON a.n % 2 = b.n % 2
"""


def test_sql_that_takes_too_long_ends_as_python_does_and_the_next_call_is_answered(tmp_path):
    project = function_project(tmp_path)
    text = json.loads((project.folder / "tailrace.yml").read_text())
    text["functions"]["pairs"] = {"sql": "hooks/pairs.sql", "timeout": "100ms"}
    (project.folder / "tailrace.yml").write_text(json.dumps(text))
    (project.folder / "hooks" / "pairs.sql").write_text(PAIRS)
    door = Door(project.start())
    status, answer, headers = invoke(door, "pairs", {})
    assert (status, headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert answer == {"errorType": "Sandbox.Timedout", "errorMessage":
                      f"RequestId: {headers['x-amzn-RequestId']} Error: Task timed out after 0.10 seconds"}
    assert invoke(door, "double_one", {"id": "a", "n": 4})[1] == {"id": "a", "twice": 8}
    told = json.loads(door.raw("GET", "/2015-03-31/functions/pairs")[1])
    assert told["Configuration"]["Timeout"] == 1
    project.stop()


def test_what_functions_give_to_a_source_is_in_its_topic(project):
    door = Door(project)
    assert invoke(door, "take", {"id": "taken"})[1] == {"records": 1}
    assert invoke(door, "double_in", {"id": "doubled", "n": 4})[1] == {"records": 1}
    assert invoke(door, "score_in", {"id": 0, "many": 3})[1] == {"records": 3}
    assert sorted(str(one["id"]) for one in values(project)) == ["0", "1", "2", "doubled", "taken"]


def test_refusals_have_lambdas_shapes(project):
    door = Door(project)

    def refused(name, body, **headers):
        status, answer, got = invoke(door, name, body, **headers)
        return status, got["x-amzn-ErrorType"], answer["Message"]

    arn = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    assert refused("nobody", "{}") == (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert refused("take:7", "{}")[0] == 404
    assert refused("take", "{")[:2] == (400, "InvalidRequestContentException")
    assert refused("take", "{}", X_Amz_Invocation_Type="Later")[:2] == (400, "ValidationException")
    large = json.dumps("x" * 1_048_576)
    assert refused("take", large, X_Amz_Invocation_Type="Event")[:2] == (413, "RequestTooLargeException")
    assert refused("take", json.dumps("x" * 6_291_456))[:2] == (413, "RequestTooLargeException")
    assert invoke(door, "take", "{}", X_Amz_Invocation_Type="DryRun")[:2] == (204, None)
    assert values(project) == []


def test_calls_that_nobody_waits_for_outlive_a_kill_and_end_as_dead_letters(tmp_path):
    project = function_project(tmp_path).start()
    door = Door(project)
    event = {"X_Amz_Invocation_Type": "Event"}
    for number in range(20):
        assert invoke(door, "take", {"id": f"event-{number}"}, **event)[:2] == (202, None)
    assert invoke(door, "score", {"fail": "always"}, **event)[0] == 202
    project.kill()
    project.start()
    tailrace.wait_until(lambda: len({one["id"] for one in values(project)}) == 20, "each call")
    letters = tailrace.wait_until(
        lambda: project.sql("SELECT flow, reason, detail, record FROM system.dead_letters"), "the dead letter")
    assert [one["reason"] for one in letters] == ["function"]
    assert "KeyError" in letters[0]["detail"] and json.loads(letters[0]["record"]) == {"fail": "always"}
    assert len(values(project)) == 20  # each once: its id is that of the request
    project.stop()


def test_boto3_lists_and_calls(project):
    boto3 = pytest.importorskip("boto3")
    Door(project)
    client = boto3.client("lambda", endpoint_url=project.hooks(), region_name="us-east-1", aws_access_key_id="any",
                          aws_secret_access_key="thing")
    names = [one["FunctionName"] for one in client.list_functions()["Functions"]]
    assert names == ["double", "double_in", "double_one", "score", "score_in", "take"]
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert [one["FunctionName"] for page in pages for one in page["Functions"]] == names
    found = client.get_function(FunctionName="score")["Configuration"]
    assert (found["Handler"], found["MemorySize"], found["Timeout"]) == ("score.handler", 512, 3)
    done = client.invoke(FunctionName="score", Payload=json.dumps({"id": "four"}), LogType="Tail")
    assert json.load(done["Payload"])["score"] == 4 and done["ExecutedVersion"] == "$LATEST"
    assert b"scoring four" in base64.b64decode(done["LogResult"])
    done = client.invoke(FunctionName=found["FunctionArn"], Payload=json.dumps({"fail": "x"}))
    assert done["FunctionError"] == "Unhandled" and json.load(done["Payload"])["errorType"] == "KeyError"
    assert client.invoke(FunctionName="take", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    assert client.invoke(FunctionName="take", InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found"):
        client.invoke(FunctionName="nobody")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="take", Payload=b"{")


def test_keys_are_checked_where_the_project_has_them(tmp_path):
    boto3 = pytest.importorskip("boto3")
    project = function_project(tmp_path, invoke={"access_key": "AKIDOURS", "secret_key": "our/secret"}).start()
    Door(project)

    def client(key, secret):
        return boto3.client("lambda", endpoint_url=project.hooks(), region_name="eu-west-1", aws_access_key_id=key,
                            aws_secret_access_key=secret)

    ours = client("AKIDOURS", "our/secret")
    arn = ours.get_function(FunctionName="double_one")["Configuration"]["FunctionArn"]
    done = ours.invoke(FunctionName=arn, Qualifier="$LATEST", Payload=b'{"n": 3}')
    assert json.load(done["Payload"]) == {"id": None, "twice": 6}
    for key, secret in (("AKIDOURS", "another"), ("AKIDOTHER", "our/secret")):
        theirs = client(key, secret)
        with pytest.raises(theirs.exceptions.ClientError) as refused:
            theirs.list_functions()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    project.stop()


def test_the_aws_cli_lists_and_calls(project, tmp_path):
    pytest.importorskip("awscli")
    Door(project)
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "thing",
                                "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null"}

    def aws(*words):
        done = subprocess.run([sys.executable, "-m", "awscli", "lambda", *words, "--endpoint-url", project.hooks()],
                              env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert len(aws("list-functions")["Functions"]) == 6
    answer = tmp_path / "answer.json"
    said = aws("invoke", "--function-name", "double", "--payload", '{"id": "cli", "n": 21}', str(answer))
    assert said == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(answer.read_text()) == [{"id": "cli", "twice": 42}]


def test_mistakes_of_functions_are_told_with_their_place(tmp_path):
    project = function_project(tmp_path)
    for wrong, told in (({"python": "hooks/none.py"}, "none.py"), ({"ingest": "shpo"}, "did you mean `shop`?"),
                        ({"python": "hooks/score.py", "timeout": "3h"}, "1ms to 15m"),
                        ({"sql": "hooks/order.sql", "timeout": "3h"}, "1ms to 15m"),
                        ({"ingest": "shop", "timeout": "3s"}, "`python` or `sql`"),
                        ({"python": "hooks/score.py", "handler": "other.handler"}, "score.NAME"),
                        ({"sql": "hooks/order.sql", "memory": "1GB"}, "`python`"), ({}, "`sql: FILE`")):
        text = json.loads((project.folder / "tailrace.yml").read_text())
        text["functions"] = {"wrong": wrong}
        other = project.folder / "tailrace.yml"
        before = other.read_text()
        other.write_text(json.dumps(text))
        done = project.command("check", project.folder)
        other.write_text(before)
        assert done.returncode == 1 and told in done.stderr and "tailrace.yml:" in done.stderr, done.stderr


def test_a_module_that_was_written_is_loaded_before_the_next_call(project):
    door = Door(project)
    assert invoke(door, "score", {"id": "abc"})[1]["score"] == 3
    path = project.folder / "hooks" / "score.py"
    path.write_text(SCORE.replace('len(event["id"])', "7"))
    assert invoke(door, "score", {"id": "abc"})[1]["score"] == 7
    (path.parent / "weights.py").write_text("WEIGHT = 1\n")
    path.write_text("import weights\n" + SCORE.replace('len(event["id"])', "weights.WEIGHT"))
    assert invoke(door, "score", {"id": "abc"})[1]["score"] == 1
    (path.parent / "weights.py").write_text("WEIGHT = 2\n")
    assert invoke(door, "score", {"id": "abc"})[1]["score"] == 2
