"""Holds the conversation of tests/e2e/airflow_calls.py with Airflow's own API and records the answers.

    tests/real/airflow_api.py [FILE]    records to FILE, or to tests/airflow_api/expected.json

The API's application runs in this process beside Airflow's scheduler (airflow_lab.py), on a clock that stands still.
Run it with the Python of tests/real/airflow_env.sh.
"""
import json
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/airflow_api"
sys.path[:0] = [str(ROOT / "tests/real"), str(ROOT / "tests/e2e"), str(ROOT / "python"), str(FOLDER / "dags")]

import airflow_calls  # noqa: E402
import airflow_lab  # noqa: E402


def main(into):
    os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] = "True"
    with tempfile.TemporaryDirectory() as home:
        lab = airflow_lab.Lab(pathlib.Path(home))
        from airflow.api_fastapi.app import create_app
        from airflow.sdk import DAG
        from fastapi.testclient import TestClient
        from tailrace_airflow import loader

        names = {}
        loader.load(names, str(FOLDER / "dags"), str(FOLDER / "dags/shop.yml"))
        lab.add([dag for dag in names.values() if isinstance(dag, DAG)])
        client = TestClient(create_app("core"), raise_server_exceptions=False)

        def ask(method, path, body):
            answer = client.request(method, "/api/v2/" + path, json=body)
            return answer.status_code, answer.json() if answer.content else None

        answers = airflow_calls.hold(ask, lab.play)
    text = "{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in answers.items()) + "}\n"
    pathlib.Path(into).write_text(text)
    print(f"{len(answers)} answers")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else FOLDER / "expected.json")
