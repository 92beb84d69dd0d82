"""One project, two engines, same rows, beyond the example: tests/real/shop over odd values, and which texts are JSON.

Tailrace gets the records in two parts, so that joins, top-N and aggregates take rows back; Spark computes each view
once from all of them.
"""
import pathlib

import json_values
import pytest
import shop_records
import spark_side
import tailrace
import topic_log
from spark_side import assert_same, letters, needs_spark, rows, run_on_spark

SHOP = pathlib.Path(__file__).parent / "shop"
TABLES = sorted(word.split()[0] for file in SHOP.glob("transformations/*.sql")
                for kind in ("CREATE STREAMING TABLE ", "CREATE MATERIALIZED VIEW ")
                for word in file.read_text().split(kind)[1:])


def inputs():
    """Topic → its records, in the order of their times."""
    return {"orders": shop_records.topic(shop_records.orders(), 20_000),
            "customers": shop_records.topic(shop_records.customers(), 1_000),
            "odd": shop_records.topic_of_bytes(json_values.VALUES)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The project after Tailrace, and the folder of Spark's tables."""
    folder = tmp_path_factory.mktemp("shop")
    project = tailrace.Project(folder, source=SHOP)
    for part in (0, 1):
        for topic, records in inputs().items():
            half = len(records) // 2
            topic_log.append(project.data, topic, records[half:] if part else records[:half],
                             partitions=1 if topic == "odd" else 2)
        project.once()
    failed = project.sql("SELECT name, failed FROM system.tables WHERE failed <> ''")
    assert failed == []
    done = run_on_spark(project, folder / "spark", "local[2]")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return project, folder / "spark" / "warehouse"


@needs_spark
@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_the_same_rows_on_spark(both, table):
    project, spark = both
    assert_same(rows(project.data / "lake" / table), rows(spark / table), table)


@needs_spark
@pytest.mark.parametrize("topic", ["orders", "customers", "odd"])
def test_the_same_records_are_no_json_on_spark(both, topic):
    project, spark = both
    found = project.sql("SELECT partition, offset FROM system.dead_letters "
                        f"WHERE flow = '{topic}' AND reason = 'decode'")
    refused = rows(spark / f"{topic}__rejected", texts_as_bytes=True)
    ours, theirs = (sorted((row["partition"], row["offset"]) for row in side) for side in (found, refused))
    values = [record[3] for record in inputs()[topic]]
    differ = [offset for _, offset in set(ours) ^ set(theirs)]
    assert ours == theirs, [values[offset][:60] for offset in differ] if topic == "odd" else differ


@needs_spark
def test_the_same_rows_are_in_quarantine_on_spark(both):
    project, spark = both
    theirs = rows(spark / "order_rows__quarantine")
    assert letters(project, "order_rows") == sorted((row["partition"], row["offset"], row["reason"]) for row in theirs)
