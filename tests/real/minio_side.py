"""A real MinIO for tests, and boto3 on it."""
import os
import pathlib
import subprocess

import boto3
import botocore.config
import bucket_side
import ports
import tailrace

MINIO = os.environ.get("TAILRACE_MINIO", "")
SKIP = "TAILRACE_MINIO is not set; tests/real/minio_env.sh prints it"


class RealMinio:
    """One server with one folder. `environment`: more of MinIO's settings."""

    def __init__(self, folder, **environment):
        self.folder = pathlib.Path(folder)
        [self.port] = ports.free(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment
        self.process = None

    def start(self):
        out = open(self.folder / "minio.log", "ab")
        settings = {"MINIO_ROOT_USER": bucket_side.KEY, "MINIO_ROOT_PASSWORD": bucket_side.SECRET,
                    "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}
        self.process = subprocess.Popen(
            [MINIO, "server", "--quiet", "--address", f"127.0.0.1:{self.port}", self.folder / "data"],
            env=os.environ | settings | self.environment, stdout=out, stderr=out)
        tailrace.started.append(self.process)
        tailrace.wait_until(self.answers, "MinIO")
        return self

    def answers(self):
        try:
            self.client().list_buckets()
            return True
        except Exception:  # noqa: BLE001 - whatever it is, it is not ready
            return False

    def client(self):
        config = botocore.config.Config(max_pool_connections=32, retries={"max_attempts": 1}, connect_timeout=2)
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", config=config,
                            aws_access_key_id=bucket_side.KEY, aws_secret_access_key=bucket_side.SECRET)

    def kill(self):
        self.process.kill()
        self.process.wait()
