"""Avro, Protobuf and JSON records into columns, and back, on one core: `./dev bench schema`.

`flat` is a user as the pipeline serves it, twelve strings; `api` the record as the source gives it, records in records.
"""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCHES = {"avro_bench": "schema", "protobuf_bench": "schema", "json_schema_bench": "schema",
           "json_rows_bench": "pipeline"}


def main():
    for name, room in BENCHES.items():
        subprocess.run(["ninja", "-C", ROOT / "build", name], check=True, stdout=subprocess.DEVNULL)
        print(name, flush=True)
        subprocess.run([ROOT / "build" / "src" / room / name], check=True)


if __name__ == "__main__":
    main()
