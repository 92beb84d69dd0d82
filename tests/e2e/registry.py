"""Runs `tailrace registry` on a data folder, and asks it over plain HTTP."""
import http.client
import json
import pathlib
import re
import signal
import subprocess

import ports
import tailrace

JSON = "application/vnd.schemaregistry.v1+json"


class Registry:
    def __init__(self, folder, *words):
        self.data = pathlib.Path(folder) / "data"
        self.log = pathlib.Path(folder) / "registry.log"
        self.address = f"127.0.0.1:{ports.free(1)[0]}"
        self.words = words
        self.process = self.connection = None

    def start(self):
        before = self.log.stat().st_size if self.log.exists() else 0
        out = open(self.log, "ab")
        self.process = subprocess.Popen([tailrace.PROGRAM, "registry", "--data", self.data, "--listen", self.address,
                                         *self.words], stdout=out, stderr=out)
        tailrace.started.append(self.process)

        def ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return re.search(r"registry  https?://(\S+);", self.log.read_bytes()[before:].decode())

        self.address = tailrace.wait_until(ready, "the registry's address", 30).group(1)
        self.connection = http.client.HTTPConnection(self.address, timeout=60)
        return self

    @property
    def url(self):
        return f"http://{self.address}"

    def ask(self, method, path, body=None, headers=None):
        """The status, and the answer read from JSON."""
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": JSON, **(headers or {})})
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None

    def register(self, subject, schema, **more):
        status, answer = self.ask("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema), **more})
        assert status == 200, answer
        return answer["id"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()[-2000:]
