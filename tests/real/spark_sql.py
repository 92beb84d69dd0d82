#!/usr/bin/env python3
"""Replays tests/sql/*.slt on real Spark and compares: the expected values of the engine's tests are Spark's own.

Usage: spark_sql.py [--write] [FILE…]; --write puts Spark's answers into the query blocks. Needs pyspark 4.
Ends with one line of counts and exits 1 when a block differs.
"""
import logging
import pathlib
import re
import sys

SQL = pathlib.Path(__file__).resolve().parent.parent / "sql"
ROW = " FROM VALUES (0)"  # a local relation: Spark answers without a job


def blocks(text):
    """The blocks of a file as lists of lines, comments kept in place; blank lines part them."""
    for chunk in re.split(r"\n\s*\n", text.strip("\n")):
        yield chunk.split("\n")


def parts(lines):
    """Comment lines, the head line, the body and what follows ----, if anything."""
    comments = [line for line in lines if line.startswith("#")]
    lines = [line for line in lines if not line.startswith("#")]
    if not lines:
        return comments, "", [], []
    body = lines[1:]
    if "----" in body:
        at = body.index("----")
        return comments, lines[0], body[:at], body[at + 1:]
    return comments, lines[0], body, []


def create_table(spark, name, ddl, rows):
    frame = spark.createDataFrame([(row,) for row in rows], "value STRING")
    frame.createOrReplaceTempView("slt_lines")
    quoted = ddl.replace("'", "\\'")
    rows = f"SELECT r.* FROM (SELECT from_json(value, '{quoted}') AS r FROM slt_lines)"
    spark.sql(rows).createOrReplaceTempView(name)


def show(value):
    if value is None:
        return "NULL"
    value = value.replace("\n", "\\n").replace("\t", "\\t")
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found.group()):02x}", value)


def answer(spark, query):
    frame = spark.sql(query)
    header = " | ".join(f"{field.name} {field.dataType.simpleString()}" for field in frame.schema)
    names = [f"c{i}" for i in range(len(frame.columns))]
    frame = frame.toDF(*names).selectExpr(*[f"CAST({name} AS STRING) AS {name}" for name in names])
    return [header] + sorted(" | ".join(show(value) for value in row) for row in frame.collect())


def error_class(spark, query):
    try:
        spark.sql(query).collect()
    except Exception as failure:  # Spark's own classes differ between classic and connect
        found = re.search(r"\[([A-Z_0-9.]+)\]", str(failure))
        return found.group(1) if found else str(failure).split("\n")[0]
    return "no error"


def value_of(spark, text):
    """`type value` or `ERROR class` of a lone expression, by the plan alone: no job, no generated code."""
    try:
        frame = spark._jsparkSession.sql(f"SELECT c, CAST(c AS STRING) FROM (SELECT ({text}) AS c{ROW})")
        row = frame.queryExecution().executedPlan().executeCollect()[0]
        value = None if row.isNullAt(1) else row.getUTF8String(1).toString()
        return f"{frame.schema().apply(0).dataType().simpleString()} {show(value)}"
    except Exception as failure:  # its class, where it has one, is the answer
        found = re.search(r"\[([A-Z_0-9.]+)\]", str(failure))
        return f"ERROR {found.group(1)}" if found else "ERROR"


def replay(spark, path, write):
    failures, passed, written = [], 0, []
    for lines in blocks(path.read_text()):
        comments, head, body, expected = parts(lines)
        kind = head.split(" ")[0] if head else ""
        query = "\n".join(body)
        if kind == "table":
            create_table(spark, head.split(" ")[1], " ".join(body), expected)
        elif kind == "query":
            try:
                found = answer(spark, query)
            except Exception as failure:
                found = ["ERROR " + str(failure).split("\n")[0]]
            if write:
                lines = comments + [head] + body + ["----"] + found
            elif [" ".join(line.split()) for line in found] != [" ".join(line.split()) for line in expected]:
                failures.append((query, expected, found))
            passed += 1
        elif kind == "values":
            for line in body:
                text, _, wanted = line.rpartition(" => ")
                found = value_of(spark, text)
                if found != wanted:
                    failures.append((text, [wanted], [found]))
                passed += 1
        elif kind == "error":
            wanted = head.split(" ")[1]
            found = error_class(spark, query)
            if not found.startswith(wanted):
                failures.append((query, [wanted], [found]))
            passed += 1
        written.append("\n".join(lines))
    if write:
        path.write_text("\n\n".join(written) + "\n")
    return passed - len(failures), failures


def main():
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    from pyspark.sql import SparkSession

    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    write = "--write" in sys.argv[1:]
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "1").config("spark.sql.session.timeZone", "UTC")
             .config("spark.log.level", "OFF").getOrCreate())
    passed, failed = 0, 0
    for path in [pathlib.Path(name) for name in arguments] or sorted(SQL.glob("*.slt")):
        good, failures = replay(spark, path, write)
        passed, failed = passed + good, failed + len(failures)
        for query, expected, found in failures:
            print(f"--- {path.name}: {query}\nexpected:\n" + "\n".join(expected) + "\nSpark:\n" + "\n".join(found))
    spark.stop()
    print(f"spark_sql: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
