"""The Python driver, unmodified, is told what real Cassandra told it: types, pages, batches, transactions, changes of
tables under prepared statements, errors, metadata, events. Other drivers: ./dev real cql_drivers."""
import os
import subprocess
import sys

import cql_server
import tailrace

DRIVERS = tailrace.ROOT / "tests" / "real" / "drivers"
RECORDED = DRIVERS / "answers" / "python_driver.txt"  # with version 4, in the keyspace `recorded`


def test_the_python_driver_is_told_what_cassandra_told_it(tmp_path):
    server = cql_server.CqlServer(tmp_path).start()
    told = subprocess.run([sys.executable, DRIVERS / "python_driver.py", server.address, "4", "none", "recorded"],
                          capture_output=True, text=True, check=False, timeout=300,
                          env=os.environ | {"PYTHONHASHSEED": "0"})
    assert told.returncode == 0, told.stdout[-1000:] + told.stderr[-3000:]
    assert told.stdout.splitlines() == RECORDED.read_text(encoding="utf-8").splitlines()
    server.stop()
