"""Data contracts of a project, and the rules of a registered schema: what is checked before a start, what becomes of
records that break them."""
import json

import registry
from orders_contract import CONTRACT, HEAD, SCHEMA, orders_project


def test_records_are_held_to_the_contract_of_their_topic_and_table(tmp_path):
    project = orders_project(tmp_path, CONTRACT)
    project.once()
    assert [row["id"] for row in project.sql("SELECT id FROM orders_raw ORDER BY id")] == [1, 3, 4, 5]
    assert [row["id"] for row in project.sql("SELECT id FROM orders_clean ORDER BY id")] == [1, 5]
    letters = project.sql("SELECT flow, reason, origin FROM system.dead_letters ORDER BY offset")
    assert letters == [
        {"flow": "orders", "reason": "expectation status_required", "origin": "orders-0@1"},
        {"flow": "orders_clean", "reason": "expectation status_pattern", "origin": "orders-0@2"},
        {"flow": "orders_clean", "reason": "expectation small", "origin": "orders-0@3"}]
    counts = {row["name"]: (row["table_name"], row["action"], row["passed"], row["failed"])
              for row in project.sql("SELECT * FROM system.expectations")}
    assert counts == {
        "status_required": ("orders", "drop", 4, 1), "not_free": ("orders", "warn", 4, 1),
        "status_pattern": ("orders_clean", "drop", 3, 1), "small": ("orders_clean", "drop", 3, 1)}
    assert project.sql("SELECT owner, kind, name, rules, kept, judged FROM system.contracts ORDER BY name") == [
        {"owner": "shop (ann)", "kind": "topic", "name": "orders", "rules": 2, "kept": 0, "judged": 0},
        {"owner": "shop (ann)", "kind": "table", "name": "orders_clean", "rules": 2, "kept": 1, "judged": 1}]
    assert project.sql("SELECT property, value, unit FROM system.service_levels WHERE unit = 's'") == [
        {"property": "latency", "value": "5", "unit": "s"}]


def test_a_record_that_stops_all_that_read_its_topic_is_a_dead_letter(tmp_path):
    project = orders_project(tmp_path, CONTRACT.replace("validValues: [0.5, 1, 2, 3, 4]}, mustBe: 0}",
                                                        "validValues: [0.5, 1, 2, 3, 4]}, mustBe: 0, severity: fatal}"))
    for _ in range(2):  # a start reads the record again, and has one letter of it
        project.once()
        letters = project.sql("SELECT flow, reason, origin FROM system.dead_letters ORDER BY offset")
        assert letters == [
            {"flow": "orders", "reason": "expectation status_required", "origin": "orders-0@1"},
            {"flow": "orders", "reason": "expectation not_free", "origin": "orders-0@4"}]
        (raw,) = project.sql("SELECT failed FROM system.tables WHERE name = 'orders_raw'")
        assert raw["failed"].startswith("the record orders-0@4 broke expectation not_free (")
    contract = project.folder / "contracts" / "orders.yml"
    contract.write_text(contract.read_text().replace("severity: fatal", "severity: warning"))
    project.once()
    assert [row["id"] for row in project.sql("SELECT id FROM orders_raw ORDER BY id")] == [1, 3, 4, 5]


def test_check_shows_a_contract_and_what_of_it_is_only_kept(tmp_path):
    project = orders_project(tmp_path, CONTRACT)
    done = project.command("check", project.folder)
    assert done.returncode == 0, done.stderr
    assert "contract orders 1.0.0 (active, owner shop (ann)): topic orders, 2 rules; table orders_clean, 2 rules" \
        in done.stdout
    assert "service level: latency 5 s of orders_clean.id" in done.stdout
    assert "judged: many of orders_clean: rows, mustBeGreaterThan: 1" in done.stdout
    assert "kept, not evaluated: text: it is a text for people" in done.stdout


def test_a_project_that_breaks_its_contract_does_not_start(tmp_path):
    project = orders_project(tmp_path, HEAD + """schema:
- name: orders_clean
  properties:
  - {name: id, logicalType: string}
  - {name: stauts}
""")
    for words in (["check", project.folder], ["run", project.folder, "--data", project.data, "--once"]):
        done = project.command(*words)
        assert done.returncode != 0
        assert "contracts/orders.yml:9:5: `id` of table orders_clean is BIGINT, the contract says string" in done.stderr
        assert "contracts/orders.yml:10:5: table orders_clean has no column `stauts`; did you mean `status`?" \
            in done.stderr


def rules(*domain):
    return {"schema": json.dumps(SCHEMA), "ruleSet": {"domainRules": list(domain)}}


def condition(name, expr, **more):
    return {"name": name, "kind": "CONDITION", "type": "CEL", "mode": "WRITEREAD", "expr": expr} | more


def ruling_registry(folder):
    (folder / "registry").mkdir()
    return registry.Registry(folder / "registry").start()


def test_a_schemas_rules_hold_what_sources_write(tmp_path):
    outside = ruling_registry(tmp_path)
    status, answer = outside.ask("POST", "/subjects/orders-value/versions", rules(
        condition("priced", "message.amount > 0.0", mode="WRITE"),
        condition("known", "has(message.status) ; message.status in ['NEW', 'PAID']", onFailure="DLQ"),
        condition("lenient", "message.id < 0", onFailure="NONE"),
        {"name": "secret", "kind": "TRANSFORM", "type": "ENCRYPT", "mode": "WRITEREAD"}))
    assert status == 200, answer
    project = orders_project(tmp_path)
    text = (project.folder / "tailrace.yml").read_text()
    settings = json.loads(text) | {"roles": {"registry": outside.url}}
    del settings["topics"]["orders"]["schema"]
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    done = project.once()
    assert "rule secret is kept and not evaluated: its kind is TRANSFORM" in done.stderr
    assert [row["id"] for row in project.sql("SELECT id FROM orders_raw ORDER BY id")] == [1, 2, 4]
    details = [row["detail"] for row in project.sql("SELECT detail FROM system.dead_letters ORDER BY detail")]
    assert [detail[detail.index("rule "):] for detail in details] == [
        "rule known: has(message.status) ; message.status in ['NEW', 'PAID'] is false",
        "rule priced: message.amount > 0.0 is false"]
    outside.stop()


def test_a_schemas_rules_hold_what_is_read(tmp_path):
    outside = ruling_registry(tmp_path)
    status, answer = outside.ask("POST", "/subjects/orders-value/versions", rules(
        condition("priced", "message.amount > 0.0", mode="READ")))
    assert status == 200, answer
    project = orders_project(tmp_path)
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["roles"] = {"registry": outside.url}
    del settings["topics"]["orders"]["schema"]
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    project.once()
    assert [row["id"] for row in project.sql("SELECT id FROM orders_raw ORDER BY id")] == [1, 2, 3, 4]
    assert project.sql("SELECT flow, reason, detail, origin FROM system.dead_letters") == [
        {"flow": "orders", "reason": "rule", "detail": "rule priced: message.amount > 0.0 is false",
         "origin": "orders-0@4"}]
    outside.stop()
