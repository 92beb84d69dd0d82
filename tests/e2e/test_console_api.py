"""The console's API: what it answers is what spec/console-api.yml says, and a wrong question is told what is wrong."""

import http.client
import json
import pathlib
import re
import urllib.parse

import pytest
import tailrace
import yaml
from records import by_country_gender, lines, user

SPEC = yaml.safe_load((pathlib.Path(tailrace.ROOT) / "spec" / "console-api.yml").read_text())
BASH = "airflow.providers.standard.operators.bash.BashOperator"
ORDERS = f"""
orders:
  schedule: "@once"
  start_date: 2026-01-01
  tags: [shop]
  task_groups: {{load: {{}}}}
  tasks:
    read: {{operator: {BASH}, bash_command: "echo rows", task_group_name: load}}
    parts: {{operator: {BASH}, expand: {{bash_command: ["true", "exit 3"]}}, dependencies: [read], retries: 0}}
    rest: {{operator: {BASH}, bash_command: "true", dependencies: [parts]}}
"""
ODD = {"login": {"uuid": "a/b c%2F?é&=", "username": "odd"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(range(120)) + '{"no json\n')
    source = (tailrace.EXAMPLE / "transformations" / "silver.sql").read_text()
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input")))
    silver = made.folder / "transformations" / "silver.sql"
    fail = "CONSTRAINT id_is_uuid EXPECT (id IS NULL OR length(id) = 36) ON VIOLATION FAIL UPDATE"
    assert fail in source
    silver.write_text(source.replace(fail, "CONSTRAINT id_is_uuid EXPECT (id IS NULL OR length(id) = 36)"))
    (folder / "input" / "b.jsonl").write_text(json.dumps(user(500, **ODD), ensure_ascii=False) + "\n")
    (made.folder / "dags").mkdir()
    (made.folder / "dags" / "orders.yml").write_text(ORDERS)
    made.start()
    tailrace.wait_until(lambda: made.hops()["served.created_users"]["count"] == 121, "the users")
    yield made
    made.stop()


def ask(project, method, target, body=None, headers=None):
    """Status, headers and JSON or text of a request whose target is sent as it is."""
    host = urllib.parse.urlsplit(project.url()).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request(method, target, body, {"Content-Type": "application/json"} if headers is None else headers)
    answer = connection.getresponse()
    text = answer.read()
    kind = answer.headers.get_content_type()
    return answer.status, kind, json.loads(text) if kind == "application/json" else text.decode()


def resolved(node):
    while "$ref" in node:
        name = node["$ref"].removeprefix("#/").split("/")
        node = SPEC
        for part in name:
            node = node[part]
    return node


TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}


def conforms(value, schema, place="answer"):
    """The parts of JSON Schema that the specification uses."""
    schema = resolved(schema)
    if "type" in schema:
        assert isinstance(value, TYPES[schema["type"]]), (place, value)
        assert schema["type"] == "boolean" or not isinstance(value, bool), (place, value)
    if "enum" in schema:
        assert value in schema["enum"], (place, value)
    for number, item in enumerate(value if "items" in schema else []):
        conforms(item, schema["items"], f"{place}[{number}]")
    if schema.get("type") != "object":
        return
    known = schema.get("properties", {})
    assert set(schema.get("required", [])) <= set(value), place
    assert set(value) <= set(known) or "additionalProperties" in schema, (place, set(value) - set(known))
    for name, inner in value.items():
        conforms(inner, known.get(name, schema.get("additionalProperties")), f"{place}.{name}")


def check(path, method, status, kind, body):
    """The answer is one that the specification has, in its shape."""
    answers = SPEC["paths"][path][method.lower()]["responses"]
    assert str(status) in answers, (path, status, body)
    content = resolved(answers[str(status)])["content"]
    assert kind in content, (path, kind)
    if kind == "application/json":
        conforms(body, content[kind]["schema"])


