"""A real Airflow 3.3 of its own: PostgreSQL, API server, scheduler, DAG processor and triggerer, each a process that is
stopped by its group's id; and a client of its REST API, which is Tailrace's as well."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from postgres_side import RealPostgres

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import ports  # noqa: E402
import tailrace  # noqa: E402

LOADED = 900  # seconds for all to come up on a busy machine


def airflow_python():
    """The Python of a venv with Airflow."""
    if given := os.environ.get("TAILRACE_AIRFLOW_PYTHON"):
        return given
    line = subprocess.run([ROOT / "tests/real/airflow_env.sh"], check=True, capture_output=True, text=True).stdout
    return line.split("=", 1)[1].strip().strip("'")


class Rest:
    """Airflow's REST API v2, of Airflow or of Tailrace."""

    def __init__(self, url, user=None, password=None):
        self.url, self.token = url, None
        if user:
            self.token = self.ask("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LOADED) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {path}: {e.code} {e.read().decode()[:1000]}") from e

    def get(self, path):
        return self.ask("GET", "/api/v2" + path)

    def post(self, path, body):
        return self.ask("POST", "/api/v2" + path, body)

    def unpause(self, dag, paused=False):
        return self.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": paused})

    def pool(self, name, slots):
        return self.ask("PATCH", f"/api/v2/pools/{name}?update_mask=slots", {"slots": slots})

    def trigger(self, dag, run):
        return self.post(f"/dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": None, "conf": {}})

    def runs(self, dag):
        return self.get(f"/dags/{dag}/dagRuns?limit=100&order_by=id")["dag_runs"]

    def tasks(self, dag, run):
        """Of a run: {(task, map index): (state, try number)}, and when each began."""
        found = self.get(f"/dags/{dag}/dagRuns/{urllib.request.quote(run)}/taskInstances?limit=1000")["task_instances"]
        return ({(t["task_id"], t["map_index"]): (t["state"], t["try_number"]) for t in found},
                {(t["task_id"], t["map_index"]): t["start_date"] for t in found})

    def log(self, dag, run, task, tries):
        """The end of what a try said."""
        told = self.get(f"/dags/{dag}/dagRuns/{urllib.request.quote(run)}/taskInstances/{task}/logs/{tries}")
        return json.dumps(told["content"])[-4000:]


class RealAirflow:
    """Its DAGs are what `tailrace airflow` wrote into `folder`."""

    def __init__(self, folder, environment=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tailrace-airflow-"))
        self.python = airflow_python()
        self.postgres = RealPostgres(max_connections=200)
        self.processes = []
        port, logs, triggers = ports.free(3)
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "False",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggers),
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of sixty-four bytes, which is what HMAC with SHA512 asks for",
            # On a busy machine an answer may take longer than its 5 seconds.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "NO_PROXY": "*",
            "AIRFLOW_CONN_FS_DEFAULT": "fs://",
        } | (environment or {})

    def call(self, *words):
        done = subprocess.run([self.python, "-m", "airflow", *words], capture_output=True, text=True,
                              env=self.environment, cwd=self.home, timeout=LOADED)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout

    def start(self):
        self.postgres.start()
        url = self.postgres.url.replace("postgresql://", "postgresql+psycopg2://")
        self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
        self.call("db", "migrate")
        for words in (["api-server", "--host", "127.0.0.1", "--port", str(self.port)], ["scheduler"],
                      ["dag-processor"], ["triggerer"]):
            with open(self.home / f"{words[0]}.log", "wb") as out:
                self.processes.append(subprocess.Popen(
                    [self.python, "-m", "airflow", *words], stdout=out, stderr=out, env=self.environment,
                    cwd=self.home, start_new_session=True))
        passwords = self.home / "simple_auth_manager_passwords.json.generated"
        tailrace.wait_until(lambda: self.up() and passwords.exists(), "Airflow's API", LOADED)
        return Rest(self.url, "admin", json.loads(passwords.read_text())["admin"])

    def up(self):
        assert self.processes[0].poll() is None, (self.home / "api-server.log").read_text()[-3000:]
        try:
            with urllib.request.urlopen(self.url + "/api/v2/version", timeout=30):
                return True
        except OSError:
            return False

    def stop(self):
        """Its children are in the groups of the processes."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes:
                try:
                    os.killpg(process.pid, how)
                except ProcessLookupError:
                    pass
            for process in self.processes:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    pass
        self.postgres.remove()
        shutil.rmtree(self.home, ignore_errors=True)
