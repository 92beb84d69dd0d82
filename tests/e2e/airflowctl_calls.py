"""A conversation by airflowctl, Airflow's own command line for its API: held with Airflow it is the recording
(tests/real/airflow_api.py), held with Tailrace it is compared to that (test_airflowctl.py)."""
import json
import os
import re
import subprocess
import sys

import airflow_calls
import tailrace

SESSION = tailrace.ROOT / "tests/e2e/airflowctl_session.py"
RUN = ["shop", "by_ctl"]

# (name, the command's words); {asset} and {backfill} what an earlier answer gave.
COMMANDS = [
    ("version", ["version", "--remote"]),
    ("dags", ["dags", "list"]),
    ("dag", ["dags", "get", "shop"]),
    ("dag_missing", ["dags", "get", "none"]),
    ("details", ["dags", "get-details", "shop_nightly"]),
    ("tags", ["dags", "get-tags"]),
    ("versions", ["dags", "list-version", "shop"]),
    ("unpause", ["dags", "unpause", "shop"]),
    ("pause", ["dags", "pause", "shop"]),
    ("update", ["dags", "update", "shop", "--no-is-paused"]),
    ("next", ["dags", "next-execution", "shop"]),
    ("trigger", ["dags", "trigger", "shop", "--dag-run-id", "by_ctl", "--logical-date", "2026-01-05T00:00:00Z",
                 "--note", "by hand"]),
    ("trigger_again", ["dags", "trigger", "shop", "--dag-run-id", "by_ctl", "--logical-date", "2026-01-05T00:00:00Z"]),
    ("settle", None),
    ("run", ["dagrun", "get", *RUN]),
    ("run_missing", ["dagrun", "get", "shop", "none"]),
    ("runs", ["dagrun", "list", "--dag-id", "shop", "--limit", "5"]),
    ("runs_failed", ["dagrun", "list", "--state", "failed", "--limit", "5"]),
    ("stats", ["dags", "get-stats", "shop"]),
    ("xcoms", ["xcom", "list", *RUN, "numbers"]),
    ("xcom", ["xcom", "get", *RUN, "numbers", "return_value"]),
    ("xcom_add", ["xcom", "add", *RUN, "shaky", "mine", '{"a": [1, null]}']),
    ("xcom_edit", ["xcom", "edit", *RUN, "shaky", "mine", "other"]),
    ("xcom_delete", ["xcom", "delete", *RUN, "shaky", "mine"]),
    ("xcom_gone", ["xcom", "get", *RUN, "shaky", "mine"]),
    ("assets", ["assets", "list"]),
    ("asset", ["assets", "get", "{asset}"]),
    ("aliases", ["assets", "list-by-alias"]),
    ("event", ["assets", "create-event", "--asset-id", "{asset}"]),
    ("queued", ["assets", "get-queued-events", "{asset}"]),
    ("pool", ["pools", "create", "--name", "two", "--slots", "2", "--description", "for two"]),
    ("pool_get", ["pools", "get", "two"]),
    ("pool_update", ["pools", "update", "--pool", "two", "--slots", "3"]),
    ("pools", ["pools", "list"]),
    ("pools_export", ["pools", "export", "pools.json"]),
    ("pools_import", ["pools", "import", "pools.json", "-a", "overwrite"]),
    ("pool_delete", ["pools", "delete", "two"]),
    ("variable", ["variables", "create", "--key", "colour", "--value", "red", "--description", "of it"]),
    ("variable_get", ["variables", "get", "colour"]),
    ("variable_update", ["variables", "update", "--key", "colour", "--value", "green"]),
    ("variables", ["variables", "list"]),
    ("variables_import", ["variables", "import", "variables.json"]),
    ("variables_import_again", ["variables", "import", "one.json", "-a", "fail"]),
    ("variable_delete", ["variables", "delete", "colour"]),
    ("variable_gone", ["variables", "get", "colour"]),
    ("connection", ["connections", "create", "--connection-id", "db", "--conn-type", "postgres", "--host", "h",
                    "--port", "5432", "--login", "ada", "--password", "hidden word"]),
    ("connection_get", ["connections", "get", "db"]),
    ("connection_update", ["connections", "update", "--connection-id", "db", "--conn-type", "postgres",
                           "--host", "other"]),
    ("connections", ["connections", "list"]),
    ("connections_import", ["connections", "import", "connections.json"]),
    ("connection_delete", ["connections", "delete", "db"]),
    ("backfill", ["backfill", "create", "--dag-id", "shop_nightly", "--from-date", "2026-01-02T00:00:00Z",
                  "--to-date", "2026-01-04T00:00:00Z", "--max-active-runs", "2", "--reprocess-behavior", "none"]),
    ("backfills", ["backfill", "list", "shop_nightly"]),
    ("backfill_get", ["backfill", "get", "{backfill}"]),
    ("config", ["config", "list"]),
    ("config_get", ["config", "get", "core", "executor"]),
    ("jobs", ["jobs", "list", "--job-type", "NoSuchJob"]),
    ("plugins", ["plugins", "list-import-errors"]),
    ("import_errors", ["dags", "list-import-errors"]),
    ("warnings", ["dags", "list-warning"]),
    ("delete", ["dags", "delete", "shop_nightly"]),
    ("deleted", ["dags", "get", "shop_nightly"]),
]
SAVED = {"assets": ("asset", lambda rows: next(row["id"] for row in rows if row["name"] == "shop_orders")),
         "backfill": ("backfill", lambda rows: rows[0]["id"])}


