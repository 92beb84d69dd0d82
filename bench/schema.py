"""Avro records into columns and back, on one core: `./dev bench schema`.

`flat` is a user as the pipeline serves it, twelve strings; `api` the record as the source gives it, records in records.
"""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    subprocess.run(["ninja", "-C", ROOT / "build", "schema_bench"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([ROOT / "build" / "src" / "schema" / "schema_bench"], check=True)


if __name__ == "__main__":
    main()
