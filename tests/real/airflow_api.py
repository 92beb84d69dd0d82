"""Holds the conversations of tests/e2e/airflow_calls.py and airflowctl_calls.py with Airflow's own API and records the
answers.

    tests/real/airflow_api.py [FILE]                records calls to FILE, or to tests/airflow_api/expected.json
    tests/real/airflow_api.py airflowctl [FILE]     airflowctl's to FILE, or to tests/airflow_api/airflowctl.json

The API's application runs in this process beside Airflow's scheduler (airflow_lab.py), on a clock that stands still.
Run it with the Python of tests/real/airflow_env.sh.
"""
import contextlib
import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/airflow_api"
sys.path[:0] = [str(ROOT / "tests/real"), str(ROOT / "tests/e2e"), str(ROOT / "python"), str(FOLDER / "dags")]

import airflow_calls  # noqa: E402
import airflow_lab  # noqa: E402


@contextlib.contextmanager
def server(client):
    """The application behind a port: one request after the other, in this process with its clock."""
    turn = threading.Lock()

    class Door(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with turn:
                answer = client.request(self.command, self.path, content=body, headers=dict(self.headers))
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("content-type", "application/json"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()


def by_airflowctl(client, play):
    import airflowctl_calls

    with tempfile.TemporaryDirectory() as folder, server(client) as url:
        session = airflowctl_calls.Session(folder, url, client.get("/auth/token").json()["access_token"])
        answers = airflowctl_calls.hold(session, pathlib.Path(folder), play)
        session.close()
    return answers


def main(into, airflowctl=False):
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
            if answer.status_code >= 500:  # a fault of Airflow's own is no answer to be held to
                sys.exit(f"{method} {path}: {answer.status_code} {answer.text}")
            return answer.status_code, answer.json() if answer.content else None

        answers = by_airflowctl(client, lab.play) if airflowctl else airflow_calls.hold(ask, lab.play)
    text = "{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in answers.items()) + "}\n"
    pathlib.Path(into).write_text(text)
    print(f"{len(answers)} answers")


if __name__ == "__main__":
    which, *rest = [*sys.argv[1:], None]
    if which == "airflowctl":
        main(rest[0] or FOLDER / "airflowctl.json", airflowctl=True)
    else:
        main(which or FOLDER / "expected.json")
