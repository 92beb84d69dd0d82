"""What Spark's connector for Cassandra is answered, line by line, for a comparison of two servers:
spark_connector.py HOST:PORT KEYSPACE JARS."""
import pathlib
import re
import sys

from pyspark.sql import SparkSession, functions

VALUES = [line.split("\t") for line in (pathlib.Path(__file__).parent / "values.txt").read_text().splitlines()]
ADDRESS, KEYSPACE, JARS = sys.argv[1:4]
HOST, PORT = ADDRESS.rsplit(":", 1)
# Which the connector does not read: Spark has no such types.
UNKNOWN = re.compile("duration|vector")


def spark():
    made = SparkSession.builder.master("local[2]").appName("connector").config("spark.ui.enabled", "false") \
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1") \
        .config("spark.jars", ",".join(map(str, sorted(pathlib.Path(JARS).glob("*.jar"))))) \
        .config("spark.driver.memory", "700m").config("spark.sql.shuffle.partitions", "2") \
        .config("spark.cassandra.connection.host", HOST).config("spark.cassandra.connection.port", PORT) \
        .config("spark.cassandra.connection.timeoutMS", "120000").config("spark.cassandra.read.timeoutMS", "120000") \
        .config("spark.cassandra.input.fetch.sizeInRows", "7").config("spark.cassandra.input.split.sizeInMB", "1") \
        .config("spark.sql.session.timeZone", "UTC") \
        .config("spark.sql.extensions", "com.datastax.spark.connector.CassandraSparkExtensions") \
        .config("spark.sql.catalog.there", "com.datastax.spark.connector.datasource.CassandraCatalog")
    return made.getOrCreate()


def table(session, name, **options):
    return session.read.format("org.apache.spark.sql.cassandra").options(keyspace=KEYSPACE, table=name,
                                                                         **options).load()


def append(frame, name, mode="append", **options):
    frame.write.format("org.apache.spark.sql.cassandra").mode(mode).options(keyspace=KEYSPACE, table=name,
                                                                           **options).save()


def show(frame):
    print(*sorted(map(str, frame.collect())), sep="\n")


def pushed(frame):
    plan = frame._jdf.queryExecution().executedPlan().toString()
    return sorted(set(re.findall(r"Cassandra Filters: \[.*?\]\s", plan)))


def cql(session):
    """The connector's own session of the Java driver."""
    connector = session._jvm.com.datastax.spark.connector.cql.CassandraConnector
    return connector.apply(session._jsc.sc().getConf()).openSession()


def everyday(session):
    session.sql(f"CREATE DATABASE there.{KEYSPACE} WITH DBPROPERTIES "
                "(class='SimpleStrategy', replication_factor='1')")
    session.sql(f"CREATE TABLE there.{KEYSPACE}.readings (room STRING, at INT, warmth DOUBLE, seen TIMESTAMP) "
                "USING cassandra PARTITIONED BY (room) TBLPROPERTIES (clustering_key='at.desc')")
    rows = session.range(1000).select(functions.concat(functions.lit("room "), functions.col("id") % 10).alias("room"),
                                      functions.col("id").cast("int").alias("at"),
                                      (functions.col("id") / 8).alias("warmth"),
                                      functions.timestamp_seconds(functions.col("id")).alias("seen"))
    append(rows, "readings")
    read = table(session, "readings")
    print(read.schema.simpleString(), read.count(), read.rdd.map(lambda row: row.at).sum())
    one = read.filter("room = 'room 3' AND at > 500 AND at <= 600")
    print(pushed(one))
    show(one)
    for condition in ("room IN ('room 1', 'room 2') AND at = 11", "warmth > 124.0", "at = 17", "room = 'room 5'"):
        found = read.filter(condition)
        print(condition, pushed(found), found.count(), found.agg(functions.sum("at")).collect())
    show(read.groupBy("room").agg(functions.max("warmth")))
    print(session.sql(f"SELECT count(*), min(seen), max(seen) FROM there.{KEYSPACE}.readings").collect())
    show(session.sql(f"SHOW TABLES FROM there.{KEYSPACE}"))
    keys = session.createDataFrame([("room 1", 11), ("room 2", 999), ("nowhere", 1)], "room STRING, at INT")
    joined = keys.join(table(session, "readings", directJoinSetting="on"), ["room", "at"])
    print("Direct Join" in joined._jdf.queryExecution().executedPlan().toString())
    show(joined)
    append(session.createDataFrame([("room 1", 11, None)], "room STRING, at INT, warmth DOUBLE"), "readings",
           **{"spark.cassandra.output.ignoreNulls": "true"})
    append(session.createDataFrame([("room 2", 12, None)], "room STRING, at INT, warmth DOUBLE"), "readings",
           ttl="1000")
    show(read.filter("room IN ('room 1', 'room 2') AND at IN (11, 12)"))
    append(rows.limit(5), "readings", "overwrite", **{"confirm.truncate": "true"})
    print(table(session, "readings").count())


def types(session):
    ask = cql(session)
    ask.execute(f"CREATE TYPE {KEYSPACE}.point (x int, y double, labels frozen<set<text>>)")
    known = [(f"c{at}", kind, text) for at, (kind, text) in enumerate(VALUES) if not UNKNOWN.search(kind)]
    columns = ", ".join(f"{name} {kind.replace('point', KEYSPACE + '.point')}" for name, kind, _ in known)
    for made in ("types", "copies"):
        ask.execute(f"CREATE TABLE {KEYSPACE}.{made} (k int PRIMARY KEY, {columns})")
    ask.execute(f"INSERT INTO {KEYSPACE}.types (k, {', '.join(name for name, _, _ in known)}) VALUES (1, "
                f"{', '.join(text for _, _, text in known)})")
    ask.execute(f"INSERT INTO {KEYSPACE}.types (k) VALUES (2)")
    read = table(session, "types")
    for name, kind in read.dtypes:
        print(name, kind)
    show(read)
    # Spark's decimals are of fewer digits, and the connector writes no tuple that is not there.
    append(read.drop("c5", "c22").filter("k = 1"), "copies")
    show(table(session, "copies"))


def hits(session):
    cql(session).execute(f"CREATE TABLE {KEYSPACE}.hits (k int PRIMARY KEY, n counter)")
    for _ in range(2):
        append(session.range(20).selectExpr("CAST(id % 3 AS INT) AS k", "id AS n"), "hits")
    show(table(session, "hits"))


def main():
    session = spark()
    session.sparkContext.setLogLevel("ERROR")
    for part in (everyday, types, hits):
        part(session)
    session.sql(f"DROP DATABASE there.{KEYSPACE} CASCADE")
    session.stop()


main()
