"""The generator: rate, seed and limit hold, and the same settings give the same records in any process."""
import json
import time

import pytest
import tailrace


def project_for(tmp_path, name, **options):
    folder = tmp_path / name
    folder.mkdir()
    ingest = [{"name": "gen", "topic": "users_created", "key": "$.login.uuid", "use": "fake",
               "fake": {"kind": "random_user"} | options}]
    return tailrace.Project(folder, settings=tailrace.settings(ingest))


def raw(project):
    return sorted(row["value"] for row in project.lake("users_raw"))


def test_the_same_seed_gives_the_same_records_and_the_limit_is_exact(tmp_path):
    made = {}
    for name, options in {"one": {"seed": 7}, "two": {"seed": 7}, "other": {"seed": 8}}.items():
        project = project_for(tmp_path, name, limit=3000, **options)
        project.once()
        made[name] = raw(project)
        assert len(made[name]) == 3000
    assert made["one"] == made["two"] != made["other"]
    users = [json.loads(value) for value in made["one"]]
    assert len({user["login"]["uuid"] for user in users}) == 3000
    assert all(len(user) == 12 and user["location"]["street"]["number"] > 0 for user in users)


def test_a_limit_holds_over_kills_and_a_finished_source_says_so(tmp_path):
    project = project_for(tmp_path, "kills", seed=3, limit=20_000, rate=10_000).start()
    for wanted in (1000, 5000, 12_000):
        tailrace.wait_until(lambda: project.hops()["fetched.gen"]["count"] >= wanted, f"{wanted} records")
        project.kill()
        project.start()
    tailrace.wait_until(lambda: project.hops()["bronze.users_raw"]["count"] == 20_000, "all records")
    tailrace.wait_until(lambda: "limit of 20000 reached" in project.hops()["fetched.gen"]["why"], "the reason")
    project.stop()
    (row,) = project.sql("SELECT count(*) AS n, count(DISTINCT value) AS d FROM users_raw")
    assert row == {"n": 20_000, "d": 20_000}


@pytest.mark.parametrize("rate", [1000])
def test_a_rate_is_held_to_two_percent_over_ten_seconds(tmp_path, rate):
    project = project_for(tmp_path, "rate", rate=rate, first=100).start()
    count = lambda: project.hops()["fetched.gen"]["count"]
    begin = tailrace.wait_until(count, "the first records")
    began = time.monotonic()

    def held():
        """Over ten seconds and more: a machine that stood still shifts one count, and no rate for long."""
        more = count() - begin
        return more >= 10 * rate and abs(more / (time.monotonic() - began) - rate) < 0.02 * rate

    tailrace.wait_until(held, f"{rate} a second")
    project.kill()


def test_faults_become_dead_letters(tmp_path):
    project = project_for(tmp_path, "faults", limit=2000, faults={"bad_json": 0.05})
    project.once()
    letters = project.sql("SELECT * FROM system.dead_letters")
    assert 60 < len(letters) < 140 and len(raw(project)) == 2000 - len(letters)
