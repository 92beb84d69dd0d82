"""Reads people from Kafka, writes them to Cassandra. On the host: spark-submit --master spark://localhost:7077."""
import logging

from cassandra.cluster import Cluster
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json
from pyspark.sql.types import StringType, StructField, StructType


def create_table(session):
    session.execute("""
    CREATE TABLE IF NOT EXISTS spark_streams.created_users (
        id UUID PRIMARY KEY,
        first_name TEXT,
        last_name TEXT,
        address TEXT,
        email TEXT);
    """)


def insert_data(session, **kwargs):
    try:
        session.execute("""
            INSERT INTO spark_streams.created_users(id, first_name, last_name, address,
                phone, email)  -- FAULT unknown-column
                VALUES (%s, %s, %s, %s, %s, %s)
        """, (kwargs.get("id"), kwargs.get("first_name")))
    except Exception as e:  # FAULT swallowed-error
        logging.error(f"could not insert data due to {e}")


def create_spark_connection():
    return SparkSession.builder \
        .appName("SparkDataStreaming") \
        .config("spark.jars.packages", "com.datastax.spark:spark-cassandra-connector_2.12:3.5.1,"
                                       "org.apache.spark:spark-sql-kafka-0-10_2.13:3.4.1") \
        .config("spark.cassandra.connection.host", "localhost") \
        .getOrCreate()  # FAULT-1 localhost
# FAULT-3 version-mismatch


def connect_to_kafka(spark_conn):
    return spark_conn.readStream \
        .format("kafka") \
        .option("kafka.bootstrap.servers", "localhost:9092") \
        .option("subscribe", "users_created") \
        .load()  # FAULT-2 localhost


def selection(spark_df):
    schema = StructType([
        StructField("id", StringType(), False),
        StructField("first_name", StringType(), False),
        StructField("last_name", StringType(), False),
        StructField("address", StringType(), False),
        StructField("post_code", StringType(), False),  # FAULT unknown-column
        StructField("email", StringType(), False),
    ])
    return spark_df.selectExpr("CAST(value AS STRING)") \
        .select(from_json(col("value"), schema).alias("data")).select("data.*")


if __name__ == "__main__":
    people = selection(connect_to_kafka(create_spark_connection()))
    session = Cluster(["localhost"]).connect()
    create_table(session)
    query = (people.writeStream.format("org.apache.spark.sql.cassandra")
             .option("checkpointLocation", "/tmp/checkpoint")  # FAULT lost-checkpoint
             .option("keyspace", "spark_streams")
             .option("table", "created_users")
             .start())
    query.awaitTermination()
