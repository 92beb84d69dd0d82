"""Runs a pipeline project that `tailrace spark` wrote, with Spark's own `spark-pipelines`, and stops what it started.

One Spark Connect server holds the master, the Delta jars and the catalogue; `spark-pipelines` is its client. (With
`spark-pipelines --master` jars and static settings do not reach the session.) Everything Spark keeps is below
PROJECT/: warehouse/ (the tables, as Delta), metastore/ (the catalogue), storage/ (checkpoints), logs/. A second run
continues where the first ended.

Needs pyspark[pipelines] in the Python that runs this, a JDK 17, and the two Delta jars (--jars DIR, or
TAILRACE_SPARK_JARS).
"""

import argparse
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

DELTA_JARS = ("delta-spark_4.2_2.13-4.4.0.jar", "delta-storage-4.4.0.jar")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spark_bin(name):
    """A program of the pyspark that is beside this Python."""
    import pyspark
    return str(pathlib.Path(pyspark.__file__).parent / "bin" / name)


def environment():
    env = dict(os.environ, SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable, PYTHONUNBUFFERED="1")
    env.pop("SPARK_REMOTE", None)
    env.pop("SPARK_HOME", None)
    return env


def wait_for_port(process, port, log, seconds=600):
    """Returns when the port is open; raises when the process ends first or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"Spark's server ended with {process.returncode}; its log is {log}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Spark's server did not open port {port} in {seconds} s; its log is {log}")


def stop(process, seconds=30):
    """Ends a process by its own pid: TERM, then KILL."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server_command(project, master, jars, port, settings):
    defaults = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # `USING delta` in the SQL would break the second run (DELTA_CANNOT_CHANGE_PROVIDER).
        "spark.sql.sources.default": "delta",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL":
            f"jdbc:derby:;databaseName={project}/metastore;create=true",
        "spark.sql.warehouse.dir": f"file://{project}/warehouse",
    }
    if master.startswith("local"):
        # Delta reads a table's log with 50 tasks otherwise, more work than the small tables of one machine hold.
        defaults["spark.databricks.delta.snapshotPartitions"] = "2"
    defaults.update(settings)
    conf = [part for name, value in defaults.items() for part in ("--conf", f"{name}={value}")]
    return [spark_bin("spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--master", master, "--jars", ",".join(str(jars / jar) for jar in DELTA_JARS), *conf, "spark-internal"]


@contextlib.contextmanager
def connect_server(project, master, jars, settings=()):
    """A Spark Connect server for the project's folder; gives its URL and its process."""
    project = pathlib.Path(project).resolve()
    jars = pathlib.Path(jars).resolve()
    for jar in DELTA_JARS:
        if not (jars / jar).is_file():
            raise RuntimeError(f"{jars / jar} is missing; tests/real/spark_env.sh fetches it")
    logs = project / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = logs / "connect-server.log"
    with open(log, "ab") as out:
        command = server_command(project, master, jars, port, dict(settings))
        process = subprocess.Popen(command, cwd=logs, env=environment(), stdout=out, stderr=out,
                                   start_new_session=True)
        try:
            wait_for_port(process, port, log)
            yield f"sc://127.0.0.1:{port}", process
        finally:
            stop(process)


def run(project, remote, arguments=("run",), out=None):
    """One `spark-pipelines` over the project; its progress goes to `out` line by line. Gives its exit code and text."""
    process = subprocess.Popen([spark_bin("spark-pipelines"), "--remote", remote, *arguments], cwd=project,
                               env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               encoding="utf-8", errors="replace")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if out:
            print(line, end="", file=out, flush=True)
    return process.wait(), "".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=pathlib.Path, help="the folder `tailrace spark` wrote")
    parser.add_argument("--master", default="local[2]", help="local[N] or spark://host:7077")
    parser.add_argument("--jars", type=pathlib.Path, default=os.environ.get("TAILRACE_SPARK_JARS"),
                        help="folder of the Delta jars")
    parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE", help="a setting of Spark's server")
    parser.add_argument("--dry-run", action="store_true", help="analyse the project, write nothing")
    options = parser.parse_args()
    if not options.jars:
        parser.error("--jars DIR or TAILRACE_SPARK_JARS must name the folder of the Delta jars")
    settings = dict(setting.split("=", 1) for setting in options.conf)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"starting Spark Connect with master {options.master}", flush=True)
    try:
        with connect_server(options.project, options.master, options.jars, settings) as (remote, _):
            code, _ = run(options.project, remote, ("dry-run",) if options.dry_run else ("run",), sys.stdout)
    except RuntimeError as problem:
        sys.exit(str(problem))
    sys.exit(code)


if __name__ == "__main__":
    main()
