"""The store of cells makes of two rows what Cassandra's own classes make of them."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_random_rows_merge_as_in_cassandra(tmp_path):
    seed = os.environ.get("TAILRACE_SEED", "20")
    answers = tmp_path / "merges.txt"
    subprocess.run([ROOT / "tests/real/cassandra/ask.sh", "RowMerges", seed, "30000", answers], check=True)
    assert answers.read_text(encoding="utf-8").count("\n") > 20_000, f"few answers with seed {seed}"
    subprocess.run([ROOT / "build/src/cql_store/cql_store_test", "--gtest_filter=Merges.*"], cwd=ROOT, check=True,
                   env={**os.environ, "TAILRACE_CQL_MERGES": str(answers)})
