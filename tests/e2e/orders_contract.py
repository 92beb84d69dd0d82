"""A project of orders with a schema, and the contract that its records are held to."""
import json

import tailrace

SQL = """
CREATE STREAMING TABLE orders_raw TBLPROPERTIES ('quality' = 'bronze') AS SELECT value.*, offset FROM STREAM orders;
CREATE STREAMING TABLE orders_clean TBLPROPERTIES ('quality' = 'silver') AS
SELECT id, status, amount FROM STREAM orders_raw;
"""

SCHEMA = {"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "status", "type": ["null", "string"], "default": None},
    {"name": "amount", "type": "double"}]}

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
"""

CONTRACT = HEAD + """team:
  name: shop
  members: [{username: ann, role: Owner}]
slaProperties:
- {property: retention, value: 7, unit: d, element: orders}
- {property: latency, value: 5, unit: s, element: orders_clean.id}
schema:
- name: orders
  physicalType: topic
  properties:
  - {name: status, logicalType: string, required: true}
  - name: amount
    logicalType: number
    quality: [{id: not_free, metric: invalidValues, arguments: {validValues: [0.5, 1, 2, 3, 4]}, mustBe: 0}]
- name: orders_clean
  physicalType: table
  properties:
  - {name: id, logicalType: integer, physicalType: BIGINT}
  - {name: status, logicalType: string, logicalTypeOptions: {pattern: '^[A-Z]+$'}}
  quality:
  - {id: many, metric: rowCount, mustBeGreaterThan: 1}
  - {type: text, description: Orders are not older than a day.}
  - {id: small, type: sql, query: SELECT count(*) FROM {object} WHERE amount > 2, mustBe: 0, severity: error}
""".replace("query: SELECT", "query: 'SELECT").replace("amount > 2,", "amount > 2',")

ORDERS = [{"id": 1, "status": "NEW", "amount": 1}, {"id": 2, "status": None, "amount": 1},
          {"id": 3, "status": "new", "amount": 2}, {"id": 4, "status": "PAID", "amount": 3},
          {"id": 5, "status": "PAID", "amount": 0}]


def orders_project(folder, contract=None, **topic):
    given = folder / "given"
    given.mkdir()
    (given / "orders.jsonl").write_text("".join(json.dumps(order) + "\n" for order in ORDERS))
    project = tailrace.with_sql(folder, SQL, json.dumps({
        "topics": {"orders": {"format": "avro", "schema": "order.avsc", "retention": "7d"} | topic},
        "ingest": [{"name": "input", "topic": "orders", "use": "files", "files": {"path": str(given)}}],
        "checkpoint": {"every": "200ms"},
    }))
    (project.folder / "order.avsc").write_text(json.dumps(SCHEMA))
    if contract:
        (project.folder / "contracts").mkdir()
        (project.folder / "contracts" / "orders.yml").write_text(contract)
    return project
