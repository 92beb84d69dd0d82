"""A full disk: a clear line, nothing acknowledged is lost, and work resumes by itself when there is room."""
import collections
import json

import pytest

import record_batches
import tailrace
from small_disk import Ballast, disk  # noqa: F401 (a fixture)

USERS = 12000


def run(tmp_path, disk):
    ingest = {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
              "fake": {"seed": 5, "rate": "max", "limit": USERS}}
    project = tailrace.Project(tmp_path, settings=tailrace.settings([ingest]))
    project.data = disk / "data"
    return project.start()


def says_disk_full(project):
    """The line of a hop that is stopped by it."""
    assert not project.ended(), project.log.read_text()[-2000:]
    lines = [hop.get("why") or "" for hop in project.hops().values()]
    return [line for line in lines if "disk full" in line or "no space left" in line]


def all_is_there(project, expected=USERS):
    values = record_batches.values(project.data, "users_created", 2)
    uuids = collections.Counter(json.loads(v)["login"]["uuid"] for v in values.values())
    assert len(uuids) == len(values) == expected
    raw = project.lake("users_raw")
    assert {(r["partition"], r["offset"]) for r in raw} == set(values) and len(raw) == expected
    assert sorted(r["id"] for r in project.lake("users")) == sorted(uuids)
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": expected}]


@pytest.mark.parametrize("room_mb", [4, 12, 20])
def test_writes_wait_with_a_clear_line_and_go_on_when_there_is_room(tmp_path, disk, room_mb):
    ballast = Ballast(disk, room_mb)
    project = run(tmp_path, disk)
    said = tailrace.wait_until(lambda: says_disk_full(project), "a hop that says the disk is full", 90)
    print(said)
    served = project.get("/api/tables/created_users?limit=10")["rows"]  # reading goes on
    assert "disk full" in project.first_empty_hop() or served is not None
    ballast.remove()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == USERS, "all users", 90)
    tailrace.wait_until(lambda: not says_disk_full(project), "no hop that says the disk is full")
    project.stop()
    all_is_there(project)


def test_kill_9_on_a_full_disk_loses_nothing_that_was_appended(tmp_path, disk):
    ballast = Ballast(disk, 15)
    project = run(tmp_path, disk)
    tailrace.wait_until(lambda: says_disk_full(project), "a hop that says the disk is full", 90)
    ballast.fill_up()
    project.kill()
    before = record_batches.whole_values(project.data, "users_created", 2)
    refused = project.command("run", project.folder, "--data", project.data, *tailrace.FREE_PORTS, "--once")
    assert refused.returncode == 1 and "o space left" in refused.stderr, refused.stderr
    ballast.remove()
    project.start()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == USERS, "all users", 90)
    project.stop()
    all_is_there(project)
    after = record_batches.values(project.data, "users_created", 2)
    assert before.items() <= after.items()


def test_sigterm_on_a_full_disk_ends_at_once_and_the_next_start_goes_on(tmp_path, disk):
    ballast = Ballast(disk, 15)
    project = run(tmp_path, disk)
    tailrace.wait_until(lambda: says_disk_full(project), "a hop that says the disk is full", 90)
    ballast.fill_up()
    project.process.terminate()
    assert project.process.wait(timeout=30) in (0, 1)
    ballast.remove()
    project.start()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == USERS, "all users", 90)
    project.stop()
    all_is_there(project)
