"""What tailrace.yml says is cleaned up is cleaned up: small files joined, old ones deleted, dead letters trimmed."""

import json
import pathlib

import pytest
import tailrace
from records import lines, user

FILES = 16
JOINED = 8  # so many of about one size become one


def settings(inbox, **more):
    return json.dumps(json.loads(tailrace.settings(tailrace.files_from(inbox))) | more)


def fed_slowly(tmp_path, **more):
    """A running project that got its records in many checkpoints, so that the lake got many files."""
    inbox = tmp_path / "input"
    inbox.mkdir()
    project = tailrace.Project(tmp_path, settings=settings(inbox, checkpoint={"every": "10ms"}, **more)).start()
    for number in range(FILES):
        part = inbox / f".{number}"
        part.write_text(lines(range(number * 10, number * 10 + 10)))
        part.rename(inbox / f"{number:03}.jsonl")
        tailrace.wait_until(lambda n=number: rows(project) == (n + 1) * 10, f"file {number} in the lake")
    return project


def delta(project, table):
    import deltalake

    return deltalake.DeltaTable(str(project.data / "lake" / table))


def rows(project):
    """As a foreign reader counts them; none while there is no table."""
    try:
        return delta(project, "users_clean").to_pyarrow_table(columns=["id"]).num_rows
    except Exception:
        return 0


def on_disk(project, table):
    return {path.name for path in pathlib.Path(project.data / "lake" / table).glob("*.parquet")}


def active(project, table):
    return {pathlib.Path(uri).name for uri in delta(project, table).file_uris()}


def ids(project):
    return sorted(row["id"] for row in project.lake("users_clean"))


EXPECTED = sorted(user(n)["login"]["uuid"] for n in range(FILES * 10))


def test_small_files_are_joined_and_old_ones_kept_for_readers(tmp_path):
    project = fed_slowly(tmp_path)
    project.stop()
    assert any(entry["operation"] == "OPTIMIZE" for entry in delta(project, "users_clean").history())
    assert len(active(project, "users_clean")) <= JOINED
    assert len(on_disk(project, "users_clean")) >= FILES  # vacuum_after is a week
    assert ids(project) == EXPECTED


def test_files_above_compact_under_are_left_alone(tmp_path):
    project = fed_slowly(tmp_path, lake={"compact_under": "1B"})
    project.stop()
    assert len(active(project, "users_clean")) >= FILES
    assert ids(project) == EXPECTED


def test_files_that_left_a_table_are_deleted_after_vacuum_after(tmp_path):
    project = fed_slowly(tmp_path, lake={"vacuum_after": "1s"})
    stray = project.data / "lake" / "users_clean" / "part-of-a-crash.parquet"
    stray.write_bytes(b"no commit names this")
    tailrace.wait_until(
        lambda: not stray.exists() and on_disk(project, "users_clean") == active(project, "users_clean"),
        "only the table's own files to be left",
    )
    assert len(on_disk(project, "users_clean")) <= JOINED
    project.stop()
    assert ids(project) == EXPECTED
    assert project.sql("SELECT count(*) AS n FROM users_clean") == [{"n": FILES * 10}]


def nameless(numbers):
    return "".join(json.dumps(user(n, login={"uuid": None, "username": f"u{n}"})) + "\n" for n in numbers)


@pytest.mark.parametrize(
    "limits, left",
    [
        ({}, 200),
        ({"keep": "1ms"}, 0),
        ({"max_bytes": "10KB"}, range(1, 20)),
    ],
)
def test_dead_letters_are_trimmed_from_the_oldest_and_counted(tmp_path, limits, left):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(nameless(range(200)))
    project = tailrace.Project(tmp_path, settings=settings(inbox, dead_letters=limits)).start()
    left = [left] if isinstance(left, int) else left
    hops = tailrace.wait_until(
        lambda: (
            lambda h: h if h["silver.users_clean"]["rejected"] == 200 and h["rejected"]["count"] in left else None
        )(project.hops()),
        "200 rejected, the oldest of them trimmed",
    )
    count = hops["rejected"]["count"]
    assert (f"{200 - count} older ones trimmed" in hops["rejected"]["detail"]) == (count < 200)
    letters = tailrace.wait_until(
        lambda: (lambda page: page if len(page["letters"]) == count else None)(
            project.get("/api/dead-letters?limit=1000")
        ),
        "the letters that are counted",
    )
    assert letters["total"] == count
    assert [int(letter["id"]) for letter in letters["letters"]] == list(range(201 - count, 201))
    project.stop()
    project.start()  # the counts are of the checkpoint
    assert project.hops()["silver.users_clean"]["rejected"] == 200
    assert project.hops()["rejected"]["count"] == count
    project.stop()
