"""Rows into a database behind `serving`: `./dev bench serving_url [ROWS]`.

The same lines of JSON become a served table with the pipeline's own rows alone, beside `tailrace serve`, and beside a
real Cassandra 5.0.9 (where its jars are there). Once each row is a partition, once a hundred of them share one.
"""
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "real")]
import cassandra_side  # noqa: E402
import cql_server  # noqa: E402
import tailrace  # noqa: E402

SQL = """
CREATE STREAMING TABLE readings AS SELECT
  get_json_object(value, '$.device') AS device, CAST(get_json_object(value, '$.n') AS BIGINT) AS n,
  CAST(get_json_object(value, '$.celsius') AS DOUBLE) AS celsius, get_json_object(value, '$.place') AS place,
  timestamp_millis(CAST(get_json_object(value, '$.at') AS BIGINT)) AS at
FROM STREAM lines_in;
"""
KEYS = {"a partition a row": ["n"], "100 rows a partition": [["device"], "n"]}


def lines(rows):
    for n in range(rows):
        yield json.dumps({"device": f"device-{n // 100:06}", "n": n, "celsius": n % 700 / 10,
                          "at": 1_760_000_000_000 + n, "place": f"hall {n % 40}, row {n % 17}"}) + "\n"


def run(folder, source, rows, key, serving):
    """Seconds from the start of the program to its end, all rows served."""
    folder.mkdir()
    project = tailrace.with_sql(folder, SQL, json.dumps({
        "roles": {"serving": serving}, "topics": {"lines_in": {"partitions": 2, "format": "json"}},
        "ingest": [{"name": "input", "topic": "lines_in", "use": "files", "files": {"path": str(source)}}],
        "serving": {"readings": {"key": key}}}))
    began = time.monotonic()
    project.once()
    seconds = time.monotonic() - began
    assert project.sql("SELECT count(*) AS n FROM readings") == [{"n": rows}]
    return seconds


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "input").mkdir()
        (folder / "input" / "a.jsonl").write_text("".join(lines(rows)))
        servers = {"embedded": None, "tailrace serve": cql_server.CqlServer(folder).start()}
        if cassandra_side.JARS:
            servers["Cassandra"] = cassandra_side.RealCassandra(folder / "cassandra").start()
        try:
            for number, (what, key) in enumerate(KEYS.items()):
                for title, server in servers.items():
                    url = f"cassandra://{server.address}/bench{number}" if server else "embedded"
                    seconds = run(folder / f"{title.split()[-1]}{number}", folder / "input", rows, key, url)
                    print(f"{what:22} {title:16} {rows / seconds:>10,.0f} rows/s", flush=True)
        finally:
            for server in filter(None, servers.values()):
                server.kill()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
