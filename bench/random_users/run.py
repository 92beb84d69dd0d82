"""Spark local[2] and Tailrace over the same records and the same SQL into Delta: `./dev bench random_users`.

Spark's time is the whole `spark-pipelines run`, without the start of its server; it reads the records as Parquet files
of the topic, without the check for JSON and without the rejected table, so Spark does less than Tailrace.
Tailrace's command is given with --tailrace; {input} is the folder of the same users as JSON lines, {data} its data.
"""

import argparse
import pathlib
import resource
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python" / "tailrace_spark"), str(ROOT / "bench" / "random_users")]
import generate  # noqa: E402
import run_pipeline  # noqa: E402

GOLDEN = ROOT / "tests" / "real" / "golden" / "random_users"


def write_project(folder, export):
    for file in GOLDEN.rglob("*.*"):
        if "__pycache__" in file.parts:
            continue
        text = file.read_text("utf-8").replace("file:///project/", f"file://{folder}/")
        if file.suffix == ".py":
            text = text.split("\n\n\n@dp.table")[0].replace(".where(IS_JSON)", "") + "\n"
        target = folder / file.relative_to(GOLDEN)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    (folder / "topics").mkdir()
    (folder / "topics" / generate.TOPIC).symlink_to(export)


def spark_seconds(work, count, jars):
    export, project = work / f"export-{count}", work / f"spark-{count}"
    if not export.exists():
        generate.write_export(export, count, 42)
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    write_project(project, export)
    with run_pipeline.connect_server(project, "local[2]", jars, {"spark.driver.memory": "4g"}) as (remote, _):
        begin = time.monotonic()
        code, text = run_pipeline.run(project, remote)
        seconds = time.monotonic() - begin
    if code != 0 or "Run is COMPLETED" not in text:
        sys.exit("Spark's run failed:\n" + text[-4000:])
    return seconds


def tailrace_seconds(work, count, command):
    values, data = work / f"values-{count}", work / f"tailrace-{count}"
    if not values.exists():
        generate.write_values(values, count, 42)
    shutil.rmtree(data, ignore_errors=True)
    begin = time.monotonic()
    subprocess.run([part.format(input=values, data=data) for part in shlex.split(command)], check=True)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=int, nargs="*", default=[200_000, 2_000_000])
    parser.add_argument("--jars", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench" / "random_users")
    parser.add_argument("--tailrace", help="command that drains {input} into {data}")
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    print(f"{'records':>10} {'Spark s':>9} {'Spark/s':>9} {'Tailrace s':>11} {'Tailrace/s':>11} {'ratio':>6}")
    for count in options.counts:
        spark = spark_seconds(work, count, options.jars)
        ours = tailrace_seconds(work, count, options.tailrace) if options.tailrace else None
        tail = f"{ours:>11.1f} {count / ours:>11.0f} {spark / ours:>6.1f}" if ours else f"{'-':>11} {'-':>11} {'-':>6}"
        print(f"{count:>10} {spark:>9.1f} {count / spark:>9.0f} {tail}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"largest process: {peak} MB resident")


if __name__ == "__main__":
    main()
