"""Reads orders and prints what each customer spent."""
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, LongType, StringType, StructType

spark = SparkSession.builder.master("local[2]").appName("orders").getOrCreate()
schema = (StructType()
          .add("order_id", LongType())
          .add("customer", StringType())
          .add("amount", DoubleType())
          .add("placed_at", StringType()))

orders = (spark.readStream.format("kafka")
          .option("kafka.bootstrap.servers", "kafka:9092")
          .option("subscribe", "orders")
          .load()
          .select(F.from_json(F.col("value").cast("string"), schema).alias("o")).select("o.*"))
spent = orders.groupBy("customer").agg(F.sum("amount").alias("spent"))
query = (spent.writeStream.outputMode("complete").format("console")
         .option("checkpointLocation", "/checkpoints/orders")
         .start())
query.awaitTermination()
