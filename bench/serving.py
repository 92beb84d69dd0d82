"""Single rows written and read through CQL, ours beside Cassandra 5.0.9: `./dev bench serving [COUNT [IN_FLIGHT]]`.

The tutorial's table (a UUID and eleven texts), prepared statements, four connections, one load generator (C++) that
runs on the same cores as the server. Each server in turn, warmed up, a fresh folder each. Ours has each write on the
disk before it answers; Cassandra as it comes (its log is synced every 10 seconds).
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "e2e")]
JARS = "TAILRACE_CASSANDRA_JARS"
TICKS = os.sysconf("SC_CLK_TCK")


def cassandra(folder):
    if not os.environ.get(JARS):
        told = subprocess.run(["sh", ROOT / "tests" / "real" / "cassandra_env.sh"], check=True, capture_output=True,
                              text=True).stdout
        os.environ[JARS] = re.search(rf"{JARS}='(.+)'", told).group(1)
    from cassandra_side import RealCassandra
    return RealCassandra(folder)


def tailrace(folder):
    from cql_server import CqlServer
    return CqlServer(folder)


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024


def load(server, kind, count, rows, in_flight, first=0, rate=0):
    """What the generator says, with the server's microseconds of processor an operation. Rows are written from the
    first on, and from 0 again behind the last. Requests follow the answers, or come at the rate, so many a second."""
    host, port = server.address.split(":")
    before = cpu_seconds(server.process)
    told = subprocess.run([ROOT / "build" / "src" / "cql" / "load_bench", host, port, kind, str(count), str(rows), "4",
                           str(in_flight), str(first), str(rate)], check=True, capture_output=True, text=True).stdout
    figures = json.loads(told)
    figures["cpu_us"] = (cpu_seconds(server.process) - before) * 1e6 / count
    return figures


def measure(name, made, count, in_flight):
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        server = made(pathlib.Path(folder))
        begun = time.monotonic()
        server.start()
        ready = time.monotonic() - begun
        idle = memory_mb(server.process)
        rows = count // 2
        load(server, "write", count // 4, rows, in_flight)
        load(server, "read", count // 4, rows, in_flight)
        figures = {kind: load(server, kind, count, rows, in_flight) for kind in ("write", "read")}
        print(f"{name:10} ready {ready:5.2f} s   memory {idle:6.0f} MB idle, {memory_mb(server.process):6.0f} MB after")
        for kind, one in figures.items():
            print(f"{name:10} {kind:5} {one['per_second']:8,.0f} /s   p50 {one['p50_us'] / 1000:6.2f} ms   "
                  f"p99 {one['p99_us'] / 1000:6.2f} ms   {one['cpu_us']:6.1f} us of processor each", flush=True)
        server.kill()
        return figures


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    in_flight = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    subprocess.run(["ninja", "-C", ROOT / "build", "load_bench"], check=True, stdout=subprocess.DEVNULL)
    theirs = measure("Cassandra", cassandra, count, in_flight)
    ours = measure("Tailrace", tailrace, count, in_flight)
    for kind, bar in (("write", 3), ("read", 5)):
        a, b = ours[kind], theirs[kind]
        print(f"{kind:5} {a['per_second'] / b['per_second']:5.2f} x as many (bar {bar}), p99 1/"
              f"{b['p99_us'] / a['p99_us']:.1f} (bar 1/5), processor 1/{b['cpu_us'] / a['cpu_us']:.1f} (bar 1/8)")


if __name__ == "__main__":
    main()
