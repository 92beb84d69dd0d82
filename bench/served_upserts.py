"""Rows of twelve columns into a served table, as the pipeline writes them: `./dev bench served_upserts`."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    subprocess.run(["ninja", "-C", ROOT / "build", "keyed_table_bench"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([ROOT / "build" / "src" / "table" / "keyed_table_bench"], check=True)


if __name__ == "__main__":
    main()