QUESTIONS = [
    ("/api/status", "GET", "/api/status", None, 200),
    ("/api/tables", "GET", "/api/tables", None, 200),
    ("/api/tables/{name}", "GET", "/api/tables/created_users", None, 200),
    ("/api/tables/{name}", "GET", "/api/tables/users_raw?limit=5", None, 200),
    ("/api/tables/{name}", "GET", "/api/tables/nothing", None, 404),
    ("/api/tables/{name}", "GET", "/api/tables/created_users?limit=0", None, 400),
    ("/api/tables/{name}", "GET", "/api/tables/created_users?after=nonsense", None, 400),
    ("/api/tables/{name}", "GET", "/api/tables/created_users?from=a&from=b", None, 400),
    ("/api/tables/{name}", "GET", "/api/tables/users_raw?from=a", None, 409),
    ("/api/tables/{name}", "GET", "/api/tables/users_raw?after=x", None, 400),
    ("/api/tables/{name}/{key}", "GET", "/api/tables/created_users/nobody", None, 404),
    ("/api/tables/{name}/{key}", "GET", "/api/tables/users_raw/1", None, 409),
    ("/api/tables/{name}/{key}", "GET", "/api/tables/users_by_country_gender/Norway", None, 400),
    ("/api/sql", "POST", "/api/sql", '{"query": "SELECT 1 AS a"}', 200),
    ("/api/sql", "POST", "/api/sql", '{"query": "SELECT nothing"}', 400),
    ("/api/sql", "POST", "/api/sql", '{"query": "SELECT * FROM nothing"}', 404),
    ("/api/sql", "POST", "/api/sql", '{"query": "SELECT lag(1) OVER (ORDER BY 1)"}', 501),
    ("/api/sql", "POST", "/api/sql", '{"query": 5}', 400),
    ("/api/sql", "POST", "/api/sql", '{"query": "SELECT 1", "limit": 1e9}', 400),
    ("/api/sql", "POST", "/api/sql", "\xff\x00", 400),
    ("/api/dead-letters", "GET", "/api/dead-letters?limit=1", None, 200),
    ("/api/dead-letters", "GET", "/api/dead-letters?after=x", None, 400),
    ("/api/redrive", "POST", "/api/redrive", "{}", 400),
    ("/api/redrive", "POST", "/api/redrive", '{"ids": ["999999"]}', 200),
    ("/api/ingest/{name}/run", "POST", "/api/ingest/input/run", "{}", 200),
    ("/api/ingest/{name}/run", "POST", "/api/ingest/nothing/run", "{}", 404),
    ("/api/ingest/{name}/run", "POST", "/api/ingest/input/run", '{"seconds": "1"}', 400),
    ("/api/refresh", "POST", "/api/refresh", "{}", 200),
    ("/api/refresh", "POST", "/api/refresh", "", 400),
    ("/api/operations/{id}", "GET", "/api/operations/1", None, 200),
    ("/api/operations/{id}", "GET", "/api/operations/x", None, 404),
    ("/api/operations/{id}/stop", "POST", "/api/operations/1/stop", "{}", 200),
    ("/api/operations/{id}/stop", "POST", "/api/operations/x/stop", "{}", 404),
    ("/api/topics", "GET", "/api/topics", None, 200),
    ("/api/topics/{name}", "GET", "/api/topics/users_created", None, 200),
    ("/api/topics/{name}", "GET", "/api/topics/nothing", None, 404),
    ("/api/topics/{name}", "GET", "/api/topics/users_created?limit=1", None, 400),
    ("/api/topics/{name}/records", "GET", "/api/topics/users_created/records", None, 200),
    ("/api/topics/{name}/records", "GET", "/api/topics/users_created/records?partition=1&limit=3&offset=1", None, 200),
    ("/api/topics/{name}/records", "GET", "/api/topics/users_created/records?limit=0", None, 400),
    ("/api/topics/{name}/records", "GET", "/api/topics/users_created/records?partition=9", None, 404),
    ("/api/topics/{name}/records", "GET", "/api/topics/users_created/records?offset=99999", None, 416),
    ("/api/groups", "GET", "/api/groups", None, 200),
    ("/api/groups/{name}", "GET", "/api/groups/nobody", None, 404),
    ("/api/groups/{name}", "GET", "/api/groups/nobody?x=1", None, 400),
    ("/api/workflows", "GET", "/api/workflows?search=ORD&tag=shop&which=active&offset=0&limit=5", None, 200),
    ("/api/workflows", "GET", "/api/workflows?which=odd", None, 400),
    ("/api/workflows", "GET", "/api/workflows?limit=0", None, 400),
    ("/api/workflows/{name}", "GET", "/api/workflows/orders?state=success&type=scheduled&limit=3", None, 200),
    ("/api/workflows/{name}", "GET", "/api/workflows/orders?type=asset_materialization", None, 200),
    ("/api/workflows/{name}", "GET", "/api/workflows/nothing", None, 404),
    ("/api/workflows/{name}", "GET", "/api/workflows/orders?state=odd", None, 400),
    ("/api/workflows/{name}/runs/{run}", "GET", "/api/workflows/orders/runs/nothing", None, 404),
    ("/api/workflows/{name}/runs/{run}", "GET", "/api/workflows/orders/runs/nothing?x=1", None, 400),
    ("/metrics", "GET", "/metrics", None, 200),
    ("/healthz", "GET", "/healthz", None, 200),
    ("/readyz", "GET", "/readyz", None, 200),
]


