"""CQL's types and values answer as Cassandra's own classes do, on values nobody chose."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_random_values_are_as_cassandras_own_classes_have_them(tmp_path):
    seed = os.environ.get("TAILRACE_SEED", "20")
    answers = tmp_path / "vectors.txt"
    subprocess.run([ROOT / "tests/real/cassandra/ask.sh", "CqlVectors", seed, "50", answers], check=True)
    assert answers.read_text(encoding="utf-8").count("\n") > 10_000, f"few answers with seed {seed}"
    subprocess.run([ROOT / "build/src/cql_types/cql_types_test", "--gtest_filter=cassandra.*"], cwd=ROOT, check=True,
                   env={**os.environ, "TAILRACE_CQL_VECTORS": str(answers)})
