"""Runs a pipeline project that `tailrace spark` wrote, with Spark's own `spark-pipelines`, and stops what it started.

One Spark Connect server holds the master, the Delta jars and the catalogue; `spark-pipelines` is its client. (With
`spark-pipelines --master` jars and static settings do not reach the session.) Everything Spark keeps is below
PROJECT/: warehouse/ (the tables, as Delta), metastore/ (the catalogue), storage/ (checkpoints), logs/. A second run
continues where the first ended.

Needs Spark 4.2's programs (of SPARK_HOME, of the pyspark[pipelines] in the Python that runs this, or in PATH), a
JDK 17, and the two Delta jars (--jars DIR, TAILRACE_SPARK_JARS, or SPARK_HOME/jars).
"""

import argparse
import contextlib
import ctypes
import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

MOST_LOG_BYTES = 8 << 20
DELTA_JARS = ("delta-spark_4.2_2.13-4.4.0.jar", "delta-storage-4.4.0.jar")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spark_home():
    """The folder whose bin/ has Spark's programs; nothing where there is none."""
    places = [os.environ.get("SPARK_HOME")]
    package = importlib.util.find_spec("pyspark")
    if package and package.origin:
        places.append(pathlib.Path(package.origin).parent)
    found = shutil.which("spark-pipelines")
    if found:
        places.append(pathlib.Path(found).resolve().parents[1])
    return next((pathlib.Path(place) for place in places
                 if place and (pathlib.Path(place) / "bin" / "spark-pipelines").is_file()), None)


def spark_bin(name):
    home = spark_home()
    if home is None:
        raise RuntimeError(f"Spark's programs are not on this machine: {sys.executable} -m pip install "
                           "'pyspark[pipelines]==4.2.*', or set SPARK_HOME to a Spark 4.2, or TAILRACE_PYTHON to a "
                           "Python that has it")
    return str(home / "bin" / name)


def environment():
    env = dict(os.environ, PYSPARK_PYTHON=os.environ.get("PYSPARK_PYTHON", sys.executable), PYTHONUNBUFFERED="1")
    env.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    env.pop("SPARK_REMOTE", None)
    env.pop("SPARK_HOME", None)  # its programs find it from where they are
    return env


def end_with_parent():
    """In a child, before its program: it is told to end when this process is gone, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def check_master(master, seconds=10):
    """Raises where no master of spark://HOST:PORT,HOST:PORT answers: Spark itself would try for minutes."""
    if not master.startswith("spark://"):
        return
    problem = None
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host or address, int(port) if host else 7077), timeout=seconds).close()
            return
        except (OSError, ValueError) as failed:
            problem = failed
    raise RuntimeError(f"no Spark master answers there: {problem}")


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


def jars_folder(named):
    """Where the Delta jars are."""
    home = spark_home()
    places = [named] if named else [os.environ.get("TAILRACE_SPARK_JARS"), home / "jars" if home else None]
    for place in places:
        if place and all((pathlib.Path(place) / jar).is_file() for jar in DELTA_JARS):
            return pathlib.Path(place).resolve()
    raise RuntimeError(f"the Delta jars {' and '.join(DELTA_JARS)} are not {f'in {named}' if named else 'here'}: put "
                       "them into one folder and name it by --jars, TAILRACE_SPARK_JARS or, in tailrace.yml, "
                       "roles: {engine: {jars: DIR}}")


def open_log(path):
    """To be appended to; what is large is set aside, so that two are kept."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > MOST_LOG_BYTES:
            path.replace(path.with_name(path.name + ".1"))
    return open(path, "ab")


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


def remove_half_made(metastore, warehouse):
    """What was killed while it was made has nothing in it, and cannot be made again while its folder is there: a
    catalogue of Derby is whole when it has service.properties, a Delta table is one from its first commit on."""
    if not (metastore / "service.properties").is_file():
        shutil.rmtree(metastore, ignore_errors=True)
    for log in warehouse.glob("*/_delta_log"):
        if not any(log.glob("[0-9]*.json")) and not any(log.glob("[0-9]*.parquet")):
            shutil.rmtree(log.parent)


@contextlib.contextmanager
def connect_server(project, master, jars, settings=()):
    """A Spark Connect server for the project's folder; gives its URL and its process."""
    project = pathlib.Path(project).resolve()
    jars = jars_folder(jars)
    logs = project / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    settings = dict(settings)
    warehouse = settings.get("spark.sql.warehouse.dir", f"file://{project}/warehouse").removeprefix("file://")
    remove_half_made(project / "metastore", pathlib.Path(warehouse))
    port = free_port()
    log = logs / "connect-server.log"
    with open_log(log) as out:
        command = server_command(project, master, jars, port, settings)
        process = subprocess.Popen(command, cwd=logs, env=environment(), stdout=out, stderr=out,
                                   start_new_session=True, preexec_fn=end_with_parent)
        try:
            wait_for_port(process, port, log)
            yield f"sc://127.0.0.1:{port}", process
        finally:
            stop(process)


def run(project, remote, arguments=("run",), out=None):
    """One `spark-pipelines` over the project; its progress goes to `out` line by line. Gives its exit code and text."""
    process = subprocess.Popen([spark_bin("spark-pipelines"), "--remote", remote, *arguments], cwd=project,
                               env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               encoding="utf-8", errors="replace", preexec_fn=end_with_parent)
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
    parser.add_argument("--jars", type=pathlib.Path, help="folder of the Delta jars")
    parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE", help="a setting of Spark's server")
    parser.add_argument("--dry-run", action="store_true", help="analyse the project, write nothing")
    options = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in options.conf)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        spark_bin("spark-pipelines")
        jars = jars_folder(options.jars)
        check_master(options.master)
        print(f"starting Spark Connect with master {options.master}", flush=True)
        with connect_server(options.project, options.master, jars, settings) as (remote, _):
            code, _ = run(options.project, remote, ("dry-run",) if options.dry_run else ("run",), sys.stdout)
    except RuntimeError as problem:
        sys.exit(str(problem))
    sys.exit(code)


if __name__ == "__main__":
    main()
