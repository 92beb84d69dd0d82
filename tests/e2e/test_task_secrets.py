"""What is secret of variables and connections: in no log, in no rendered field, as with Airflow's secrets masker."""
import os
import sqlite3
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"
SECRETS = {
    "AIRFLOW_VAR_MY_PASSWORD": "one-swordfish",
    "AIRFLOW_VAR_CONF": '{"user": "shown-user", "password": "two-swordfish"}',
    "AIRFLOW_VAR_COLOUR": "shown-green",
    "AIRFLOW_CONN_SHOP": '{"conn_type": "http", "host": "shown.host", "password": "three-swordfish", '
                         '"extra": {"token": "four-swordfish", "colour": "shown-blue"}}',
}
TEMPLATES = ("{{ var.value.my_password }} {{ var.json.conf.password }} {{ var.json.conf.user }} {{ var.value.colour }} "
             "{{ conn.shop.password }} {{ conn.shop.extra_dejson.token }} {{ conn.shop.extra_dejson.colour }}")
SHOWN = {"shown-user", "shown-green", "shown-blue"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dags").mkdir()
    return tmp_path


def tried(folder, dag):
    (folder / "dags" / "one.yml").write_text(dag)
    told = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder], capture_output=True,
                          text=True, timeout=120, check=False, env={**os.environ})
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_templates_do_not_tell_secrets(folder):
    log = tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    tell: {{operator: {BASH}, bash_command: 'echo "{TEMPLATES}"'}}
""")
    assert "swordfish" not in log
    assert all(word in log for word in SHOWN)
    assert "*** *** shown-user shown-green *** *** shown-blue" in log


def test_python_tasks_do_not_tell_secrets(folder):
    (folder / "dags" / "telling.py").write_text("""
from airflow.sdk import Connection, Variable
from airflow.sdk.log import mask_secret


def tell():
    shop = Connection.get("shop")
    print(Variable.get("my_password"), Variable.get("conf", deserialize_json=True)["password"])
    print(shop.password, shop.extra_dejson["token"], shop.extra, shop.extra_dejson["colour"])
    print(Variable.get("no_token", default="five-swordfish"))
    mask_secret({"key": "shown-key", "api-key": "six-swordfish"})
    mask_secret("seven-swordfish")
    print("six-swordfish seven-swordfish shown-key")
""")
    log = tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    tell: {{operator: {PYTHON}, python_callable: telling.tell}}
""")
    assert "swordfish" not in log
    assert "*** *** *** shown-blue" in log and "*** *** shown-key" in log


def test_rendered_fields_have_no_secrets(folder):
    project = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder)))
    (project.folder / "dags").mkdir(exist_ok=True)
    (project.folder / "dags" / "one.yml").write_text(f"""
one:
  schedule: "@once"
  start_date: 2026-01-01
  tasks:
    tell:
      operator: {BASH}
      bash_command: 'echo "{TEMPLATES}"'
      env: {{API_TOKEN: eight-swordfish, COLOUR: shown-red}}
""")
    project.start()
    try:
        def rendered():
            path = project.data / "dags" / "workflows.db"
            if not path.exists():
                return []
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as kept:
                return kept.execute("SELECT fields FROM rendered").fetchall()

        tailrace.wait_until(rendered, "the rendered fields")
        (fields,), = rendered()
    finally:
        project.kill()
    assert "swordfish" not in fields
    assert "shown-red" in fields and all(word in fields for word in SHOWN)
