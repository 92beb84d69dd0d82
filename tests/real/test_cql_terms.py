"""Terms and select clauses answer as a real Cassandra does: those recorded, and some nobody chose."""
import os
import pathlib
import subprocess

import cql_terms_cases

ROOT = pathlib.Path(__file__).resolve().parents[2]


def replay(answers, may_differ=0):
    wanted = {"TAILRACE_CQL_TERMS": str(answers), "TAILRACE_CQL_TERMS_MAY_DIFFER": str(may_differ)}
    subprocess.run([ROOT / "build/src/cql_terms/cql_terms_test", "--gtest_filter=cassandra.*"], cwd=ROOT, check=True,
                   env=os.environ | wanted)


def test_recorded_answers_are_cassandras(cassandra, tmp_path):
    answers = tmp_path / "answers.tsv"
    cql_terms_cases.main(cassandra.address, answers)
    assert answers.read_text(encoding="utf-8").count("\n") > 7_000
    replay(answers)


def test_random_terms_and_selectors_answer_as_cassandras(cassandra, tmp_path):
    seed = os.environ.get("TAILRACE_SEED", "20")
    answers = tmp_path / "random.tsv"
    cql_terms_cases.main(cassandra.address, answers, seed, "3000")
    replay(answers, may_differ=3)  # what Cassandra leaves open, and Java's texts of floating point
