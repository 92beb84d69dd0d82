"""The store of cells behind the CQL door, without the door: `./dev bench cells [ROWS [IN_FLIGHT]]`.

Durable writes of one row each, point reads from memory and files, a compaction, a scan.
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    subprocess.run(["ninja", "-C", ROOT / "build", "store_bench"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        subprocess.run([ROOT / "build" / "src" / "cql_store" / "store_bench", folder, *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
