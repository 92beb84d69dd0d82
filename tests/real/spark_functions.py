"""Runs every example of the function catalogue on a real Spark (ANSI mode, UTC) and compares the printed values.

Usage: spark_functions.py [SOURCE_DIR]   (a Python with pyspark; the catalogue lines are read from the C++ sources)
Exit status 1 when a value differs.
"""
import ast
import pathlib
import re
import sys

from pyspark.sql import SparkSession

TEXT = r'"(?:[^"\\]|\\.)*"'
LITERAL = rf'{TEXT}(?:\s*{TEXT})*'
# name, aliases where there are any, usage where it is not made from the name, what it does, example, result
ENTRY = re.compile(rf'(?:\b\w+\(|\{{)\s*({LITERAL}),\s*(?:\{{[^}}]*\}},\s*)?({LITERAL}),\s*({LITERAL}),\s*({LITERAL})'
                   rf'(?:,\s*({LITERAL}))?\s*[,)}}]')
FIELD = re.compile(rf'add\(\s*({LITERAL}),\s*\{{[^}}]*\}},\s*({LITERAL}),\s*({LITERAL}),\s*date_field')


def value(literals):
    return "".join(ast.literal_eval(part) for part in re.findall(TEXT, literals))


def examples(folder):
    for path in sorted(folder.glob("*.cc")):
        text = path.read_text()
        if "(Functions& out)" not in text:
            continue
        for match in ENTRY.finditer(text):
            example, result = [group for group in match.groups() if group][-2:]
            if value(example):
                yield path.name, value(example), value(result)
        for name, _, result in (m.groups() for m in FIELD.finditer(text)):
            yield path.name, f"{value(name)}(DATE'2024-02-29')", value(result)


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    wrong = count = 0
    for file, example, expected in examples(root / "src/engine/functions"):
        count += 1
        try:
            row = spark.sql(f"SELECT CAST({example} AS STRING)").collect()[0]
            got = "NULL" if row[0] is None else row[0]
        except Exception as fault:
            got = str(fault).split("\n", 1)[0][:150]
        if got != expected:
            wrong += 1
            print(f"{file}: {example}: Spark gives {got!r}, the catalogue {expected!r}")
    print(f"{count} examples, {wrong} wrong")
    sys.exit(1 if wrong or not count else 0)


if __name__ == "__main__":
    main()
