"""datacontract-cli judges random rules over the Delta table as they are judged here: each value, each verdict."""
import json
import os
import random
import subprocess

import pytest
import tailrace
from orders_contract import HEAD, orders_project

PYTHON = os.environ.get("TAILRACE_DATACONTRACT")
LIMITS = ("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
          "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween")


def limit(rng, near):
    name = rng.choice(LIMITS)
    value = max(0, near + rng.choice((-1, 0, 0, 1)))
    return {name: [value, value + rng.randrange(1, 4)] if name.endswith("Between") else value}


def of_a_column(rng, column, rows):
    """One of each metric: datacontract-cli knows no more of a column."""
    rules = []
    for metric in rng.sample(("nullValues", "missingValues", "invalidValues", "duplicateValues"), 4):
        rule = {"id": f"{column}_{metric}", "metric": metric, "severity": "error"}
        values = ["a", "ab", ""] if column == "status" else [1, 3]
        if metric == "missingValues":
            rule["arguments"] = {"missingValues": [None, *rng.sample(values, rng.randrange(len(values)))]}
        if metric == "invalidValues":
            patterns = [{"pattern": "^a"}, {"pattern": "b$"}] if column == "status" else []
            rule["arguments"] = rng.choice([{"validValues": values}, *patterns])
        if rng.random() < 0.4 and metric != "duplicateValues":
            rule["unit"] = "percent"
        # A rule that allows no row at all is an expectation.
        rules.append(rule | limit(rng, 3 + rng.randrange(100 if "unit" in rule else rows // 3)))
    return rules


def of_the_table(rng, rows):
    rules = [{"id": "rows", "metric": "rowCount", "severity": "error"} | limit(rng, rows)]
    columns = rng.sample(["id", "status", "amount"], rng.randrange(1, 4))
    rules.append({"id": "keys", "metric": "duplicateValues", "severity": "error",
                  "arguments": {"properties": columns}} | limit(rng, rng.randrange(9)))
    for i, query in enumerate(("SELECT sum(amount) FROM {object}", "SELECT count(DISTINCT status) FROM ${table}",
                               "SELECT max(id) - min(id) FROM orders_raw WHERE status IS NOT NULL",
                               "SELECT amount FROM {object} WHERE id > 1000000")):
        rule = {"id": f"q{i}", "type": "sql", "query": query, "severity": "error"}
        rules.append(rule | limit(rng, rng.randrange(40)))
    return rules


@pytest.mark.parametrize("seed", range(8))
def test_each_value_and_verdict_is_that_of_datacontract_cli(tmp_path, seed):
    if not PYTHON:
        pytest.skip("TAILRACE_DATACONTRACT is not set; tests/real/datacontract_env.sh prints it")
    import deltalake
    import pyarrow.parquet

    rng = random.Random(seed)
    rows = rng.randrange(5, 60)
    parquet = tmp_path / "orders_raw.parquet"
    contract = HEAD + "servers: [{server: lake, type: local, path: %s, format: parquet}]\nschema: " % parquet
    contract += json.dumps([{
        "name": "orders_raw", "physicalType": "table", "quality": of_the_table(rng, rows + 5), "properties": [
            {"name": "id", "logicalType": "integer", "unique": True},
            {"name": "status", "logicalType": "string", "quality": of_a_column(rng, "status", rows + 5)},
            {"name": "amount", "logicalType": "number", "quality": of_a_column(rng, "amount", rows + 5)}]}])
    project = orders_project(tmp_path, contract)
    (tmp_path / "given" / "more.jsonl").write_text("".join(json.dumps({
        "id": rng.randrange(40), "status": rng.choice((None, "", "a", "ab", "b", "c%d" % rng.randrange(9))),
        "amount": rng.randrange(6)}) + "\n" for _ in range(rows)))
    project.once()
    table = deltalake.DeltaTable(str(project.data / "lake" / "orders_raw")).to_pyarrow_table()
    pyarrow.parquet.write_table(table, parquet)
    side = tailrace.ROOT / "tests" / "real" / "datacontract_side.py"
    done = subprocess.run([PYTHON, side, project.folder / "contracts" / "orders.yml"], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = [{"value": row["value"], "passed": row["state"] == "holds"}
            for row in project.sql("SELECT * FROM system.contract_rules")]
    assert ours == theirs
    assert {one["passed"] for one in ours} == {True, False}
