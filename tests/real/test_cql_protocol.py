"""Messages are Cassandra's own codec's, on messages nobody chose."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_random_messages_are_as_cassandras_own_codec_has_them(tmp_path):
    seed = os.environ.get("TAILRACE_SEED", "20")
    messages = tmp_path / "messages.txt"
    subprocess.run([ROOT / "tests/real/cassandra/ask.sh", "CqlMessages", seed, "300", messages], check=True)
    assert messages.read_text(encoding="utf-8").count("\n") > 10_000, f"few messages with seed {seed}"
    test = ROOT / "build/src/cql_protocol/cql_protocol_test"
    subprocess.run([test, "--gtest_filter=cassandra.*"], cwd=ROOT, check=True,
                   env={**os.environ, "TAILRACE_CQL_MESSAGES": str(messages)})