@pytest.mark.parametrize("path, method, target, body, status", QUESTIONS, ids=lambda v: str(v)[:60])
def test_the_answer_is_the_specification_s(project, path, method, target, body, status):
    found, kind, answer = ask(project, method, target, body)
    assert found == status, answer
    check(path, method, found, kind, answer)
    if status >= 400:
        assert answer["error"]["message"] and answer["error"]["code"]


def test_a_run_of_a_workflow_is_shown_task_by_task_in_the_shape_of_the_specification(project):
    def newest():
        status, kind, answer = ask(project, "GET", "/api/workflows/orders")
        check("/api/workflows/{name}", "GET", status, kind, answer)
        return answer

    tailrace.wait_until(lambda: newest()["columns"] and newest()["columns"][0]["run"]["state"] == "failed", "the run")
    shown = newest()
    assert [(task["name"], task["group"], task["mapped"]) for task in shown["tasks"]] == [
        ("load.read", "load", False), ("parts", "", True), ("rest", "", False)]
    assert shown["tasks"][0]["downstream"] == ["parts"]
    cells = shown["columns"][0]["cells"]
    assert {task: cell["states"] for task, cell in cells.items()} == {
        "load.read": {"success": 1}, "parts": {"success": 1, "failed": 1}, "rest": {"upstream_failed": 1}}
    run = urllib.parse.quote(shown["columns"][0]["run"]["run_id"], safe="")
    status, kind, detail = ask(project, "GET", f"/api/workflows/orders/runs/{run}")
    check("/api/workflows/{name}/runs/{run}", "GET", status, kind, detail)
    states = {(one["task"], one["map_index"]): one["state"] for one in detail["instances"]}
    assert states == {("load.read", -1): "success", ("parts", 0): "success", ("parts", 1): "failed",
                      ("rest", -1): "upstream_failed"}
    failed = next(one for one in detail["instances"] if one["state"] == "failed")
    assert "exit code 3" in failed["tries"][0]["why"]
    listed = ask(project, "GET", "/api/workflows?which=failed")[2]
    assert [dag["name"] for dag in listed["dags"]] == ["orders"] and listed["tags"] == ["shop"]
    assert ask(project, "GET", "/api/workflows?which=paused")[2]["total"] == 0


def test_the_specification_has_every_address_of_the_server(project):
    routes = (pathlib.Path(tailrace.ROOT) / "src" / "console" / "routes.cc").read_text()
    served = set(re.findall(r'\{"(/[a-z/-]+)", "(GET|POST)"', routes))
    named = {
        (path, method.upper()) for path, item in SPEC["paths"].items() for method in item if method != "parameters"
    }
    assert served == {(path, method) for path, method in named if "{" not in path}
    for path in SPEC["paths"]:
        status, kind, answer = ask(project, "DELETE", path.replace("{name}", "users").replace("{key}", "1"))
        assert (status, kind) == (405, "application/json"), answer


def pages(project, target):
    rows, after = [], ""
    while True:
        _, _, page = ask(project, "GET", f"{target}&after={urllib.parse.quote(after, safe='')}")
        rows += [dict(zip([c["name"] for c in page["columns"]], row)) for row in page["rows"]]
        after = page["next"]
        if not after:
            return rows


@pytest.mark.parametrize("limit", [1, 7, 120, 121, 1000])
def test_pages_together_are_the_table_in_key_order(project, limit):
    ids = [row["id"] for row in pages(project, f"/api/tables/created_users?limit={limit}")]
    assert ids == sorted(
        [user(n)["login"]["uuid"] for n in range(120)] + [ODD["login"]["uuid"].lower()], key=str.encode
    )
    # A table that is not served is read from the lake, where rows come with a checkpoint.
    tailrace.wait_until(lambda: project.sql("SELECT count(*) AS n FROM users_raw") == [{"n": 121}], "the lake has all")
    raw = [(row["partition"], row["offset"]) for row in pages(project, f"/api/tables/users_raw?limit={limit}")]
    assert len(raw) == len(set(raw)) == 121


