"""DDL, DESCRIBE and system_schema are answered as by Cassandra itself, the kept statements and ones nobody chose."""
import os
import pathlib
import random
import re
import subprocess

import cql_schema_statements

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "src/cql_schema/testdata/cassandra_5_0_9.tsv"


def ask(statements, folder):
    """Cassandra's answers; statements and answers are escaped."""
    asked, answers = folder / "statements.txt", folder / "answers.txt"
    asked.write_text("".join(one + "\n" for one in statements), encoding="utf-8")
    subprocess.run([ROOT / "tests/real/cassandra/ask.sh", "CqlSchema", asked, answers], check=True)
    return answers.read_text(encoding="utf-8").split("\n")[:-1]


def same_each_time(statement, answer):
    """Without what differs from server to server."""
    if statement.startswith("DESCRIBE CLUSTER"):
        return re.sub(r"{.*}", "{}", answer)
    return answer


def test_schemas_are_changed_and_described_as_by_cassandra(tmp_path):
    rows = [line.split("\t") for line in KEPT.read_text(encoding="utf-8").split("\n") if line]
    kept = [row[0] for row in rows]
    answers = ask(kept, tmp_path)
    asked = zip(kept, answers, strict=True)
    assert [same_each_time(*one) for one in asked] == [same_each_time(*row) for row in rows]

    seed = os.environ.get("TAILRACE_SEED", "20")
    fresh = cql_schema_statements.statements(random.Random(seed), 20, 100)
    told = ask(fresh, tmp_path)
    changed = sum(answer.startswith(("CREATED", "UPDATED", "DROPPED")) for answer in told)
    assert changed > 300, f"few of the statements with seed {seed} are taken"
    judged = tmp_path / "answers.tsv"
    lines = [f"{one}\t{answer}\n" for one, answer in zip(fresh, told, strict=True)]
    judged.write_text("".join(lines), encoding="utf-8")
    subprocess.run([ROOT / "build/src/cql_schema/cql_schema_test", "--gtest_filter=Replay.fresh*"], cwd=ROOT,
                   check=True, env={**os.environ, "TAILRACE_CQL_SCHEMA": str(judged)})
