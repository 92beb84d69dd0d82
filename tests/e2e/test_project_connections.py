"""`connections` and `variables` of tailrace.yml: what templates and functions see of them, and who goes first."""
import json
import os
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"
SETTINGS = """
connections:
  shop: postgresql://me:${SHOP_WORD}@shop.host:5433/orders?sslmode=require
  api:
    conn_type: http
    host: api.host
    login: me
    password: file:api.word
    extra: {timeout: 10, colour: blue}
variables:
  region: eu
  bounds: {low: 5, words: [a, b]}
  api_password: ${SHOP_WORD}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_WORD", "one-swordfish")
    (tmp_path / "dags").mkdir()
    (tmp_path / "tailrace.yml").write_text(SETTINGS)
    (tmp_path / "api.word").write_text("two-swordfish\n")
    return tmp_path


def tried(folder, dag):
    (folder / "dags" / "one.yml").write_text(dag)
    told = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder], capture_output=True,
                          text=True, timeout=120, check=False, env={**os.environ})
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


TELL = f"""
one:
  start_date: 2026-01-01
  tasks:
    tell:
      operator: {BASH}
      bash_command: >-
        echo '{{{{ conn.shop.conn_type }}}} {{{{ conn.shop.host }}}} {{{{ conn.shop.port }}}} {{{{ conn.shop.schema }}}}
        {{{{ conn.shop.password }}}} {{{{ conn.api.extra_dejson.timeout + 1 }}}} {{{{ var.value.region }}}}
        {{{{ var.json.bounds.low + 1 }}}} {{{{ var.value.api_password }}}}' | tee TOLD
"""


def test_templates_have_them_and_logs_have_no_secrets(folder):
    log = tried(folder, TELL.replace("TOLD", str(folder / "told")))
    assert (folder / "told").read_text().split() == ["postgres", "shop.host", "5433", "orders", "one-swordfish", "11",
                                                     "eu", "6", "one-swordfish"]
    assert "swordfish" not in log and "postgres shop.host 5433 orders *** 11 eu 6 ***" in " ".join(log.split())


def test_functions_have_them(folder):
    (folder / "dags" / "seeing.py").write_text(f"""
import json

from airflow.sdk import Connection, Variable
from airflow.sdk.bases.hook import BaseHook


def see():
    shop, api = BaseHook.get_connection("shop"), Connection.get("api")
    json.dump([shop.host, shop.password, api.password, api.extra_dejson, Variable.get("region"),
               Variable.get("bounds", deserialize_json=True)], open({str(folder / "seen")!r}, "w"))
""")
    see = f"{{see: {{operator: {PYTHON}, python_callable: seeing.see}}}}"
    tried(folder, f"one: {{start_date: 2026-01-01, tasks: {see}}}")
    assert json.loads((folder / "seen").read_text()) == [
        "shop.host", "one-swordfish", "two-swordfish", {"timeout": 10, "colour": "blue"}, "eu",
        {"low": 5, "words": ["a", "b"]}]


def test_the_environment_goes_first(folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "mysql://other.host")
    monkeypatch.setenv("AIRFLOW_VAR_REGION", "us")
    log = tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    tell: {{operator: {BASH}, bash_command: 'echo {{{{ conn.shop.host }}}} {{{{ var.value.region }}}}'}}
""")
    assert "other.host us" in log


def test_what_is_kept_goes_last(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_WORD", "one-swordfish")
    settings = json.loads(tailrace.settings(tailrace.files_from(tmp_path)))
    settings["variables"] = {"region": "eu"}
    project = tailrace.Project(tmp_path, settings=json.dumps(settings))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "one.yml").write_text(f"""
one:
  start_date: 2026-01-01
  tasks:
    tell:
      operator: {BASH}
      bash_command: 'echo {{{{ var.value.region }}}} {{{{ var.value.kept }}}} > {tmp_path}/told'
""")
    project.start()
    for key in ("region", "kept"):
        project.post("/api/v2/variables", {"key": key, "value": "kept"})
    assert project.command("dags", "run", "one", "--wait", "--project", project.folder, "--data",
                           project.data).returncode == 0
    assert (tmp_path / "told").read_text() == "eu kept\n"
    project.stop()


def test_what_airflow_gets_names_them_without_their_secrets(folder):
    (folder / "dags" / "one.yml").write_text(TELL)
    out = folder / "out"
    environment = {name: value for name, value in os.environ.items() if name != "SHOP_WORD"}
    done = subprocess.run([tailrace.PROGRAM, "airflow", folder, "--out", out], capture_output=True, text=True,
                          timeout=120, check=True, env=environment)
    assert "AIRFLOW__SECRETS__BACKEND=tailrace_provider.secrets.ProjectSecrets" in done.stdout
    assert f"""AIRFLOW__SECRETS__BACKEND_KWARGS='{{"project":"{folder}"}}'""" in done.stdout
    assert (out / "tailrace_provider" / "secrets.py").exists()
    assert not [path for path in out.rglob("*") if path.is_file() and "swordfish" in path.read_text()]
