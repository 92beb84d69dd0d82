"""The packaged function in AWS Lambda's own runtime emulator, writing to our broker and to a real Kafka."""
import base64
import json
import os

import emulator
import lambda_side
import pytest
import tailrace
from broker import Broker
from kafka_side import JARS, RealKafka
from lambda_side import consume, kinesis, records, s3, sqs

pytestmark = pytest.mark.skipif(not emulator.PROGRAM, reason=emulator.SKIP)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lambda")
    return lambda_side.unpack(lambda_side.package(folder), folder / "task")


def everything(emulated):
    """One event of each kind; how many records they are."""
    data = base64.b64encode(b"stream").decode()
    assert emulated.invoke({"plain": 1}) == {"records": 1, "rejected": 0}
    assert emulated.invoke(records(s3())) == {"records": 1, "rejected": 0}
    assert emulated.invoke(records(sqs("1", "a"), sqs("2", "b"))) == {"batchItemFailures": []}
    assert emulated.invoke(records(kinesis("1", data))) == {"batchItemFailures": []}
    assert emulated.invoke(records(lambda_side.sns("1", "note"))) == {"records": 1, "rejected": 0}
    assert emulated.invoke(lambda_side.event_bridge("1", {"a": 1})) == {"records": 1, "rejected": 0}
    assert emulated.invoke(lambda_side.api_v2("body"))["statusCode"] == 200
    return 8


@pytest.mark.smoke
def test_each_kind_of_event_becomes_records_in_less_than_forty_megabytes(task, tmp_path):
    broker = Broker(tmp_path).start()
    emulated = emulator.Emulator(task, TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="events").start()
    count = everything(emulated)
    values = [value for _, _, value, _ in consume(broker.address, ["events"], count)]
    assert {b'{"plain": 1}', b"a", b"b", b"stream", b"note", b'{"a": 1}', b"body"} < set(values)
    assert emulated.memory_kb() < 40 * 1024
    emulated.kill()


@pytest.mark.skipif(not JARS, reason="Kafka is fetched by ./dev real")
def test_a_real_kafka_gets_the_same(task, tmp_path):
    kafka = RealKafka(tmp_path).start()
    emulated = emulator.Emulator(task, TAILRACE_KAFKA=kafka.address, TAILRACE_TOPIC="events").start()
    count = everything(emulated)
    found = consume(kafka.address, ["events"], count)
    assert {headers["ce_type"].decode() for _, _, _, headers in found} == {
        "aws.event", "aws.s3.ObjectCreated:Put", "aws.sqs.message", "aws.kinesis.record", "aws.sns.Notification",
        "aws.eventbridge.Order placed", "aws.api.POST"}
    large = "".join(f"{n:x}" for n in range(500_000))[:2_500_000]
    assert emulated.invoke(records(sqs("1", "small"), sqs("2", large))) == {"batchItemFailures": []}
    reject = json.loads(consume(kafka.address, ["__rejected"], 1)[0][2])
    assert (reject["reason"], reject["origin"]) == ("oversized", "2")
    emulated.kill()
    kafka.stop()


def test_the_emulator_killed_in_the_middle_loses_nothing_that_is_invoked_again(task, tmp_path):
    broker = Broker(tmp_path).start()
    wanted = set()
    for number in range(tailrace.KILLS):
        emulated = emulator.Emulator(task, TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="events").start()
        batch = records(*(sqs(f"{number}-{i}", f"{number}-{i}") for i in range(100)))
        wanted |= {one["body"].encode() for one in batch["Records"]}
        assert emulated.invoke(batch) == {"batchItemFailures": []}
        emulated.kill()
    assert {value for _, _, value, _ in consume(broker.address, ["events"], len(wanted))} == wanted


def test_a_broker_that_is_away_fails_the_invocation_in_time_and_what_is_wrong_is_said(task, tmp_path):
    broker = Broker(tmp_path).start()
    emulated = emulator.Emulator(task, timeout=4, TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="events").start()
    assert emulated.invoke({"n": 1})["records"] == 1
    broker.kill()
    answer = emulated.invoke({"n": 2})
    assert answer["errorType"] == "Tailrace.NotDelivered", answer
    broker.start()
    assert emulated.invoke({"n": 2})["records"] == 1
    emulated.kill()
    wrong = emulator.Emulator(task, TAILRACE_KAFKA=broker.address).start()
    answer = wrong.invoke({"n": 1})
    assert "TAILRACE_TOPIC" in answer["errorMessage"], answer
    wrong.kill()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may change the root")
def test_the_packages_function_needs_nothing_of_the_machine(task):
    """Everything that the function's program names is in itself: no interpreter, no library."""
    program = (task / "bootstrap").read_bytes()
    assert b"/lib64/ld-linux" not in program[:4096]