class Session:
    """Its process, and where it keeps who it is."""

    def __init__(self, folder, url, token="any"):
        python = os.environ.get("TAILRACE_AIRFLOWCTL_PYTHON", sys.executable)
        self.process = subprocess.Popen(
            [python, SESSION], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
            env=os.environ | {"AIRFLOW_HOME": str(folder), "AIRFLOW_CLI_DEBUG_MODE": "true", "NO_COLOR": "1",
                              "AIRFLOW_CLI_API_RETRIES": "1"})
        tailrace.started.append(self.process)
        code, out = self.run("auth", "login", "--api-url", url, "--api-token", token)
        assert code == 0, out

    def run(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def told(out):
    """What it printed: JSON where it is some, else its words."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", out)
    text = re.sub(r"Debug mode is enabled.*?set it to false\.", "", text, flags=re.DOTALL)
    for start in (text.find("["), text.find("{")):
        try:
            return json.loads(text[start:])
        except ValueError:
            pass
    return plain(text)


def plain(text):
    """Without what is of the terminal, the day, the machine."""
    text = " ".join(text.split()).replace("{ ", "{").replace(" }", "}")
    text = re.sub(r"'message': (['\"]).*?\1}", "'message': SENTENCE}", text)
    text = re.sub(r"'git_version': ('[^']*'|None)", "'git_version': GIT", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)


def hold(session, folder, settle):
    """The conversation; each answer as [exit code, what was told]."""
    (folder / "variables.json").write_text(json.dumps({"one": "1", "two": {"value": {"a": 1}, "description": "d"}}))
    (folder / "one.json").write_text(json.dumps({"one": "1"}))
    (folder / "connections.json").write_text(json.dumps({"web": {"conn_type": "http", "host": "w", "port": 80}}))
    saved, answers = {}, {}
    for name, words in COMMANDS:
        if words is None:
            settle()
            continue
        code, out = session.run(*(str(airflow_calls.filled(word, saved)) for word in words))
        found = told(out)
        if name in SAVED and code == 0:
            key, find = SAVED[name]
            saved[key] = find(found)
        answers[name] = [code, airflow_calls.without(airflow_calls.normal(found), LEFT_OUT.get(name, ()))]
    return answers


LEFT_OUT = {"trigger": airflow_calls.BEGUN, "event": airflow_calls.BEGUN, "version": {"git_version"}}
