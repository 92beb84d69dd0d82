"""A real Apicurio Registry of its own, by its Confluent API, on free ports; stopped by its process's id."""
import http.client
import os
import pathlib
import subprocess
import sys


ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import ports  # noqa: E402
import registry  # noqa: E402
import tailrace  # noqa: E402

APICURIO = os.environ.get("TAILRACE_APICURIO", "")
API = "/apis/ccompat/v7"


class Apicurio(registry.Registry):
    """Asked as ours is."""

    def start(self):
        port, management = ports.free(2)
        self.address = f"127.0.0.1:{port}"
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1",
             "-Dquarkus.management.host=127.0.0.1", f"-Dquarkus.management.port={management}", "-jar", APICURIO],
            stdout=out, stderr=out, cwd=pathlib.Path(self.log).parent)
        tailrace.started.append(self.process)
        self.connection = http.client.HTTPConnection(self.address, timeout=60)

        def ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            try:
                return self.ask("GET", "/subjects")[0] == 200
            except (OSError, http.client.HTTPException):
                self.connection.close()
                return False

        tailrace.wait_until(ready, "Apicurio's answer", 120)
        return self

    @property
    def url(self):
        return f"http://{self.address}{API}"

    def ask(self, method, path, body=None, headers=None):
        return super().ask(method, API + path, body, headers)
