"""`tailrace status` and `tailrace sql`: of a running project and of a stopped one, for people and for scripts."""

import json
import os
import pty
import subprocess

import pytest
import tailrace
from records import lines, user


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Stopped, with 30 users and one dead letter."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "input").mkdir()
    nameless = json.dumps(user(99, login={"uuid": None, "username": "x"}))
    (folder / "input" / "a.jsonl").write_text(lines(range(30)) + nameless + "\n")
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input")))
    made.once()
    return made


def files_of(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def run(project, command, *words, **kwargs):
    return project.command(command, project.folder, "--data", project.data, *words, **kwargs)


def test_asking_a_stopped_project_changes_no_file(project):
    before = files_of(project.data)
    status = run(project, "status")
    assert status.returncode == 0, status.stderr
    assert "not running" in status.stdout and "\x1b" not in status.stdout
    counts = {tuple(line.split()[1:3]): line.split()[3] for line in status.stdout.splitlines() if len(line.split()) > 3}
    assert counts["fetched", "input"] == counts["appended", "users_created"] == counts["bronze", "users_raw"] == "31"
    assert counts["silver", "users"] == counts["served", "created_users"] == "30"
    assert project.sql("SELECT count(*) AS n FROM users") == [{"n": 30}]
    assert len(project.sql("SELECT * FROM system.dead_letters")) == 1
    assert files_of(project.data) == before


def test_a_stopped_project_says_so_to_scripts(project):
    status = json.loads(run(project, "status", "--json").stdout)
    assert status["state"] == "stopped" and status["ready"] is False
    assert {hop["id"]: hop["count"] for hop in status["hops"]}["silver.users_clean"] == 30


def test_changed_sql_is_no_reason_not_to_read_what_was_written(project, tmp_path):
    changed = tailrace.Project(tmp_path, source=project.folder)
    changed.data = project.data
    gold = changed.folder / "transformations" / "gold.sql"
    gold.write_text(gold.read_text() + "CREATE MATERIALIZED VIEW added AS SELECT count(*) AS n FROM users;\n")
    silver = changed.folder / "transformations" / "silver.sql"
    silver.write_text(silver.read_text().replace("u.phone AS phone", "length(u.phone) AS phone"))
    before = files_of(project.data)
    assert changed.sql("SELECT n FROM added") == []
    assert changed.sql("SELECT phone FROM users_clean LIMIT 1") == [{"phone": "01-23"}]
    assert files_of(project.data) == before


def test_where_nothing_has_run_nothing_is_made(project, tmp_path):
    for command in ("status", "sql"):
        done = project.command(
            command, project.folder, "--data", tmp_path / "none", *(["-c", "SELECT 1"] * (command == "sql"))
        )
        assert done.returncode == 1 and "tailrace run" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_answers_hold_nulls_nested_values_and_no_rows(project):
    rows = project.sql(
        "SELECT CAST(NULL AS INT) AS a, named_struct('x', 1, 'y', array('p', NULL)) AS s, "
        "CAST(9007199254740993 AS BIGINT) AS big, CAST(1.50 AS DECIMAL(5,2)) AS d, DATE'2026-01-02' AS day"
    )
    assert rows == [
        {"a": None, "s": {"x": 1, "y": ["p", None]}, "big": "9007199254740993", "d": "1.50", "day": "2026-01-02"}
    ]
    empty = run(project, "sql", "-c", "SELECT id FROM users WHERE id = 'nobody'")
    assert empty.returncode == 0 and empty.stdout.splitlines()[0].strip() == "id" and "(0 rows)" in empty.stdout
    shown = run(project, "sql", "-c", "SELECT NULL AS n, 'a\\nb' AS t, '\\u001b[31m' AS c").stdout
    assert "NULL" in shown and "a\\x0Ab" in shown and "\x1b" not in shown


@pytest.mark.parametrize(
    "query, words",
    [
        ("SELECT nme FROM users", ["query:1:8", "nme"]),
        ("SELECT * FROM usres", ["query:1:15", "usres"]),
        ("SELEC 1", ["query:1:1"]),
        ("SELECT (1", ["query:1:"]),
        ("DROP TABLE users", ["query:1:"]),
    ],
)
def test_an_error_names_the_place_and_the_exit_code_tells(project, query, words):
    done = run(project, "sql", "-c", query)
    assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr


def test_statements_are_many_in_a_row_and_one_failure_tells(project):
    many = run(project, "sql", "--json", "-c", "SELECT ';' AS a; -- a comment; with more\nSELECT 2 AS b;")
    assert [json.loads(line) for line in many.stdout.splitlines()] == [{"a": ";"}, {"b": 2}]
    piped = run(project, "sql", "--json", input="SELECT 1 AS a;\nSELECT nothing;\nSELECT\n 3 AS c\n;")
    assert piped.returncode == 1
    assert [json.loads(line) for line in piped.stdout.splitlines()] == [{"a": 1}, {"c": 3}]


def test_a_huge_answer_is_cut_with_a_word_and_whole_when_asked_for(project):
    query = "SELECT explode(split(repeat('x,', 24999), ',')) AS n"
    cut = run(project, "sql", "--json", "-c", query)
    assert len(cut.stdout.splitlines()) == 10000 and "--limit" in cut.stderr
    whole = run(project, "sql", "--json", "--limit", "100000", "-c", query)
    assert len(whole.stdout.splitlines()) == 25000 and whole.stderr == ""
    grid = run(project, "sql", "--limit", "25000", "-c", query).stdout.splitlines()
    assert len(grid) == 25003 and grid[-1] == "(25000 rows)"


def test_system_tables_are_all_named_by_help_and_can_be_read(project):
    text = project.command("sql", "--help").stdout
    for table in ("hops", "tables", "topics", "expectations", "dead_letters"):
        assert f"system.{table}" in text
        assert project.sql(f"SELECT * FROM system.{table}")


@pytest.mark.parametrize("command", ["run", "check", "init", "status", "sql", "redrive", "spark"])
def test_help_of_each_command_has_an_example(project, command):
    done = project.command(command, "--help")
    assert done.returncode == 0 and f"  tailrace {command} my_project" in done.stdout
    assert project.command("help", command).stdout == done.stdout


def test_help_lists_the_commands(project):
    done = project.command("help")
    assert done.returncode == 0 and done.stdout == project.command("--help").stdout
    assert all(f"\n  {command} " in done.stdout for command in ("run", "check", "status", "sql", "redrive"))
    assert project.command("help", "help").stdout == project.command("help", "--help").stdout


def test_a_source_that_was_killed_before_its_note_does_not_say_that_nothing_arrived(tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.jsonl").write_text(lines(range(30)))
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input")))
    made.once()
    path = made.data / "ingest" / "input.json"
    noted = json.loads(path.read_text())
    # The note of the source's first moment, which is what a kill -9 soon after leaves.
    unnoted = {"position": "", "records": 0, "clean": False}
    assert unnoted.keys() <= noted.keys()
    path.write_text(json.dumps(noted | unnoted | {name: [0] * len(noted[name]) for name in ("sequences", "ends")}))

    def fetched():
        (line,) = [line for line in run(made, "status").stdout.splitlines() if line.split()[1:2] == ["fetched"]]
        return line

    assert "nothing has arrived" not in fetched() and "`users_created` has had 30 records since" in fetched()
    made.start()
    assert made.hops()["fetched.input"]["count"] == 30  # the log says so, before or after all is fetched again
    tailrace.wait_until(lambda: json.loads(path.read_text())["records"] == 30, "the note of what was fetched again")
    made.stop()
    assert fetched().split()[3] == "30"


@pytest.mark.parametrize("words", [["sql", "--limt", "5"], ["nothing"], [], ["sql", "--limit", "0"], ["check"],
                                   ["help", "sqll"]])
def test_a_wrong_command_line_exits_with_2(project, words):
    done = project.command(*words)
    assert done.returncode == 2 and done.stderr


def test_a_prompt_reads_statements_until_exit(project):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(tailrace.PROGRAM, [str(tailrace.PROGRAM), "sql", str(project.folder), "--data", str(project.data)])
    os.write(terminal, b"SELECT count(*) AS n\nFROM users;\nSELECT nme FROM users;\nexit\n")
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # the terminal is closed with the process
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = seen.decode()
    assert code == 1 and "tailrace>" in text and "->" in text and "30" in text and "query:1:8" in text


def test_colours_are_for_terminals(project):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("NO_COLOR", None)
        os.execv(tailrace.PROGRAM, [str(tailrace.PROGRAM), "status", str(project.folder), "--data", str(project.data)])
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 and b"\x1b[32mok" in seen


def test_a_running_project_is_asked_over_its_api(tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.jsonl").write_text(lines(range(5)))
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input"))).start()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 5, "five users")
    status = json.loads(run(project, "status", "--json").stdout)
    assert status["state"] == "running" and status["ready"] is True
    assert "not running" not in run(project, "status").stdout
    assert project.sql("SELECT count(*) AS n FROM created_users") == [{"n": 5}]
    assert run(project, "sql", "-c", "SELECT nme FROM users").returncode == 1
    project.stop()


def test_schemas_are_listed_shown_compared_and_registered_from_files(tmp_path):
    project = tailrace.Project(tmp_path, tailrace.EXAMPLE.with_name("random_users_avro")).start()
    address = ("--project", project.folder, "--data", project.data)

    def schemas(*words):
        return project.command("schemas", *words, *address)

    listed = schemas("list", "--json")
    assert json.loads(listed.stdout) == {"subject": "users_created-value", "version": 1, "id": 1, "type": "AVRO",
                                         "compatibility": "BACKWARD"}
    file = project.folder / "schemas" / "user.avsc"
    schema = json.loads(file.read_text())
    shown = schemas("show", "users_created-value")
    assert json.loads(shown.stdout) == schema
    other = tmp_path / "other.avsc"
    other.write_text(json.dumps({**schema, "fields": [*schema["fields"], {"name": "vip", "type": "boolean"}]}))
    refused = schemas("check", "users_created-value", other)
    assert refused.returncode == 1
    assert "may not follow the versions of users_created-value" in refused.stderr and "vip" in refused.stderr
    assert schemas("register", "users_created-value", other).returncode == 1
    other.write_text(json.dumps({**schema, "fields": [*schema["fields"],
                                                      {"name": "vip", "type": "boolean", "default": False}]}))
    assert schemas("check", "users_created-value", other).returncode == 0
    assert schemas("register", "users_created-value", other).stdout == "version 2 of users_created-value, id 2\n"
    compared = schemas("diff", "users_created-value").stdout.splitlines()
    assert compared[0] == "users_created-value version 1 -> 2"
    changed = [line for line in compared[1:] if not line.startswith(" ")]
    assert [line for line in changed if "vip" in line] == ['+       "name": "vip",']
    assert not any(line.startswith("-") for line in changed)
    missing = schemas("show", "nothing")
    assert missing.returncode == 1 and "Subject 'nothing' not found." in missing.stderr
    project.stop()


def test_sources_names_every_type_and_every_option_for_people_and_scripts(tmp_path):
    run = lambda *words: subprocess.run([tailrace.PROGRAM, "sources", *words], capture_output=True, text=True)
    types = [json.loads(line) for line in run("--json").stdout.splitlines()]
    assert {"fake", "http", "files", "postgres"} <= {one["type"] for one in types}
    listed = run().stdout.splitlines()
    assert [line.split()[0] for line in listed] == [one["type"] for one in types]
    for one in types:
        shown = run(one["type"]).stdout
        for option in one["options"]:
            line = next(line for line in shown.splitlines() if line.split()[:1] == [option["name"]])
            assert option["needed"] == (line.split()[1] == "needed") and option["default"] in line
        assert json.loads(run(one["type"], "--json").stdout) == one
    wrong = run("htp")
    assert wrong.returncode == 1 and 'did you mean "http"?' in wrong.stderr


def test_an_option_that_a_source_does_not_have_is_named_by_check_with_the_nearest(tmp_path):
    ingest = [{"name": "input", "topic": "users_created", "use": "fake", "fake": {"sede": 1}}]
    made = tailrace.Project(tmp_path, settings=tailrace.settings(ingest))
    done = made.command("check", made.folder)
    assert done.returncode == 1
    assert "tailrace.yml:" in done.stderr and 'did you mean "seed"? All of them: tailrace sources fake' in done.stderr


@pytest.mark.parametrize("way", ["--log-level", "TAILRACE_LOG_LEVEL"])
def test_diagnostics_below_the_level_are_left_out(tmp_path, way):
    ingest = [{"name": "input", "topic": "users_created", "use": "http",
               "http": {"url": "http://127.0.0.1:1/", "every": "50ms", "backoff": "50ms"}}]
    said = {}
    for level in ("warn", "error"):
        made = tailrace.Project(tmp_path / level, settings=tailrace.settings(ingest))
        words, env = (["--log-level", level], {}) if way.startswith("-") else ([], {way: level})
        made.process = subprocess.Popen(
            [tailrace.PROGRAM, "run", made.folder, "--data", made.data, *tailrace.FREE_PORTS, *words],
            stdout=subprocess.DEVNULL, stderr=open(made.log, "wb"), env=os.environ | env)
        tailrace.started.append(made.process)
        tailrace.wait_until(lambda: made.url() and "refused" in made.hops()["fetched.input"]["why"], "the failure")
        tailrace.wait_until(lambda: level == "error" or "refused" in made.log.read_text(), "a line of the failure")
        made.stop()
        said[level] = made.log.read_text()
    assert " info " not in said["warn"] and " warning " in said["warn"]
    assert " info " not in said["error"] and " warning " not in said["error"]
    done = made.command("run", made.folder, "--log-level", "loud")
    assert done.returncode != 0 and "--log-level: loud not in {debug,info,warn,error}" in done.stderr


@pytest.mark.parametrize("way", ["--log-format", "TAILRACE_LOG_FORMAT"])
def test_diagnostics_are_json_objects_where_that_is_asked_for(tmp_path, way):
    ingest = [{"name": "input", "topic": "users_created", "use": "http",
               "http": {"url": "http://me:sesame@127.0.0.1:1/?token=sesame", "every": "50ms", "backoff": "50ms"}}]
    made = tailrace.Project(tmp_path, settings=tailrace.settings(ingest))
    words, env = (["--log-format", "json"], {}) if way.startswith("-") else ([], {way: "json"})
    made.process = subprocess.Popen(
        [tailrace.PROGRAM, "run", made.folder, "--data", made.data, *tailrace.FREE_PORTS, *words],
        stdout=subprocess.DEVNULL, stderr=open(made.log, "wb"), env=os.environ | env)
    tailrace.started.append(made.process)
    tailrace.wait_until(lambda: "refused" in made.log.read_text(), "a line of the failure")
    made.stop()
    lines = [json.loads(line) for line in made.log.read_text().splitlines()]
    rooms = {path.name for path in (tailrace.ROOT / "src").iterdir() if path.is_dir()}
    fields = {"topic", "partition", "offset", "source", "table", "flow", "function", "dag", "run", "task", "rule",
              "channel"}
    for line in lines:
        assert list(line)[:4] == ["time", "level", "room", "message"] and line["room"] in rooms, line
        assert set(list(line)[4:]) <= fields, line
    failure = next(line for line in lines if "refused" in line["message"])
    assert failure["level"] == "warn" and failure["message"].startswith("ingest input: ")
    assert (failure["room"], failure["source"], failure["topic"]) == ("connect", "input", "users_created")
    assert failure["time"].endswith("Z") and "sesame" not in made.log.read_text()
