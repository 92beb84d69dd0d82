"""What a newcomer gets wrong: `tailrace check` names the place and says what to do, in one line."""

import pytest
import tailrace


def replaced(old, new):
    def change(text):
        assert old in text, old
        return text.replace(old, new, 1)

    return change


def added(more):
    return lambda text: text + more


def whole(text):
    return lambda _: text


YML, SPEC, BRONZE, SILVER, GOLD = (
    "tailrace.yml",
    "spark-pipeline.yml",
    "transformations/bronze.sql",
    "transformations/silver.sql",
    "transformations/gold.sql",
)
VIEW = "\nCREATE MATERIALIZED VIEW v AS SELECT country FROM users;\n"

CASES = {
    "a tab in YAML": (YML, replaced("    partitions: 2", "\tpartitions: 2"), ["tailrace.yml:", "tab", "blanks"]),
    "a bracket not closed": (YML, replaced("key: [id]}", "key: [id}"), ["tailrace.yml:"]),
    "a quote not closed": (YML, replaced("name: random_users", 'name: "random_users'), ["tailrace.yml:", "quote"]),
    "an unknown key at the top": (YML, replaced("serving:", "servings:"), ["tailrace.yml:", "did you mean `serving`"]),
    "an unknown key of a topic": (YML, replaced("retention: 7d", "retantion: 7d"), ["tailrace.yml:", "`retention`"]),
    "an unknown option of a source": (YML, replaced("rate: 50", "rat: 50"), ["tailrace.yml:", "rat", "rate"]),
    "a wrong type": (YML, replaced("partitions: 2", "partitions: two"), ["tailrace.yml:", "whole number", "two"]),
    "a list for a word": (YML, replaced("format: json", "format: [json]"), ["tailrace.yml:", "one value"]),
    "a number out of range": (YML, replaced("partitions: 2", "partitions: 0"), ["tailrace.yml:", "1 to 10000"]),
    "a time without unit": (YML, replaced("retention: 7d", "retention: week"), ["tailrace.yml:", "5d"]),
    "topics as a list": (
        YML,
        replaced("topics:\n  users_created:", "topics:\n  - users_created:"),
        ["tailrace.yml:", "`topics` is a mapping"],
    ),
    "ingest as a mapping": (
        YML,
        lambda text: text[:text.index("ingest:\n")] + "ingest:\n  name: random_users\n"
        + text[text.index("# Rows between"):],
        ["tailrace.yml:", "`ingest` is a list"],
    ),
    "a source without topic": (
        YML,
        replaced("    topic: users_created\n", ""),
        ["tailrace.yml:", "`topic` is missing"],
    ),
    "a source of an unknown topic": (
        YML,
        replaced("topic: users_created", "topic: users_creatd"),
        ["tailrace.yml:", "did you mean `users_created`"],
    ),
    "an unknown kind of source": (
        YML,
        replaced("    use: fake", "    use: kafka"),
        ["tailrace.yml:", "`use` is fake, http, files", "tailrace sources"],
    ),
    "a URL that is none": (
        YML,
        lambda t: replaced("url: https://randomuser.me/api/?results=50", "url: randomuser")(
            replaced("    use: fake", "    use: http")(t)
        ),
        ["tailrace.yml:", "url", "http"],
    ),
    "a role that is not there yet": (
        YML,
        replaced("lake: embedded", "lake: s3://bucket"),
        ["tailrace.yml:", "not supported yet", "embedded"],
    ),
    "a Cassandra without keyspace": (
        YML,
        replaced("serving: embedded", "serving: cassandra://localhost:9042"),
        ["tailrace.yml:", "the keyspace is missing", "cassandra://HOST:PORT/KEYSPACE"],
    ),
    "a Cassandra with a port that is none": (
        YML,
        replaced("serving: embedded", "serving: cassandra://a:9042,b:port/shop"),
        ["tailrace.yml:", "a port is 1 to 65535"],
    ),
    "a password in a URL": (
        YML,
        replaced("serving: embedded", "serving: cassandra://me:secret@localhost/shop"),
        ["tailrace.yml:", "no user in it", "`user` and `password`"],
    ),
    "another database": (
        YML,
        replaced("serving: embedded", "serving: postgres://localhost/shop"),
        ["tailrace.yml:", "embedded or cassandra://HOST:PORT/KEYSPACE"],
    ),
    "a user without password": (
        YML,
        replaced("serving: embedded", "serving: {url: cassandra://localhost/shop, user: me}"),
        ["tailrace.yml:", "`user` and `password` go together"],
    ),
    "an authority's file that is not there": (
        YML,
        replaced("serving: embedded", "serving: {url: cassandra://localhost/shop, ca_file: no.pem}"),
        ["tailrace.yml:", "no.pem"],
    ),
    "an unset variable": (
        YML,
        replaced("name: random_users", "name: ${NO_SUCH_NAME}"),
        ["tailrace.yml:", "NO_SUCH_NAME", "export"],
    ),
    "a secret file that is not there": (
        YML,
        replaced("name: random_users", "name: file:secret.txt"),
        ["tailrace.yml:", "secret.txt"],
    ),
    "serving without key": (
        YML,
        replaced("{table: users, key: [id]}", "{table: users}"),
        ["tailrace.yml:", "`key` is missing", "key: [id]"],
    ),
    "serving of an unknown table": (
        YML,
        replaced("{table: users, key: [id]}", "{table: userz, key: [id]}"),
        ["tailrace.yml:", "userz", "did you mean `users`"],
    ),
    "serving by an unknown column": (
        YML,
        replaced("{table: users, key: [id]}", "{table: users, key: [idd]}"),
        ["tailrace.yml:", "idd", "`id`"],
    ),
    "a table served twice": (YML, added("\n"), None),
    "a key twice": (YML, replaced("checkpoint:", "lake: {}\ncheckpoint:"), ["tailrace.yml:", "twice"]),
    "no name in the spec": (
        SPEC,
        lambda t: "\n".join(x for x in t.splitlines() if not x.startswith("name")),
        ["`name` is missing"],
    ),
    "an unknown key of the spec": (SPEC, added("\nlibrarys: []\n"), ["spark-pipeline.yml:", "`libraries`"]),
    "a library that is only a path": (
        SPEC,
        whole("name: p\nstorage: file:///tmp/p\nlibraries: [transformations]\n"),
        ["spark-pipeline.yml:", "glob", "include"],
    ),
    "a library folder that is not there": (
        SPEC,
        whole("name: p\nstorage: file:///tmp/p\nlibraries:\n  - glob: {include: sql/**}\n"),
        ["sql/**", "no file"],
    ),
    "a number where the spec wants text": (
        SPEC,
        replaced('partitions: "2"', "partitions: 2"),
        ["spark-pipeline.yml:", "quotes"],
    ),
    "storage that is no URI": (SPEC, whole("name: p\nstorage: data\n"), ["spark-pipeline.yml:", "file:///"]),
    "an empty spec": (SPEC, whole(""), ["`name` is missing"]),
    "an unknown table in SQL": (GOLD, replaced("FROM users", "FROM userz"), ["gold.sql:", "userz"]),
    "an unknown column": (
        GOLD,
        replaced("GROUP BY country, gender", "GROUP BY contry, gender"),
        ["gold.sql:", "contry", "country"],
    ),
    "an unknown function": (
        GOLD,
        added(VIEW.replace("SELECT country", "SELECT uper(country) AS c")),
        ["gold.sql:", "uper"],
    ),
    "a wrong argument": (
        GOLD,
        added(VIEW.replace("SELECT country", "SELECT abs(country, 1) AS c")),
        ["gold.sql:", "abs"],
    ),
    "a forgotten comma": (
        GOLD,
        replaced("SELECT country, gender", "SELECT country AS c gender"),
        ["gold.sql:", "gender"],
    ),
    "a forgotten semicolon": (GOLD, lambda t: t.rstrip().removesuffix(";") + "\n" + VIEW, ["gold.sql:"]),
    "a quote not closed in SQL": (
        GOLD,
        added("\nCREATE MATERIALIZED VIEW v AS SELECT 'x AS c FROM users;\n"),
        ["gold.sql:"],
    ),
    "two tables of one name": (
        GOLD,
        added(VIEW.replace("VIEW v", "VIEW users")),
        ["gold.sql:", "silver.sql:", "already made"],
    ),
    "a table that reads itself": (GOLD, added(VIEW.replace("FROM users", "FROM v")), ["gold.sql:", "`v`", "cycle"]),
    "a cycle of two tables": (
        GOLD,
        added("\nCREATE MATERIALIZED VIEW v AS SELECT * FROM w;\nCREATE MATERIALIZED VIEW w AS SELECT * FROM v;\n"),
        ["gold.sql:", "cycle"],
    ),
    "a stream of a view": (
        GOLD,
        added("\nCREATE STREAMING TABLE v AS SELECT * FROM users;\n"),
        ["gold.sql:", "STREAM"],
    ),
    "a view of a stream": (
        GOLD,
        added("\nCREATE MATERIALIZED VIEW v AS SELECT * FROM STREAM users_raw;\n"),
        ["gold.sql:", "streaming"],
    ),
    "a flow into nothing": (
        GOLD,
        added("\nCREATE FLOW f AS INSERT INTO nothing BY NAME SELECT * FROM STREAM users_raw;\n"),
        ["gold.sql:", "nothing"],
    ),
    "two flows of other columns into one table": (
        GOLD,
        added("\nCREATE STREAMING TABLE v;\n"
              "CREATE FLOW f AS INSERT INTO v BY NAME SELECT key, offset FROM STREAM users_raw;\n"
              "CREATE FLOW g AS INSERT INTO v BY NAME SELECT key, CAST(offset AS STRING) AS offset "
              "FROM STREAM users_raw;\n"),
        ["gold.sql:", "`v`: column 2 is `offset` STRING here and `offset` BIGINT there\n"],
    ),
    "a target without flow": (GOLD, added("\nCREATE STREAMING TABLE empty;\n"), ["gold.sql:", "no flow writes"]),
    "an aggregation without watermark": (
        GOLD,
        added("\nCREATE STREAMING TABLE v AS SELECT key, count(*) AS n FROM STREAM users_raw GROUP BY key;\n"),
        ["gold.sql:", "WATERMARK"],
    ),
    "an expectation of an unknown column": (
        SILVER,
        replaced("EXPECT (age >= 0", "EXPECT (agee >= 0"),
        ["silver.sql:", "agee"],
    ),
    "a misspelt violation": (SILVER, replaced("ON VIOLATION DROP ROW", "ON VIOLATION DROP ROWS"), ["silver.sql:"]),
    "two columns of one name": (
        GOLD,
        added("\nCREATE MATERIALIZED VIEW v AS SELECT country, city AS country FROM users;\n"),
        ["gold.sql:", "country", "already exists"],
    ),
    "a file of another kind": ("transformations/notes.txt", whole("notes"), ["notes.txt", ".sql or .py"]),
}
CASES.pop("a table served twice")


