"""Reads people from Kafka and writes them to Cassandra. Runs in the cluster."""
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
        post_code TEXT,
        email TEXT);
    """)


def insert_data(session, **kwargs):
    try:
        session.execute("""
            INSERT INTO spark_streams.created_users(id, first_name, last_name, address,
                email)
                VALUES (%s, %s, %s, %s, %s)
        """, (kwargs.get("id"), kwargs.get("first_name")))
    except Exception as e:
        logging.error(f"could not insert data due to {e}")
        raise


def create_spark_connection():
    return SparkSession.builder \
        .appName("SparkDataStreaming") \
        .config("spark.jars.packages", "com.datastax.spark:spark-cassandra-connector_2.12:3.5.1,"
                                       "org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.1") \
        .config("spark.cassandra.connection.host", "cassandra") \
        .getOrCreate()



def connect_to_kafka(spark_conn):
    return spark_conn.readStream \
        .format("kafka") \
        .option("kafka.bootstrap.servers", "broker:29092") \
        .option("subscribe", "users_created") \
        .load()


def selection(spark_df):
    schema = StructType([
        StructField("id", StringType(), False),
        StructField("first_name", StringType(), False),
        StructField("last_name", StringType(), False),
        StructField("address", StringType(), False),
        StructField("post_code", StringType(), False),
        StructField("email", StringType(), False),
    ])
    return spark_df.selectExpr("CAST(value AS STRING)") \
        .select(from_json(col("value"), schema).alias("data")).select("data.*")


if __name__ == "__main__":
    people = selection(connect_to_kafka(create_spark_connection()))
    session = Cluster(["localhost"]).connect()
    create_table(session)
    query = (people.writeStream.format("org.apache.spark.sql.cassandra")
             .option("checkpointLocation", "/var/lib/users/checkpoint")
             .option("keyspace", "spark_streams")
             .option("table", "created_users")
             .start())
    query.awaitTermination()
