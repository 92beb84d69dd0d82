"""Objects of a bucket, put there by AWS's own client on moto's S3 and SQS: each content once, whatever happens."""
import concurrent.futures
import gzip
import io
import json
import random
import time

import bucket_side
import pyarrow as pa
import pyarrow.parquet as pq
import ports
import pytest
import tailrace
import zstandard
from bucket_side import BucketProject, lines


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    server = bucket_side.Moto(tmp_path_factory.mktemp("moto"))
    yield server
    server.close()


names = iter(f"inbox-{i}" for i in range(1000))


@pytest.fixture
def bucket(moto):
    """A bucket of its own: (client, name)."""
    s3 = moto.client("s3")
    name = next(names)
    s3.create_bucket(Bucket=name)
    return s3, name


def put(bucket, key, body):
    s3, name = bucket
    return s3.put_object(Bucket=name, Key=key, Body=body)["ETag"].strip('"')


def project(tmp_path, moto, bucket, prefix="", **options):
    return BucketProject(tmp_path, moto.url, url=f"s3://{bucket[1]}/{prefix}", **options)


def test_every_format_is_read_and_what_comes_later_too(tmp_path, moto, bucket):
    put(bucket, "a.jsonl", lines(0, 3))
    put(bucket, "b.json", json.dumps([{"n": 3}, {"n": 4}]))
    put(bucket, "c.csv", "n,s\n5,x\n6,y\n")
    put(bucket, "d.jsonl.gz", gzip.compress(lines(7, 2)))
    put(bucket, "e.csv.zst", zstandard.compress(b"n\n9\n"))
    table = io.BytesIO()
    pq.write_table(pa.table({"n": [10, 11]}), table)
    put(bucket, "f.parquet", table.getvalue())
    put(bucket, "g h+i/ü%41.json", b'{"n": 12}')
    put(bucket, "no suffix", b'{"n": 13}\n')
    p = project(tmp_path, moto, bucket).start()
    p.expect(range(14))
    put(bucket, "0-first-by-name.jsonl", lines(14, 2))
    p.expect(range(16))
    assert bucket_side.SECRET not in p.log.read_text()
    p.stop()


def test_once_reads_what_is_there_and_ends(tmp_path, moto, bucket):
    for i in range(30):
        put(bucket, f"{i}.jsonl", lines(i * 3, 3))
    p = project(tmp_path, moto, bucket)
    p.once()
    bucket_side.same([r["n"] for r in p.records()], range(90))
    p.once()
    bucket_side.same([r["n"] for r in p.records()], range(90))


def test_listings_of_several_pages_are_read_to_their_end(tmp_path, moto, bucket):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: put(bucket, f"in/{i:05}.json", json.dumps({"n": i})), range(1100)))
    p = project(tmp_path, moto, bucket, "in/").start()
    p.expect(range(1100), seconds=150)
    p.stop()


def test_prefix_and_pattern_choose_and_hidden_keys_are_left(tmp_path, moto, bucket):
    put(bucket, "in/day=1/a.jsonl", lines(0, 1))
    put(bucket, "in/day=1/a.txt", b"no")
    put(bucket, "in/_tmp/a.jsonl", lines(100, 1))
    put(bucket, "in/.b.jsonl", lines(101, 1))
    put(bucket, "in/folder/", b"")
    put(bucket, "other/a.jsonl", lines(102, 1))
    p = project(tmp_path, moto, bucket, "in/", pattern="**/*.jsonl").start()
    p.expect([0])
    p.stop()


def test_an_overwritten_object_is_read_again_and_the_same_content_is_not(tmp_path, moto, bucket):
    put(bucket, "a.jsonl", lines(0, 2))
    p = project(tmp_path, moto, bucket).start()
    p.expect([0, 1])
    put(bucket, "a.jsonl", lines(0, 2))
    put(bucket, "a2.jsonl", lines(2, 1))
    p.expect([0, 1, 2])
    put(bucket, "a.jsonl", lines(3, 2))
    p.expect(range(5))
    p.stop()


