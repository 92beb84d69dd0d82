"""kill -9 at random moments with ingest going: nothing is lost, nothing is doubled, anywhere."""
import os
import random

import tailrace
from records import by_country_gender, lines

KILLS = int(os.environ.get("TAILRACE_KILLS", "12"))
PER_FILE = 400


def add_file(folder, number):
    """A whole file appears at once, as a careful writer makes it."""
    part = folder / f".{number}.part"
    part.write_text(lines(range(number * PER_FILE, (number + 1) * PER_FILE)))
    part.rename(folder / f"{number:05}.jsonl")


def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path):
    seed = int(os.environ.get("TAILRACE_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    choose = random.Random(seed)
    inbox = tmp_path / "input"
    inbox.mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox)))
    files = 0
    for _ in range(KILLS):
        project.start()
        for _ in range(choose.randrange(1, 4)):
            add_file(inbox, files)
            files += 1
        moment = choose.random() * 0.6
        project.process.poll()
        try:
            project.process.wait(timeout=moment)
        except Exception:
            pass
        project.kill()
    project.start()
    total = files * PER_FILE
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == total, f"all {total} users")
    project.stop()

    raw = project.lake("users_raw")
    assert len(raw) == total, seed
    assert len({(r["partition"], r["offset"]) for r in raw}) == total
    assert len({r["id"] for r in project.lake("users")}) == len(project.lake("users")) == total
    expected = by_country_gender(range(total))
    for rows in (project.lake("users_by_country_gender"), project.sql("SELECT * FROM users_by_country_gender")):
        assert {(r["country"], r["gender"]): r["users"] for r in rows} == expected, seed
    served = project.sql("SELECT count(*) AS n FROM created_users")
    assert served == [{"n": total}]
    assert project.sql("SELECT count(*) AS n FROM system.dead_letters") == [{"n": 0}]


def test_two_processes_on_one_data_folder_the_second_says_who_holds_it(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox))).start()
    second = project.command("run", project.folder, "--data", project.data, "--console", "127.0.0.1:0")
    assert second.returncode == 1 and str(project.process.pid) in second.stderr, second.stderr
    project.stop()


def test_sigterm_ends_within_five_seconds_and_a_second_start_goes_on(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    add_file(inbox, 0)
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox))).start()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == PER_FILE, "the first file")
    project.stop(seconds=5)
    add_file(inbox, 1)
    project.start()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == 2 * PER_FILE, "the second file")
    project.stop()
