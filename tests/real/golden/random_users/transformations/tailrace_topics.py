# The topics' relations, written by `tailrace spark`.
from pathlib import Path

from pyspark import pipelines as dp

TOPICS = Path(__file__).resolve().parent.parent / "topics"
SCHEMA = "key STRING, value {}, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
# try_parse_json takes text after the document's end; inside brackets, and as a field, it cannot follow. It replaces
# what is not UTF-8.
IS_JSON = (
    "(value IS NULL OR is_valid_utf8(value) AND try_parse_json(concat('[', value, ']')) IS NOT NULL"
    " AND try_parse_json(concat('{\"\":', value, '}')) IS NOT NULL)"
)


def records(topic, value="STRING"):
    # `spark` is given by spark-pipelines
    return spark.readStream.schema(SCHEMA.format(value)).parquet(str(TOPICS / topic))


@dp.temporary_view(name="users_created")
def topic_0():
    return records("users_created").where(IS_JSON)


@dp.table(name="users_created__rejected")
def rejected_0():
    return records("users_created").where("NOT " + IS_JSON)
