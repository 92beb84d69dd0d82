"""Objects of a bucket on a real MinIO: each content once through kills of the program and of MinIO, notified by its own
webhook or listed; and S3KeySensor."""
import concurrent.futures
import json
import os
import random
import time

import bucket_side
import minio_side
import ports
import pytest
import tailrace
from bucket_side import BucketProject, lines

OBJECTS = int(os.environ.get("TAILRACE_OBJECTS", "3000"))
SEED = int(os.environ.get("TAILRACE_SEED", "1"))


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    if not minio_side.MINIO:
        pytest.skip(minio_side.SKIP)
    server = minio_side.RealMinio(tmp_path_factory.mktemp("minio")).start()
    yield server
    server.kill()


names = iter(f"inbox-{i}" for i in range(1000))


@pytest.fixture
def bucket(minio):
    name = next(names)
    s3 = minio.client()
    s3.create_bucket(Bucket=name)
    return s3, name


def put(bucket, key, body):
    bucket[0].put_object(Bucket=bucket[1], Key=key, Body=body)


def project(tmp_path, minio, bucket, prefix="", **options):
    return BucketProject(tmp_path, minio.url, url=f"s3://{bucket[1]}/{prefix}", **options)


def test_each_object_is_read_once_through_ten_kills(tmp_path, minio, bucket):
    """TAILRACE_OBJECTS of them, of two records each, put there while the program is killed again and again."""
    rng = random.Random(SEED)
    keys = [f"in/{rng.random()}.jsonl" for _ in range(OBJECTS)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        filling = [pool.submit(put, bucket, key, lines(2 * i, 2)) for i, key in enumerate(keys)]
        p = project(tmp_path, minio, bucket, "in/")
        for _ in range(10):
            p.start()
            time.sleep(0.3 + rng.random() * OBJECTS / 2000)
            p.kill()
        for one in filling:
            one.result()
    p.start()
    p.expect(range(2 * OBJECTS), seconds=1200)
    p.stop()


def test_what_minio_tells_by_its_webhook_is_read_once_through_kills(tmp_path, monkeypatch):
    """Nothing is listed. MinIO keeps what it could not tell (its queue_dir), and tells it again."""
    if not minio_side.MINIO:
        pytest.skip(minio_side.SKIP)
    [port] = ports.free(1)
    at = tailrace.FREE_PORTS.index("--hooks") + 1
    monkeypatch.setattr(tailrace, "FREE_PORTS",
                        (*tailrace.FREE_PORTS[:at], f"127.0.0.1:{port}", *tailrace.FREE_PORTS[at + 1:]))
    monkeypatch.setenv("HOOK_TOKEN", "senders-word")
    (tmp_path / "minio").mkdir()
    told = {"ENABLE": "on", "ENDPOINT": f"http://127.0.0.1:{port}/hooks/objects", "QUEUE_DIR": str(tmp_path / "queue"),
            "AUTH_TOKEN": "senders-word"}
    server = minio_side.RealMinio(
        tmp_path / "minio", **{f"MINIO_NOTIFY_WEBHOOK_{name}_TAILRACE": value for name, value in told.items()}).start()
    s3 = server.client()
    s3.create_bucket(Bucket="told")
    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": "arn:minio:sqs::TAILRACE:webhook", "Events": ["s3:ObjectCreated:*"],
         "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}]})
    bucket = s3, "told"
    (tmp_path / "run").mkdir()
    p = project(tmp_path / "run", server, bucket, "in/", notify="webhook", token="${HOOK_TOKEN}", every="none")
    p.start()
    for i in range(60):
        put(bucket, f"in/{i} é.jsonl", lines(2 * i, 2))
    p.expect(range(120))
    for kill in range(5):
        p.kill()
        for i in range(60 + 30 * kill, 90 + 30 * kill):
            put(bucket, f"in/{i}.jsonl", lines(2 * i, 2))
        p.start()
    p.expect(range(2 * 210), seconds=180)
    assert not p.letters()
    p.stop()
    server.kill()


def test_minio_may_be_away_and_come_back(tmp_path, minio, bucket):
    for i in range(200):
        put(bucket, f"{i:03}.jsonl", lines(i, 1))
    p = project(tmp_path, minio, bucket, parallel="2").start()
    minio.kill()
    p.why("connection refused")
    minio.start()
    p.expect(range(200))
    p.stop()


def test_keys_of_every_kind_are_read(tmp_path, minio, bucket):
    keys = ["a b.json", "a+b.json", "a%20b.json", "ä/ö ü.json", "a&b=c?d#e.json", "q'\"<>.json", "tab\there.json",
            "in/very/deep/" + "x" * 200 + ".json", "日本語.json", "a;b,c@d!e$f*g(h).json"]
    for i, key in enumerate(keys):
        put(bucket, key, json.dumps({"n": i}))
    p = project(tmp_path, minio, bucket).start()
    p.expect(range(len(keys)))
    p.stop()


def test_a_large_object_comes_in_parts_and_is_one_content(tmp_path, minio, bucket):
    body = b"".join(json.dumps({"n": n, "pad": "x" * 200}).encode() + b"\n" for n in range(150_000))
    put(bucket, "large.jsonl", body)
    p = project(tmp_path, minio, bucket).start()
    p.expect(range(150_000), seconds=120)
    p.stop()


def allow(s3, name, *resources):
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
         "Resource": [f"arn:aws:s3:::{name}"]},
        {"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"],
         "Resource": [f"arn:aws:s3:::{name}/{one}" for one in resources]}]}))


