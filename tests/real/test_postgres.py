"""The room `postgres` against a real server: its own tests, with the server's URL."""
import os
import pathlib
import subprocess

import postgres_side

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = ROOT / "build/src/postgres/postgres_test"


def test_queries_copies_and_streams_of_a_real_server():
    server = postgres_side.RealPostgres().start()
    try:
        known = {"TAILRACE_POSTGRES": server.bare_url, "TAILRACE_POSTGRES_PASSWORD": postgres_side.PASSWORD}
        done = subprocess.run([TEST, "--gtest_filter=RealPostgres.*"], env=os.environ | known, cwd=ROOT,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-5000:]
        assert "SKIPPED" not in done.stdout
    finally:
        server.remove()
