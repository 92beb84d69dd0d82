#!/usr/bin/env python3
"""Writes tests/sql/functions_*.slt: every function over odd arguments, with real Spark's answers (ANSI mode, UTC).

Usage: function_cases.py [NAME…]   (a Python with pyspark 4; a NAME is a group of function_cases.txt). The choice of
arguments is the same at every run, so that a new function adds lines and changes none. function_differences.txt lists
the expressions on which ours is known to differ, each with the reason: they are left out.
"""
import itertools
import logging
import pathlib
import random
import sys

from spark_sql import value_of

SQL = pathlib.Path(__file__).resolve().parent.parent / "sql"
MOST = 14  # lines of a template
HEAD = "# Written by tests/real/function_cases.py: what Spark 4.2 answers to functions over odd arguments."


def read_cases():
    """The pools and groups of function_cases.txt."""
    pools, groups, lines = {}, {}, None
    for line in pathlib.Path(__file__).with_suffix(".txt").read_text().split("\n"):
        kind, _, name = line.partition(" ")
        if line and lines is not None:
            lines.append(line)
        elif kind in ("pool", "group"):
            lines = (pools if kind == "pool" else groups).setdefault(name, [])
        else:
            lines = None
    return pools, groups


POOLS, GROUPS = read_cases()
DIFFERENT = set(pathlib.Path(__file__).with_name("function_differences.txt").read_text().split("\n"))


def expressions(template):
    """The template with every {pool} replaced, all combinations or a fixed choice of them."""
    pools = [part.split("}")[0] for part in template.split("{")[1:]]
    choices = list(itertools.islice(itertools.product(*(POOLS[name] for name in pools)), 200_000))
    if len(choices) > MOST:
        choices = sorted(random.Random(template).sample(range(len(choices)), MOST)), choices
        choices = [choices[1][i] for i in choices[0]]
    for choice in choices:
        text = template
        for name, value in zip(pools, choice):
            text = text.replace("{" + name + "}", value, 1)
        yield text


def main():
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "OFF").getOrCreate())
    for name in sys.argv[1:] or GROUPS:
        lines = [HEAD]
        for template in GROUPS[name]:
            texts = [text for text in dict.fromkeys(expressions(template)) if text not in DIFFERENT]
            if texts:
                lines += ["", "values"] + [f"{text} => {value_of(spark, text)}" for text in texts]
        (SQL / f"functions_{name}.slt").write_text("\n".join(lines) + "\n")
        print(name, len(lines), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
