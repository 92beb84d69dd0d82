"""Retention by size and time removes old segments of the running log, and never what a flow has yet to read."""
import json

import pytest

import record_batches
import tailrace
import topic_log

LIMIT = 20000
# Records of one append lie in one segment, and the generator appends thousands at once: less than half is what is sure.
SMALL = 12_000_000


def run(tmp_path, **topic):
    ingest = {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
              "fake": {"seed": 9, "rate": "max", "limit": LIMIT}}
    settings = tailrace.settings([ingest], segment_size="256KB", **topic)
    return tailrace.Project(tmp_path, settings=settings).start()


def size(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:  # retention took it since it was listed
        return 0


def log_bytes(project):
    paths = [path for p in range(2) for path in record_batches.segments(project.data, "users_created", p)]
    return sum(size(path) for path in paths)


def all_users_came(project):
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == LIMIT, "all users", 120)


@pytest.mark.parametrize("topic", [{"retention_size": "512KB"}, {"retention": "1s"}], ids=["size", "time"])
def test_old_segments_go_while_it_runs_and_no_record_goes_unread(tmp_path, topic):
    project = run(tmp_path, **topic)
    all_users_came(project)  # the log held many times what retention lets it keep
    tailrace.wait_until(lambda: log_bytes(project) < SMALL, "a small log")
    project.kill()
    project.start()
    all_users_came(project)  # from the last checkpoint on; what lies before it need not be in the log any more
    project.stop()
    raw = project.lake("users_raw")
    assert len(raw) == len({(r["partition"], r["offset"]) for r in raw}) == LIMIT
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": LIMIT}]
    assert "removed by retention before they were read" not in project.log.read_text()


def test_a_new_retention_holds_for_a_topic_that_is_there_already(tmp_path):
    project = run(tmp_path)
    all_users_came(project)
    assert log_bytes(project) > 2 * SMALL - 2_000_000
    project.stop()
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["topics"]["users_created"]["retention_size"] = "512KB"
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    project.start()
    tailrace.wait_until(lambda: log_bytes(project) < SMALL, "a small log")
    project.stop()


def test_rows_whose_records_are_gone_are_not_thrown_away_with_the_state(tmp_path):
    project = run(tmp_path, retention_size="256KB")
    all_users_came(project)
    tailrace.wait_until(lambda: log_bytes(project) < SMALL, "a small log")
    project.stop()
    for file in (project.data / "state").iterdir():
        file.unlink()
    refused = project.command("run", project.folder, "--data", project.data, "--once")
    assert refused.returncode == 1 and "retention has removed" in refused.stderr, refused.stderr
    assert len(project.lake("users_raw")) == LIMIT


def test_the_export_for_spark_says_how_many_records_retention_took_before_it(tmp_path):
    settings = tailrace.settings([], **{"retention.ms": 1})
    project = tailrace.Project(tmp_path, settings=settings)
    records = [(index % 2, 1_700_000_000_000, None, b"{}") for index in range(10)]
    topic_log.append(project.data, "users_created", records, 2)
    project.once()
    for _ in range(2):
        done = project.command("spark", project.folder, "--data", project.data, "--out", tmp_path / "spark",
                               "--write-only")
        assert done.returncode == 0, done.stderr
        assert "topic users_created: retention removed 10 records before this export" in done.stdout
