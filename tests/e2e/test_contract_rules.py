"""What contracts ask of all rows of a table: the number is the one that DuckDB counts in the Delta table, the verdict
is seen in tables, hops, metrics and alerts, and both follow the table."""
import json
import re
import urllib.request

import tailrace
from orders_contract import HEAD, orders_project
from receivers import Receiver
from tailrace import wait_until

RULES = HEAD + """schema:
- name: clean
  physicalName: orders_raw
  physicalType: table
  properties:
  - {name: id, unique: true}
  - name: status
    quality:
    - {id: many_states, metric: duplicateValues, mustBeLessThan: 2, severity: error}
    - {id: nameless, metric: nullValues, unit: percent, mustBeLessOrEqualTo: 10}
    - {id: shouting, metric: invalidValues, arguments: {pattern: '^[A-Z]+$'}, mustBeBetween: [1, 3]}
    - {id: missing, metric: missingValues, arguments: {missingValues: [null, new]}, mustNotBe: 2}
  - {name: amount}
  quality:
  - {id: many, metric: rowCount, mustBeGreaterThan: 5, severity: warning}
  - {id: pairs, metric: duplicateValues, arguments: {properties: [status, amount]}, mustBeGreaterOrEqualTo: 1}
  - {id: revenue, type: sql, query: 'SELECT sum(amount) FROM {object}', mustNotBeBetween: [0, 6]}
  customProperties: [{property: judgeEvery, value: 500ms}]
"""

NUMBERS = """
SELECT (SELECT count(*) FROM (SELECT id FROM t WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1)) AS id_unique,
  (SELECT count(*) FROM (SELECT status FROM t WHERE status IS NOT NULL GROUP BY status HAVING count(*) > 1))
    AS many_states,
  (SELECT round(count(*) FILTER (status IS NULL) * 100 / count(*), 6) FROM t) AS nameless,
  (SELECT count(*) FROM t WHERE NOT regexp_matches(status, '^[A-Z]+$')) AS shouting,
  (SELECT count(*) FROM t WHERE status IS NULL OR status = 'new') AS missing,
  (SELECT count(*) FROM t) AS many,
  (SELECT count(*) FROM (SELECT 1 FROM t WHERE status IS NOT NULL AND amount IS NOT NULL GROUP BY status, amount
    HAVING count(*) > 1)) AS pairs,
  (SELECT sum(amount) FROM t) AS revenue
"""


def in_delta(project):
    """The numbers as DuckDB counts them in the table's Delta folder."""
    import deltalake
    import duckdb

    connection = duckdb.connect()
    connection.register("t", deltalake.DeltaTable(str(project.data / "lake" / "orders_raw")).to_pyarrow_table())
    answer = connection.execute(NUMBERS)
    return dict(zip([column[0] for column in answer.description], answer.fetchone()))


def rules_of(project):
    return {row["name"]: row for row in project.sql("SELECT * FROM system.contract_rules")}


def test_each_number_is_the_one_in_the_delta_table(tmp_path):
    project = orders_project(tmp_path, RULES)
    (tmp_path / "given" / "more.jsonl").write_text("".join(
        json.dumps({"id": id, "status": status, "amount": amount}) + "\n"
        for id, status, amount in [(1, "NEW", 1), (6, "NEW", 2), (6, "x", 2), (7, None, 1)]))
    project.once()
    rules = rules_of(project)
    expected = in_delta(project)
    assert {name: row["value"] for name, row in rules.items()} == {k: float(v) for k, v in expected.items()}
    assert {name: row["state"] for name, row in rules.items()} == {
        "id_unique": "broken", "many_states": "broken", "nameless": "broken", "shouting": "holds", "missing": "holds",
        "many": "holds", "pairs": "holds", "revenue": "holds"}
    row = rules["nameless"]
    assert (row["contract"], row["table_name"], row["unit"], row["must"]) == (
        "orders", "orders_raw", "percent", "mustBeLessOrEqualTo: 10")
    assert row["judged_ms"] > 0 and row["table_version"] > 0
    assert project.sql("SELECT rules, kept, judged FROM system.contracts") == [{"rules": 0, "kept": 0, "judged": 8}]


