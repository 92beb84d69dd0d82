"""What workflows keep, in a real PostgreSQL: the room's own tests, and a project whose server is killed under it."""
import json
import os
import pathlib
import signal
import subprocess
import time

import postgres_side
import pytest
import tailrace

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server():
    started = postgres_side.RealPostgres().start()
    yield started
    started.remove()


def test_the_rooms_own_tests_hold_in_postgresql_as_in_sqlite(server):
    known = {"TAILRACE_POSTGRES": server.bare_url, "TAILRACE_POSTGRES_PASSWORD": postgres_side.PASSWORD}
    done = subprocess.run([ROOT / "build/src/metadata/metadata_test", "--gtest_filter=*/postgres:*/sqlite"],
                          env=os.environ | known, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-8000:]
    assert "names no server" not in done.stdout


DAG = """
each_second:
  schedule:
    __type__: datetime.timedelta
    seconds: 1
  start_date: %s
  catchup: true
  max_active_runs: 8
  tasks:
    say:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: "echo {{ ts_nodash }} | tee -a %s"
    repeat:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: "echo {{ ti.xcom_pull(task_ids='say') }} >> %s"
      dependencies: [say]
"""
KILLS = int(os.environ.get("TAILRACE_KILLS", "6"))


class Workflows:
    """A project whose DAG runs each second, kept in the server's schema `work`."""

    def __init__(self, folder, server, schema="work"):
        settings = json.loads(tailrace.settings(tailrace.files_from(folder)))
        settings["roles"] = {"metadata": {"url": server.bare_url, "schema": schema,
                                          "password": "${METADATA_PASSWORD}"}}
        self.said, self.repeated = folder / "said", folder / "repeated"
        self.project = tailrace.Project(folder, settings=json.dumps(settings))
        (self.project.folder / "dags").mkdir()
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        (self.project.folder / "dags" / "each_second.yml").write_text(DAG % (start, self.said, self.repeated))

    def lines(self, path):
        return path.read_text().split() if path.exists() else []

    def wait_for_more(self, count):
        before = len(self.lines(self.repeated))
        tailrace.wait_until(lambda: len(self.lines(self.repeated)) >= before + count, "more runs")

    def health(self):
        return self.project.get("/api/v2/monitor/health")["metadatabase"]["status"]

    def check(self):
        """Every second from the first on, each once."""
        for path in (self.said, self.repeated):
            lines = self.lines(path)
            assert len(set(lines)) == len(lines)
        times = sorted(int(time.mktime(time.strptime(one, "%Y%m%dT%H%M%S"))) for one in self.lines(self.said))
        assert times == list(range(times[0], times[0] + len(times)))
        runs = self.project.get("/api/v2/dags/each_second/dagRuns?limit=1000")["dag_runs"]
        assert len({one["logical_date"] for one in runs}) == len(runs) >= len(times)
        assert not [one for one in runs if one["state"] == "failed"]


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("METADATA_PASSWORD", postgres_side.PASSWORD)


def test_workflows_wait_for_a_server_that_is_killed_and_no_run_is_lost_or_doubled(tmp_path, server, password):
    work = Workflows(tmp_path, server)
    work.project.start()
    for number in range(KILLS):
        work.wait_for_more(2)
        server.stop(signal.SIGQUIT)
        tailrace.wait_until(lambda: work.health() == "unhealthy", "what the API says of the outage")
        if number == 0:
            with pytest.raises(OSError, match="503"):
                work.project.get("/api/v2/dags")
        server.start()
        tailrace.wait_until(lambda: work.health() == "healthy", "the server's return")
    work.wait_for_more(2)
    log = work.project.log.read_text()
    assert "workflows wait, for their metadata is out of reach: PostgreSQL: " in log
    assert "workflows go on: their metadata is back after " in log
    assert postgres_side.PASSWORD not in log
    work.check()
    work.project.stop()
    assert not list((work.project.data / "dags").glob("*.db*"))


def test_a_program_that_is_stopped_while_the_server_is_away_goes_on_later(tmp_path, server, password):
    work = Workflows(tmp_path, server, "stopped")
    work.project.start()
    work.wait_for_more(2)
    server.stop(signal.SIGQUIT)
    tailrace.wait_until(lambda: work.health() == "unhealthy", "what the API says of the outage")
    work.project.stop()
    server.start()
    work.project.start()
    work.wait_for_more(3)
    runs = work.project.get("/api/v2/dags/each_second/dagRuns?limit=1000")["dag_runs"]
    assert len({one["logical_date"] for one in runs}) == len(runs)
    lines = work.lines(work.said)
    assert len(set(lines)) == len(lines)
    work.project.stop()


def test_the_younger_of_two_programs_shuts_the_older_out(tmp_path, server, password):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    older, younger = Workflows(tmp_path / "a", server, "shared"), Workflows(tmp_path / "b", server, "shared")
    older.project.start()
    older.wait_for_more(1)
    younger.project.start()
    tailrace.wait_until(lambda: "another tailrace has taken over" in older.project.log.read_text(), "the older's log")
    younger.wait_for_more(2)
    younger.project.stop()
    older.project.stop()
