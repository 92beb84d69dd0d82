"""Clicks from Kafka to Cassandra, in a container."""
import os

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json
from pyspark.sql.types import StringType, StructField, StructType

PACKAGES = ",".join([
    "org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.1",
    "com.datastax.spark:spark-cassandra-connector_2.12:3.4.1",  # FAULT version-mismatch
])

spark = (SparkSession.builder.master("local[2]").appName("clicks")
         .config("spark.jars.packages", PACKAGES)
         .config("spark.cassandra.connection.host", os.environ["CASSANDRA_HOST"])  # FAULT localhost
         .getOrCreate())
spark.conf.set("spark.cassandra.connection.port", "9042")

CLICK = StructType([
    StructField("session", StringType()),
    StructField("at", StringType()),
    StructField("page", StringType()),
    StructField("referrer", StringType()),
])
clicks = (spark.readStream.format("kafka")
          .option("kafka.bootstrap.servers", "kafka:29092")
          .option("subscribe", "shop.click")  # FAULT topic-mismatch
          .load()
          .select(from_json(col("value").cast("string"), CLICK).alias("c")))
rows = clicks.select(col("c.session"), col("c.at"), col("c.referrer"))  # FAULT unknown-column
query = (rows.writeStream.format("org.apache.spark.sql.cassandra")
         .options(keyspace="shop", table="clicks")
         .option("checkpointLocation", os.environ.get("CHECKPOINT", "/tmp/clicks"))  # FAULT lost-checkpoint
         .start())
query.awaitTermination()