def test_a_foreign_key_counts_the_rows_that_are_nowhere_in_the_other_table(tmp_path):
    project = orders_project(tmp_path, HEAD + """schema:
- name: orders
  physicalName: orders_raw
  physicalType: table
  properties:
  - {name: status, relationships: [{to: priced.status}]}
  - {name: amount}
  relationships: [{from: [orders.status, orders.amount], to: [priced.status, priced.amount]}]
- name: priced
  properties: [{name: status}, {name: amount}]
""")
    (project.folder / "transformations" / "priced.sql").write_text(
        "CREATE STREAMING TABLE priced AS SELECT status, amount FROM STREAM orders_raw WHERE amount > 1;")
    project.once()
    # NEW is in no priced row; (PAID, 0) and (NEW, 1) are not; who has no status refers to nothing.
    assert {name: (row["value"], row["state"]) for name, row in rules_of(project).items()} == {
        "status_reference": (1, "broken"), "reference": (2, "broken")}
    (tmp_path / "given" / "more.jsonl").write_text('{"id": 9, "status": "NEW", "amount": 4}\n')
    project.once()
    assert rules_of(project)["status_reference"]["state"] == "holds"
    assert rules_of(project)["reference"]["value"] == 2


def test_check_names_each_and_what_cannot_be_judged(tmp_path):
    project = orders_project(tmp_path, RULES + "  - name: events\n")
    (project.folder / "contracts" / "orders.yml").write_text(
        RULES.replace("SELECT sum(amount) FROM {object}", "SELECT TOP 1 amount FROM {object}"))
    done = project.command("check", project.folder)
    assert done.returncode == 0, done.stderr
    assert "  judged: many of orders_raw: rows, mustBeGreaterThan: 5; every 500ms\n" in done.stdout
    assert "  judged: id_unique of orders_raw: values of `id` that occur more than once, mustBe: 0; every 500ms\n" \
        in done.stdout
    assert "kept, not evaluated: revenue: " in done.stdout
    assert "judged: revenue" not in done.stdout


def test_a_broken_rule_is_on_the_hop_in_metrics_and_an_alert_until_it_holds(tmp_path):
    receiver = Receiver()
    project = orders_project(tmp_path, RULES)
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["alerts"] = {"channels": {"hook": {"webhook": {"url": receiver.url}}},
                          "rules": [{"contract": "orders_raw.many", "severity": "critical"}]}
    settings["ingest"][0]["files"]["every"] = "100ms"
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    project.start()
    wait_until(lambda: rules_of(project)["many"]["value"] == 5, "the rows are counted")
    assert rules_of(project)["many"]["state"] == "broken"
    hop = project.hops()["bronze.orders_raw"]
    assert "many is 5, mustBeGreaterThan: 5" in hop["detail"]
    status = project.command("status", project.folder, "--data", project.data)
    assert "many is 5, mustBeGreaterThan: 5" in status.stdout
    text = urllib.request.urlopen(project.url() + "/metrics", timeout=30).read().decode()
    labels = '{contract="orders",table="orders_raw",rule="many",severity="warning"}'
    assert f"tailrace_contract_rule_broken{labels} 1\n" in text
    assert f"tailrace_contract_rule_value{labels} 5\n" in text

    def alerts():
        return [alert for body in receiver.bodies() for alert in body["alerts"]]

    fired = wait_until(lambda: [alert for alert in alerts() if alert["status"] == "firing"], "the alert fires")[0]
    assert fired["labels"]["table"] == "orders_raw" and fired["labels"]["rule"] == "many"
    assert fired["labels"]["severity"] == "critical"
    # It may have fired before all of the rows were in.
    assert re.search("`many` of orders_raw is [0-5]; contract orders says mustBeGreaterThan: 5", json.dumps(fired))

    project.kill()
    project.start()
    assert rules_of(project)["many"]["value"] == 5
    (tmp_path / "given" / "more.jsonl").write_text('{"id": 9, "status": "NEW", "amount": 1}\n')
    wait_until(lambda: [alert for alert in alerts() if alert["status"] == "resolved"], "the alert ends")
    assert rules_of(project)["many"]["state"] == "holds"
    assert "many is" not in project.hops()["bronze.orders_raw"]["detail"]
    project.stop()
    # Told of a stopped project, too.
    assert rules_of(project)["many"]["value"] == 6
    receiver.stop()


def test_an_alert_on_a_rule_that_is_not_there_names_the_nearest(tmp_path):
    project = orders_project(tmp_path, RULES)
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["alerts"] = {"channels": {"hook": {"webhook": {"url": "http://127.0.0.1:9/"}}},
                          "rules": [{"contract": "orders_raw.mny"}]}
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    done = project.command("check", project.folder)
    assert done.returncode != 0
    assert "there is no rule over all rows `orders_raw.mny`; did you mean `orders_raw.many`?" in done.stderr
