"""Real Spark reads and writes our topics, in a batch and as a stream whose broker is killed."""
import json
import pathlib

import confluent_kafka.admin
import pytest
import tailrace
from broker import Broker
from spark_side import JARS, needs_spark

pytestmark = needs_spark


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    from pyspark.sql import SparkSession
    folder = tmp_path_factory.mktemp("spark")
    session = (SparkSession.builder.master("local[2]").appName("topics")
               .config("spark.jars", ",".join(map(str, sorted(pathlib.Path(JARS).glob("*.jar")))))
               .config("spark.sql.warehouse.dir", folder).config("spark.ui.enabled", "false")
               .config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "1g").getOrCreate())
    yield session
    session.stop()


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "num.partitions=3").start()
    yield started
    started.kill()


def rows(count):
    return [(f"key{number % 100}", json.dumps({"n": number})) for number in range(count)]


def write(spark, broker, topic, records):
    (spark.createDataFrame(records, "key string, value string").write.format("kafka")
     .option("kafka.bootstrap.servers", broker.address).option("topic", topic).save())


def read(spark, broker, topic, **options):
    reader = spark.read.format("kafka").option("kafka.bootstrap.servers", broker.address).option("subscribe", topic)
    found = reader.options(**options).load()
    return found.selectExpr("cast(key as string) key", "cast(value as string) value", "partition", "offset").collect()


def test_what_spark_writes_spark_reads(spark, broker):
    write(spark, broker, "both", rows(10_000))
    found = read(spark, broker, "both")
    assert sorted((row.key, row.value) for row in found) == sorted(rows(10_000))
    per_partition = {}
    for row in found:
        per_partition.setdefault(row.partition, []).append(row.offset)
    assert len(per_partition) == 3
    assert all(sorted(offsets) == list(range(len(offsets))) for offsets in per_partition.values())
    part = read(spark, broker, "both", startingOffsets=json.dumps({"both": {"0": 5, "1": -2, "2": 7}}),
                endingOffsets=json.dumps({"both": {"0": 9, "1": 3, "2": 7}}))
    assert sorted((row.partition, row.offset) for row in part) == [*((0, at) for at in range(5, 9)),
                                                                  *((1, at) for at in range(3))]


def test_a_stream_from_topic_to_topic_outlives_a_killed_broker(spark, broker, tmp_path):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([confluent_kafka.admin.NewTopic("to", 2)])["to"].result(30)
    write(spark, broker, "from", rows(3_000))
    source = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", broker.address)
              .option("subscribe", "from").option("startingOffsets", "earliest")
              .option("maxOffsetsPerTrigger", 1000).load())
    query = (source.selectExpr("key", "upper(cast(value as string)) as value").writeStream.format("kafka")
             .option("kafka.bootstrap.servers", broker.address).option("topic", "to")
             .option("checkpointLocation", str(tmp_path / "checkpoint")).start())

    def values():
        assert query.isActive, query.exception()
        return {row.value for row in read(spark, broker, "to")}

    def expected(count):
        return {value.upper() for _, value in rows(count)}

    tailrace.wait_until(lambda: values() == expected(3_000), "the first records", 120)
    broker.kill()
    broker.start()
    write(spark, broker, "from", rows(6_000)[3_000:])
    tailrace.wait_until(lambda: values() == expected(6_000), "the others", 120)
    query.stop()