def test_changed_ignore_reads_each_key_once(tmp_path, moto, bucket):
    put(bucket, "a.jsonl", lines(0, 2))
    p = project(tmp_path, moto, bucket, changed="ignore").start()
    p.expect([0, 1])
    put(bucket, "a.jsonl", lines(5, 2))
    put(bucket, "b.jsonl", lines(2, 1))
    p.expect([0, 1, 2])
    p.stop()


def test_start_new_leaves_what_was_there(tmp_path, moto, bucket):
    put(bucket, "a.jsonl", lines(0, 2))
    s3, name = bucket
    stamp = s3.head_object(Bucket=name, Key="a.jsonl")["LastModified"].timestamp()
    tailrace.wait_until(lambda: time.time() >= stamp + 1, "a later second: stamps of a bucket are whole seconds")
    p = project(tmp_path, moto, bucket, start="new").start()
    p.why("no new object")
    put(bucket, "b.jsonl", lines(2, 1))
    p.expect([2])
    p.stop()


def test_a_bad_object_never_stops_its_neighbours(tmp_path, moto, bucket):
    put(bucket, "a.jsonl", lines(0, 1))
    put(bucket, "b.jsonl.gz", gzip.compress(lines(1, 20000))[:-2000])
    put(bucket, "c.txt", b"\x00\x01 no JSON")
    put(bucket, "d.jsonl", b'{"n": 50000}\nnot JSON\n{"n": 50001}\n')
    put(bucket, "e.jsonl", lines(50002, 1))
    put(bucket, "f.parquet", b"PAR1 is not all")
    p = project(tmp_path, moto, bucket).start()
    tailrace.wait_until(lambda: len(p.letters()) == 4, "four dead letters")
    tailrace.wait_until(lambda: {50000, 50001, 50002} <= {r["n"] for r in p.records()}, "the neighbours")
    found = [r["n"] for r in p.records()]
    assert len(found) == len(set(found))
    letters = {letter["origin"]: letter for letter in p.letters()}
    place = f"s3://{bucket[1]}/"
    assert place + "d.jsonl:2" in letters, letters
    assert any(o.startswith(place + "b.jsonl.gz:") for o in letters)
    assert place + "c.txt:1" in letters and place + "f.parquet:1" in letters
    p.stop()


def test_an_object_that_is_gone_before_it_is_read_is_a_dead_letter(tmp_path, moto, bucket):
    """The queue speaks of an object that was removed since, and of one that was overwritten."""
    s3, name = bucket
    sqs = moto.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=event(name, "gone.jsonl", "0123456789abcdef0123456789abcdef", 10))
    etag = put(bucket, "a.jsonl", lines(0, 1))
    sqs.send_message(QueueUrl=queue, MessageBody=event(name, "a.jsonl", "00112233445566778899aabbccddeeff", 9))
    sqs.send_message(QueueUrl=queue, MessageBody=event(name, "a.jsonl", etag, 9))
    p = project(tmp_path, moto, bucket, notify="sqs", queue=queue, every="1h").start()
    p.expect([0], letters=1)
    assert "gone.jsonl" in p.letters()[0]["origin"]
    p.stop()


def event(bucket, key, etag, size, name="ObjectCreated:Put"):
    return json.dumps({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
                                    "eventTime": "2026-11-22T17:41:03.000Z",
                                    "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": size,
                                                                                  "eTag": etag}}}]})


def test_messages_of_a_queue_and_listings_overlap_without_doubles(tmp_path, moto, bucket):
    s3, name = bucket
    sqs = moto.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    put(bucket, "before.jsonl", lines(0, 2))
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    p = project(tmp_path, moto, bucket, notify="sqs", queue=queue, every="300ms").start()
    p.expect(range(2))
    for i in range(1, 40):
        put(bucket, f"{i}.jsonl", lines(2 * i, 2))
    p.expect(range(80))
    sns = json.dumps({"Type": "Notification", "Message": event(name, "39.jsonl", "", 0)})
    sqs.send_message(QueueUrl=queue, MessageBody=sns)
    sqs.send_message(QueueUrl=queue, MessageBody="no news")
    tailrace.wait_until(lambda: sum(map(int, sqs.get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])[
            "Attributes"].values())) == 0, "an empty queue")
    p.expect(range(80), letters=1)
    p.stop()


