"""Damaged files: a bad tail is cut with a line that says how much; damage anywhere else is refused with its place."""
import json

import pytest

import record_batches
import tailrace
from records import lines

PER_FILE = 300


class Run:
    """The example on files, one partition: each file becomes a batch or more at the log's end."""

    def __init__(self, tmp_path):
        self.inbox = tmp_path / "input"
        self.inbox.mkdir()
        self.files = 0
        self.project = tailrace.Project(
            tmp_path, settings=tailrace.settings(tailrace.files_from(self.inbox), partitions=1))

    def add(self, files=1):
        for _ in range(files):
            part = self.inbox / ".part"
            part.write_text(lines(range(self.files * PER_FILE, (self.files + 1) * PER_FILE)))
            part.rename(self.inbox / f"{self.files:05}.jsonl")
            self.files += 1

    def process(self, files):
        """So many more files, one after the other, each in a batch of its own; the process goes on."""
        if not self.project.process or self.project.ended():
            self.project.start()
        for _ in range(files):
            self.add()
            self.wait_for_users(self.files * PER_FILE)

    def wait_for_users(self, count):
        tailrace.wait_until(lambda: self.project.hops()["silver.users"]["count"] == count, f"{count} users")

    def segment(self):
        return record_batches.segments(self.project.data, "users_created", 0)[-1]

    def batches(self):
        return list(record_batches.batches(self.segment()))

    def said(self):
        return self.project.log.read_text()

    def refused(self):
        """What the program says when it will not start, or ends by itself."""
        done = self.project.command("run", self.project.folder, "--data", self.project.data, "--once")
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path)
    yield made
    if made.project.process and not made.project.ended():
        made.project.kill()


def flip(path, at, count=8):
    data = bytearray(path.read_bytes())
    for i in range(at, at + count):
        data[i] ^= 0xFF
    path.write_bytes(data)


def users_are(run, count):
    run.wait_for_users(count)
    run.project.stop()
    raw = run.project.lake("users_raw")
    assert len({(r["partition"], r["offset"]) for r in raw}) == len(raw) == count
    assert len({r["id"] for r in run.project.lake("users")}) == count
    assert run.project.sql("SELECT count(*) AS n FROM created_users") == [{"n": count}]


def test_a_tail_torn_by_a_crash_is_cut_with_a_line_that_says_how_much_and_where(run):
    run.process(3)
    run.project.kill()
    whole = run.segment().stat().st_size
    with open(run.segment(), "ab") as file:
        file.write(run.segment().read_bytes()[:1000])  # a batch that did not get to its end
    run.process(1)
    assert f"users_created-0: cut a torn tail of 1000 bytes from offset {3 * PER_FILE} on" in run.said()
    assert f"{run.segment()} at byte {whole}" in run.said()
    users_are(run, 4 * PER_FILE)


@pytest.mark.parametrize("ended", ["kill", "stop"])
@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_a_tail_that_lost_processed_records_is_cut_and_their_offsets_are_not_given_out_again(run, ended, damage):
    run.process(3)
    tailrace.wait_until(lambda: run.project.hops()["lake"]["count"] >= 9 * PER_FILE, "the checkpoint")
    getattr(run.project, ended)()
    position, size, base, _, _ = run.batches()[-1]
    if damage == "flip":
        flip(run.segment(), position + size - 20)
    else:
        with open(run.segment(), "r+b") as file:
            file.truncate(position + size - 20)
    run.process(1)
    assert f"users_created-0: cut a torn tail of" in run.said() and f"from offset {base} on" in run.said()
    assert f"{run.segment()}" in run.said() and f"at byte {position}" in run.said()
    assert "lost" in run.said()
    users_are(run, 4 * PER_FILE)  # the tables hold what the log lost


def test_damage_before_good_batches_is_refused_at_the_start_with_its_place(run):
    run.process(3)
    run.project.kill()
    position, _, base, _, _ = run.batches()[-2]
    flip(run.segment(), position + 100)
    line = run.refused()
    assert f"users_created-0@{base}: {run.segment()} is corrupt at byte {position}" in line, line


def test_damage_that_only_reading_finds_is_refused_with_its_place_and_not_skipped(run):
    run.process(3)
    run.project.stop()
    position, _, base, _, _ = run.batches()[0]
    flip(run.segment(), position + 100)
    run.process(1)  # nobody reads the old records
    run.project.stop()
    bronze = run.project.folder / "transformations" / "bronze.sql"
    bronze.write_text(bronze.read_text().replace("SELECT key,", "SELECT upper(key) AS key,"))
    line = run.refused()
    assert f"users_created-0@{base}: " in line and f" is corrupt at byte {position}" in line, line


def test_damage_found_while_running_ends_the_run_with_its_place(run):
    run.process(2)
    run.project.stop()
    flip(run.segment(), run.batches()[0][0] + 100)
    for state in (run.project.data / "state").iterdir():
        state.unlink()
    ended = run.project.command("run", run.project.folder, "--data", run.project.data, *tailrace.FREE_PORTS)
    assert ended.returncode == 1
    assert "users_created-0@0: " in ended.stderr and "is corrupt at byte 0" in ended.stderr


def test_an_emptied_state_folder_is_filled_again_from_the_log(run):
    run.process(2)
    run.project.stop()
    for file in (run.project.data / "state").iterdir():
        file.unlink()
    run.process(1)
    users_are(run, 3 * PER_FILE)


def test_a_lake_table_that_is_gone_is_made_again(run):
    run.process(2)
    run.project.stop()
    tables = run.project.data / "lake"
    (tables / "users_clean").rename(tables.parent / "away")
    run.process(1)
    users_are(run, 3 * PER_FILE)
    assert len(run.project.lake("users_clean")) == 3 * PER_FILE


@pytest.mark.parametrize("what", ["CURRENT", "MANIFEST-*", "*.sst"])
def test_a_damaged_state_is_refused_and_says_what_to_do(run, what):
    run.process(2)
    run.project.stop()
    state = run.project.data / "state"
    for path in state.glob(what):
        flip(path, 0, path.stat().st_size)
    line = run.refused()
    assert str(state) in line and "orrupt" in line, line
    assert "remove" in line, line  # what to do
    for path in state.iterdir():
        path.unlink()
    run.process(1)
    users_are(run, 3 * PER_FILE)


def test_a_damaged_commit_of_the_lake_is_refused_by_name(run):
    run.process(1)
    run.project.stop()
    commit = sorted((run.project.data / "lake" / "users" / "_delta_log").glob("*.json"))[-1]
    flip(commit, 0, 20)
    assert str(commit) in run.refused()


def test_a_damaged_data_file_of_the_lake_is_named_by_who_reads_it(run):
    run.process(1)
    run.project.stop()
    for file in (run.project.data / "lake" / "users_clean").glob("*.parquet"):
        flip(file, 4, file.stat().st_size - 4)
    read = run.project.command("sql", run.project.folder, "--data", run.project.data, "-c", "SELECT * FROM users_clean")
    assert read.returncode == 1 and "lake/users_clean/part-" in read.stderr, read.stderr
    run.process(1)  # who does not read it goes on
    assert run.project.sql("SELECT count(*) AS n FROM created_users") == [{"n": 2 * PER_FILE}]
    run.project.stop()


def test_a_damaged_position_of_a_source_is_refused_by_name(run):
    run.process(1)
    run.project.stop()
    noted = run.project.data / "ingest" / "input.json"
    noted.write_text(noted.read_text()[:40])
    assert str(noted) in run.refused()
    assert json.loads((run.project.data / "log" / "users_created.meta").read_text().split("partitions=")[1][0]) == 1