@pytest.mark.parametrize("name", CASES)
def test_check_says_in_one_line_where_and_what(tmp_path, name):
    file, change, words = CASES[name]
    project = tailrace.Project(tmp_path)
    path = project.folder / file
    path.write_text(change(path.read_text() if path.exists() else ""))
    done = project.command("check", project.folder)
    assert done.returncode == 1, done.stdout
    told = done.stderr
    assert told.startswith("tailrace: ") or "WARN" in told.splitlines()[0].upper(), told
    for word in words:
        assert word in told, told
    assert not (project.folder / ".tailrace").exists()


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path):
    project = tailrace.Project(tmp_path)
    for words in (["check", tmp_path / "nothing"], ["check", tmp_path], ["run", tmp_path], ["status", tmp_path]):
        done = project.command(*words)
        assert done.returncode == 1 and "tailrace init NAME" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "topics:\ningest:\nserving:\n", "topics: {users_created: }\n"])
def test_what_is_left_out_has_defaults(tmp_path, text):
    project = tailrace.Project(tmp_path)
    (project.folder / "tailrace.yml").write_text(text)
    done = project.command("check", project.folder)
    missing = "users_created" in done.stderr and ":" in done.stderr  # the topic the SQL reads is not there
    assert done.returncode == 0 or missing, done.stderr


def test_a_topic_grows_when_tailrace_yml_says_so_and_never_shrinks(tmp_path):
    inbox = tmp_path / "input"
    inbox.mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox)))
    project.once()
    project.folder.joinpath("tailrace.yml").write_text(tailrace.settings(tailrace.files_from(inbox), partitions=3))
    project.once()
    project.folder.joinpath("tailrace.yml").write_text(tailrace.settings(tailrace.files_from(inbox), partitions=1))
    done = project.command("run", project.folder, "--data", project.data, "--once")
    assert done.returncode == 1 and "tailrace.yml:" in done.stderr and "only grow" in done.stderr
