"""One process a data folder; SIGTERM drains and ends within five seconds, and the next start goes on."""
import collections
import json
import os
import pathlib
import time

import record_batches
import tailrace

FULL_LOAD = {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
             "fake": {"seed": 7, "rate": 30000, "limit": 150000}}


def fake(**options):
    return FULL_LOAD | {"fake": FULL_LOAD["fake"] | options}


def run(tmp_path, **options):
    return tailrace.Project(tmp_path, settings=tailrace.settings([fake(**options)])).start()


def test_two_processes_on_one_data_folder_the_second_says_who_holds_it(tmp_path):
    project = run(tmp_path, rate=10)
    second = project.command("run", project.folder, "--data", project.data, *tailrace.FREE_PORTS)
    assert second.returncode == 1 and str(project.process.pid) in second.stderr, second.stderr
    assert str(project.data) in second.stderr
    assert project.hops()["fetched.input"]["count"] >= 0  # the first one goes on
    project.stop()


def stop_at_once(project):
    """Five seconds on the clock, or, where others keep the machine busy, five seconds of its own work."""
    worked, began = cpu_seconds(project.process.pid), time.monotonic()
    project.process.terminate()
    _, status, usage = os.wait4(project.process.pid, 0)
    took = time.monotonic() - began
    worked = usage.ru_utime + usage.ru_stime - worked
    project.process.returncode = os.waitstatus_to_exitcode(status)
    print(f"stopped after {took:.2f} s, {worked:.2f} s of work")
    assert project.process.returncode == 0, project.log.read_text()[-2000:]
    assert took < 5 or worked < 5 and took < 60


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_sigterm_under_full_load_ends_within_five_seconds_and_loses_and_doubles_nothing(tmp_path):
    project = run(tmp_path)
    for _ in range(2):
        before = project.hops()["lake"]["count"]
        tailrace.wait_until(lambda: project.hops()["lake"]["count"] > before, "a checkpoint under load")
        stop_at_once(project)
        project.start()
    stop_at_once(project)
    # The generator ends where it stands now, and what is left is drained.
    values = record_batches.values(project.data, "users_created", 2)
    (project.folder / "tailrace.yml").write_text(tailrace.settings([fake(limit=len(values))]))
    project.once()
    counts = collections.Counter(json.loads(v)["login"]["uuid"] for v in values.values())
    assert set(counts.values()) == {1}
    assert record_batches.values(project.data, "users_created", 2) == values
    raw = project.lake("users_raw")
    assert {(r["partition"], r["offset"]): r["value"].encode() for r in raw} == values and len(raw) == len(values)
    assert sorted(r["id"] for r in project.lake("users")) == sorted(counts)
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": len(counts)}]