def test_a_long_answer_of_a_query_comes_in_pages(project):
    query = "SELECT explode(split(repeat('x,', 24999), ',')) AS x"
    page = ask(project, "POST", "/api/sql", json.dumps({"query": query, "limit": 30000}))[2]
    sizes = [len(page["rows"])]
    while page["next"]:
        status, kind, page = ask(project, "POST", "/api/sql", json.dumps({"next": page["next"]}))
        check("/api/sql", "POST", status, kind, page)
        sizes.append(len(page["rows"]))
    assert sizes == [10000, 10000, 5000] and page["truncated"] is False
    assert ask(project, "POST", "/api/sql", '{"next": "999:10000"}')[0] == 404
    assert ask(project, "POST", "/api/sql", '{"next": "x"}')[0] == 400


def test_composite_keys_have_rows_ranges_and_prefixes(project):
    expected = by_country_gender([*range(120), 500])

    def counts(query):
        return {
            (r["country"], r["gender"]): r["users"]
            for r in pages(project, f"/api/tables/users_by_country_gender?limit=2{query}")
        }

    assert counts("") == expected
    assert counts("&prefix=Norway") == {k: v for k, v in expected.items() if k[0] == "Norway"}
    assert counts("&from=France&from=male&to=Norway") == {
        k: v for k, v in expected.items() if ("France", "male") <= k < ("Norwaz", "")
    }
    assert counts("&to=Germany&to=female") == {k: v for k, v in expected.items() if k <= ("Germany", "female")}
    turkey = urllib.parse.quote("Türkiye")
    _, _, row = ask(project, "GET", f"/api/tables/users_by_country_gender/{turkey}/male")
    assert row["rows"] == [["Türkiye", "male", expected["Türkiye", "male"]]]


def test_a_key_of_odd_characters_is_found_when_it_is_encoded(project):
    key = urllib.parse.quote(ODD["login"]["uuid"].lower(), safe="")
    status, _, row = ask(project, "GET", f"/api/tables/created_users/{key}")
    assert status == 200 and row["rows"][0][0] == ODD["login"]["uuid"].lower()
    for bad in ("%", "%zz", "%00"):
        assert ask(project, "GET", f"/api/tables/created_users/{bad}")[0] == 400


def test_keys_of_other_types_are_read_by_them(project):
    for table, key in (("signups", "x"), ("created_users", "%FF%FE")):
        status, _, answer = ask(project, "GET", f"/api/tables/{table}/{key}")
        assert status in (400, 404), answer


def test_a_body_above_the_limit_is_refused_before_it_is_read(project):
    status, kind, answer = ask(project, "POST", "/api/sql", headers={"Content-Length": str(17 << 20)})
    assert status == 413
    check("/api/sql", "POST", status, kind, answer)


def test_a_head_above_the_limit_is_refused(project):
    status, kind, answer = ask(project, "GET", "/api/status", headers={"X-Long": "x" * (40 << 10)})
    assert (status, kind) == (431, "application/json") and answer["error"]["message"]


def test_a_misspelt_parameter_is_named(project):
    status, _, answer = ask(project, "GET", "/api/tables/created_users?limt=5")
    assert status == 400 and "limt" in answer["error"]["message"]


def test_a_query_that_reads_an_empty_table_is_told_why(tmp_path):
    (tmp_path / "input").mkdir()
    settings = json.loads(tailrace.settings(tailrace.files_from(tmp_path / "input"))) | {"checkpoint": {"every": "1h"}}
    project = tailrace.Project(tmp_path, settings=json.dumps(settings))
    project.start()

    def notes(query):
        status, kind, page = ask(project, "POST", "/api/sql", json.dumps({"query": query}))
        check("/api/sql", "POST", status, kind, page)
        return page["notes"]

    read = "SELECT * FROM users_raw"
    tailrace.wait_until(lambda: notes(read) == [f"`users_raw` is empty: {project.hops()['bronze.users_raw']['why']}"],
                        "the words of the hop")
    (tmp_path / "input" / "a.jsonl").write_text(lines(range(3)))
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 3, "the users")
    later = "`users_raw` has 3 rows, which the lake shows from the next checkpoint on"
    assert notes(read) == [later] and notes("SELECT 1") == []
    done = project.command("sql", project.folder, "--data", project.data, "-c", read)
    assert done.returncode == 0 and f"tailrace: {later}\n" in done.stderr
    assert len(project.sql("SELECT * FROM created_users")) == 3
    project.stop()