def test_what_may_not_be_read_is_put_off_and_its_neighbours_are_read(tmp_path, minio, bucket, monkeypatch):
    """A public bucket, without keys; one folder of it is not public until later."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    s3, name = bucket
    allow(s3, name, "open/*")
    put(bucket, "closed/a.jsonl", lines(0, 2))
    for i in range(1, 30):
        put(bucket, f"open/{i:02}.jsonl", lines(2 * i, 2))
    p = project(tmp_path, minio, bucket)
    del p.options["access_key"], p.options["secret_key"]
    p.write_settings()
    p.start()
    p.expect(range(2, 60))
    p.why("closed/a.jsonl", "AccessDenied")
    allow(s3, name, "*")
    p.expect(range(60), seconds=150)
    assert not p.letters()
    p.stop()


def test_what_was_read_is_moved_unless_it_was_overwritten(tmp_path, minio, bucket):
    s3, name = bucket
    for i in range(40):
        put(bucket, f"in/{i}.jsonl", lines(i, 1))
    p = project(tmp_path, minio, bucket, "in/", after="move:done/").start()
    p.expect(range(40))

    def keys():
        return sorted(o["Key"] for o in s3.list_objects_v2(Bucket=name).get("Contents", []))
    tailrace.wait_until(lambda: keys() == sorted(f"done/{i}.jsonl" for i in range(40)), "moved objects")
    p.stop()


def test_a_sensor_of_a_workflow_sees_a_key(tmp_path, minio, bucket, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({
        "conn_type": "aws", "login": bucket_side.KEY, "password": bucket_side.SECRET,
        "extra": {"endpoint_url": minio.url, "region_name": "us-east-1"}}))
    p = project(tmp_path, minio, bucket)
    (p.folder / "dags").mkdir()
    (p.folder / "dags" / "keys.yml").write_text(json.dumps({"keys": {
        "schedule": None, "start_date": "2026-01-01",
        "tasks": [
            {"task_id": "one", "operator": "airflow.providers.amazon.aws.sensors.s3.S3KeySensor",
             "bucket_key": f"s3://{bucket[1]}/in/a b.json", "poke_interval": 0.1, "timeout": 5},
            {"task_id": "some", "operator": "airflow.providers.amazon.aws.sensors.s3.S3KeySensor",
             "bucket_name": bucket[1], "bucket_key": "in/*.json", "wildcard_match": True, "poke_interval": 0.1,
             "timeout": 5, "dependencies": ["one"]}]}}))
    missing = p.command("dags", "test", "keys", "--project", p.folder)
    assert missing.returncode != 0, missing.stdout
    put(bucket, "in/a b.json", "{}")
    found = p.command("dags", "test", "keys", "--project", p.folder)
    assert found.returncode == 0, found.stdout + found.stderr
