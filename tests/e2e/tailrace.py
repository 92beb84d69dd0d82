"""Runs the real program on a copy of a project: once, or in the background until killed."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TAILRACE_PROGRAM", ROOT / "build" / "tailrace"))
KILLS = int(os.environ.get("TAILRACE_KILLS", "6"))  # of each crash test
EXAMPLE = ROOT / "examples" / "random_users"
FREE_PORTS = ("--console", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--registry", "127.0.0.1:0",
              "--cql", "127.0.0.1:0", "--airflow", "127.0.0.1:0", "--hooks", "127.0.0.1:0")


def wait_until(condition, what, seconds=60):
    """Polls until `condition()` gives something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"gave up waiting: {what}")


started = []  # every process, so that a test that fails leaves none behind (conftest.py)


class Project:
    """A project folder of its own, with a data folder, and at most one running process."""

    def __init__(self, folder, source=EXAMPLE, settings=None):
        self.folder = pathlib.Path(folder) / "project"
        # The example's own workflow would add its records to those that tests count.
        left_out = (".tailrace", "dags") if source == EXAMPLE else (".tailrace",)
        shutil.copytree(source, self.folder, ignore=shutil.ignore_patterns(*left_out))
        self.data = pathlib.Path(folder) / "data"
        if settings is not None:
            (self.folder / "tailrace.yml").write_text(settings)
        self.process = None
        self.log = pathlib.Path(folder) / "run.log"
        self.words = []  # more of `tailrace run`

    def command(self, *words, **kwargs):
        return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, **kwargs)

    def once(self):
        done = self.command("run", self.folder, "--data", self.data, "--once")
        assert done.returncode == 0, done.stderr
        return done

    def start(self):
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            [PROGRAM, "run", self.folder, "--data", self.data, *FREE_PORTS, *map(str, self.words)],
            stdout=out, stderr=out)
        started.append(self.process)
        wait_until(lambda: self.url() or self.ended(), "the control centre's address")
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return self

    def ended(self):
        return self.process.poll() is not None

    def run_file(self):
        """What the running process says of itself; nothing before it does."""
        try:
            run = json.loads((self.data / "run.json").read_text())
        except (OSError, ValueError):
            return {}
        return run if self.process and run["pid"] == self.process.pid else {}

    def url(self):
        return self.run_file().get("url", "").rstrip("/")

    def kafka(self):
        """HOST:PORT for Kafka's clients."""
        return self.run_file()["kafka"]

    def hooks(self):
        """Where webhooks are received, http://HOST:PORT."""
        return self.run_file()["hooks"]

    def cql(self):
        """HOST, PORT for CQL's clients."""
        host, _, port = self.run_file()["cql"].rpartition(":")
        return host, int(port)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=60):
        """Ends it by SIGTERM; how fast that must be is the business of the one test that promises it."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=seconds)
        assert code == 0, self.log.read_text()[-2000:]

    def get(self, path):
        with urllib.request.urlopen(self.url() + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, body):
        request = urllib.request.Request(self.url() + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise AssertionError(e.read().decode()) from e

    def sql(self, query):
        """Rows as dictionaries, from the running process or else from the data folder."""
        done = self.command("sql", self.folder, "--data", self.data, "--json", "-c", query)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.split("\n") if line]

    def hops(self):
        return {hop["id"]: hop for hop in self.get("/api/status")["hops"]}

    def first_empty_hop(self):
        return self.get("/api/status")["first_empty_hop"]

    def lake(self, table):
        """The Delta table read by a foreign reader, as a list of rows."""
        import deltalake

        return deltalake.DeltaTable(str(self.data / "lake" / table)).to_pyarrow_table().to_pylist()


def with_sql(folder, sql, settings):
    """A project whose only SQL file is `sql`."""
    project = Project(folder, settings=settings)
    shutil.rmtree(project.folder / "transformations")
    (project.folder / "transformations").mkdir()
    (project.folder / "transformations" / "all.sql").write_text(sql)
    return project


def settings(ingest, **topic):
    """A tailrace.yml for the example's SQL with one ingest."""
    return json.dumps({
        "topics": {"users_created": {"partitions": 2, "format": "json"} | topic},
        "ingest": ingest,
        "serving": {
            "created_users": {"table": "users", "key": ["id"]},
            "users_by_country_gender": {"key": ["country", "gender"]},
            "age_by_nationality": {"key": ["nationality"]},
        },
        "checkpoint": {"every": "200ms"},
    })


def files_from(folder):
    return [{"name": "input", "topic": "users_created", "use": "files", "key": "$.login.uuid",
             "files": {"path": str(folder), "every": "100ms"}}]
