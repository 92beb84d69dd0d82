"""A bucket's servers for tests: moto's S3 and SQS in a process of its own, and a project that reads a bucket."""
import json
import os
import subprocess
import sys

import boto3
import botocore.config
import ports
import tailrace

KEY, SECRET = "AKIDTAILRACE", "a secret that no log may have"
SQL = "CREATE STREAMING TABLE raw AS SELECT value FROM STREAM input;\n"
SPEC = "name: bucket\nstorage: file:///tmp/bucket\nlibraries:\n  - glob: {include: transformations/**}\n"


class Moto:
    """moto_server; every request is taken, whoever asks."""

    def __init__(self, folder):
        [self.port] = ports.free(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "moto.log"
        self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                                        stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        tailrace.started.append(self.process)
        tailrace.wait_until(lambda: "Running on" in self.log.read_text(), "moto's server")

    def client(self, name):
        return boto3.client(name, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY,
                            aws_secret_access_key=SECRET,
                            config=botocore.config.Config(max_pool_connections=32, retries={"max_attempts": 3}))

    def requests(self, word):
        """How many were asked that have `word` in their line of the log."""
        return sum(word in line for line in self.log.read_text().splitlines())

    def close(self):
        self.process.kill()
        self.process.wait()


class BucketProject(tailrace.Project):
    """A project that only reads a bucket into a table."""

    def __init__(self, folder, endpoint, url="s3://inbox", partitions=2, **options):
        source = folder / "source"
        (source / "transformations").mkdir(parents=True)
        (source / "transformations" / "bronze.sql").write_text(SQL)
        (source / "spark-pipeline.yml").write_text(SPEC)
        self.options = {"url": url, "endpoint": endpoint, "access_key": KEY, "secret_key": "${BUCKET_SECRET}",
                        "region": "us-east-1", "every": "200ms"} | options
        self.partitions = partitions
        os.environ["BUCKET_SECRET"] = SECRET
        super().__init__(folder, source=source, settings="{}")
        self.write_settings()

    def write_settings(self, **more):
        self.options |= more
        (self.folder / "tailrace.yml").write_text(json.dumps({
            "topics": {"input": {"partitions": self.partitions, "format": "raw"}},
            "ingest": [{"name": "objects", "topic": "input", "use": "bucket", "bucket": self.options}],
            "checkpoint": {"every": "200ms"}}))

    def values(self):
        """Of the last checkpoint, as deltalake reads it."""
        has_table = (self.data / "lake" / "raw" / "_delta_log").exists()
        return [row["value"] for row in self.lake("raw")] if has_table else []

    def records(self):
        return [json.loads(v) for v in self.values()]

    def hop(self):
        return self.hops()["fetched.objects"]

    def letters(self):
        return self.sql("SELECT * FROM system.dead_letters")

    def why(self, *words, seconds=30):
        def said():
            hop = self.hop()
            text = json.dumps(hop)
            return text if all(w in text for w in words) else None
        return tailrace.wait_until(said, f"{words} in the hop; it is {self.hop()}", seconds)

    def expect(self, values, letters=0, seconds=60):
        """Waits until the table holds just these records' `n`."""
        want = sorted(values)
        tailrace.wait_until(lambda: self.hops()["bronze.raw"]["count"] >= len(want),
                            f"{len(want)} records; hop: {self.hop()}", seconds)
        tailrace.wait_until(lambda: len(self.values()) >= len(want), "a checkpoint, which is what the lake holds")
        tailrace.wait_until(lambda: len(self.letters()) >= letters, f"{letters} dead letters")
        same([r["n"] for r in self.records()], want)
        assert len(self.letters()) == letters, self.letters()


def same(found, want):
    """Each once; the message names what is missing or double."""
    found, want = sorted(found), sorted(want)
    if found != want:
        missing = sorted(set(want) - set(found))[:10]
        extra = [n for n in sorted(set(found)) if found.count(n) != want.count(n)][:10]
        raise AssertionError(f"{len(found)} of {len(want)}; missing {missing}, not once {extra}")


def lines(first, count):
    return "".join(json.dumps({"n": n}) + "\n" for n in range(first, first + count)).encode()
