"""What dag-factory and Airflow say of broken files: `broken.py DAGS_FOLDER` prints {file: message or null} as JSON."""
import json
import logging
import os
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def complaint(file, folder):
    """The message of what was raised on the way from the file to a serialised DAG; None: they are silent."""
    from airflow.serialization.serialized_objects import DagSerialization
    from dagfactory.dagfactory import _DagFactory

    try:
        for dag in _DagFactory(str(file), defaults_config_path=str(folder)).build_dags().values():
            if hasattr(dag.timetable, "validate"):
                dag.timetable.validate()
            dag.check_cycle()
            DagSerialization.to_dict(dag)
    except Exception as error:  # whatever it is, it is the answer
        return f"{type(error).__name__}: {' '.join(str(error).split())}".replace(str(folder), "$DAGS_DIR")
    return None


def main(folder):
    folder = pathlib.Path(folder).resolve()
    os.environ.update(DAGS_DIR=str(folder), AIRFLOW__CORE__LOAD_EXAMPLES="False",
                      AIRFLOW__CORE__DAGS_FOLDER=str(folder), AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY="False")
    sys.path.insert(0, str(folder))
    found = {file.stem: complaint(file, folder) for file in sorted((folder / "broken").glob("*.yml"))}
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
