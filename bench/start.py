"""How fast the example is there, and what it holds: `./dev bench start [RUNS]`. A bar that is missed ends it with 1.

Seconds from the start of `tailrace run` with an empty data folder to the first row of created_users over HTTP; resident
memory of the example as it comes, nobody asking, after half a minute of its 50 records a second; seconds of
`./dev up --check` where all is built. Each is the median of its runs.
"""
import argparse
import contextlib
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import tailrace  # noqa: E402

SETTLED_S = 30
USERS = "/api/tables/created_users?limit=1"


@contextlib.contextmanager
def running_example():
    """The example as it comes, in a folder of its own, just started; it is killed at the end."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build", ignore_cleanup_errors=True) as folder:
        project = tailrace.Project(folder)
        shutil.copytree(tailrace.EXAMPLE / "dags", project.folder / "dags")
        try:
            yield project.start()
        finally:
            project.kill()


def first_row():
    begun = time.monotonic()
    with running_example() as project:
        tailrace.wait_until(lambda: project.get(USERS)["rows"], "a served row")
        return time.monotonic() - begun


def idle_memory():
    with running_example() as project:
        tailrace.wait_until(lambda: project.get(USERS)["rows"], "a served row")
        time.sleep(SETTLED_S)  # what is measured is how it is by then
        status = pathlib.Path(f"/proc/{project.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def up_check():
    begun = time.monotonic()
    done = subprocess.run([ROOT / "dev", "up", "--check"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - begun


MEASURES = [("start to the first row served", "s", 1, first_row),
            ("memory of the idle example", "MB", 150, idle_memory),
            ("./dev up --check, built already", "s", 15, up_check)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=int, nargs="?", default=3)
    runs = parser.parse_args().runs
    missed = False
    for what, unit, bar, measure in MEASURES:
        found = [measure() for _ in range(runs)]
        median = statistics.median(found)
        held = median < bar
        missed = missed or not held
        print(f"{what:<34} {median:8.2f} {unit:<2}  bar: under {bar} {unit}: {'held' if held else 'MISSED'}  "
              f"(from {min(found):.2f} to {max(found):.2f})", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