def test_what_was_read_is_deleted_or_moved(tmp_path, moto, bucket):
    s3, name = bucket
    for i in range(25):
        put(bucket, f"in/{i}.jsonl", lines(i, 1))
    put(bucket, "in/bad.parquet", b"no parquet")
    p = project(tmp_path, moto, bucket, after="move:done/").start()
    p.expect(range(25), letters=1)

    def keys():
        return sorted(o["Key"] for o in s3.list_objects_v2(Bucket=name).get("Contents", []))
    want = sorted([f"done/in/{i}.jsonl" for i in range(25)] + ["in/bad.parquet"])
    tailrace.wait_until(lambda: keys() == want, "moved objects")
    p.stop()
    p.write_settings(after="delete")
    put(bucket, "in/26.jsonl", lines(26, 1))
    p.start()
    tailrace.wait_until(lambda: 26 in [r["n"] for r in p.records()], "the new one")
    tailrace.wait_until(lambda: "in/26.jsonl" not in keys(), "its deletion")
    p.stop()


def test_no_permission_and_no_bucket_are_errors_that_say_what_to_do(tmp_path, moto):
    p = BucketProject(tmp_path, moto.url, url="s3://is-not-there").start()
    p.why("s3://is-not-there", "NoSuchBucket")
    p.stop()
    p.write_settings(endpoint=f"http://127.0.0.1:{ports.free(1)[0]}")
    p.start()
    p.why("connection refused")
    p.stop()


def test_wrong_options_are_named(tmp_path, moto):
    p = BucketProject(tmp_path, moto.url)
    right = dict(p.options)
    for wrong, words in (({"url": "http://x"}, "s3://BUCKET/PREFIX"), ({"notify": "sqs"}, "queue"),
                         ({"after": "burn"}, "move:PREFIX"), ({"start": "tomorrow"}, "2026-11-01T00:00:00Z"),
                         ({"endpoint": "minio:9000"}, "http://HOST:9000"), ({"every": "none"}, "notify")):
        p.options = dict(right)
        p.write_settings(**wrong)
        done = p.command("check", p.folder)
        assert done.returncode != 0 and words in done.stdout + done.stderr, (wrong, done.stdout, done.stderr)


def test_each_object_is_read_once_through_crashes(tmp_path, moto, bucket):
    """Objects come while the process is killed again and again."""
    count = 600
    p = project(tmp_path, moto, bucket, parallel="4").start()
    rng = random.Random(5)
    written = 0
    for kill in range(tailrace.KILLS):
        upto = count * (kill + 1) // tailrace.KILLS
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = [pool.submit(put, bucket, f"{rng.random()}.jsonl", lines(i * 5, 5)) for i in range(written, upto)]
            time.sleep(rng.random() * 0.7)
            p.kill()
            for one in done:
                one.result()
        written = upto
        p.start()
    p.expect(range(count * 5), seconds=120)
    p.stop()


def test_a_large_object_goes_on_where_it_was_through_crashes(tmp_path, moto, bucket):
    """20 MB in parts; what was fetched is read again from our own file though the bucket has another by then."""
    body = b"".join(json.dumps({"n": n, "pad": "x" * 180}).encode() + b"\n" for n in range(100_000))
    put(bucket, "large.jsonl", body)
    p = project(tmp_path, moto, bucket).start()
    tailrace.wait_until(lambda: p.hop()["count"] > 5000, "a beginning", 60)
    p.kill()
    put(bucket, "large.jsonl", lines(100_000, 10))
    p.start()
    p.expect(range(100_010), seconds=120)
    p.stop()
