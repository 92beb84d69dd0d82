"""`connections` and `variables` of tailrace.yml on a real Airflow: what tasks see of them is the same."""
import json
import os
import subprocess
import sys
import textwrap

import pytest
from airflow_side import ROOT, airflow_python

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import tailrace  # noqa: E402

SETTINGS = """
connections:
  shop: postgresql://me:${SHOP_WORD}@shop.host:5433/orders?sslmode=require
  api:
    conn_type: http
    host: api.host
    port: 8443
    password: file:api.word
    extra: {timeout: 10, rate: 1.5, verify: false, text: '5', none: ~, token: '${SHOP_WORD}'}
variables:
  region: eu
  many: 010
  bounds: {low: 5, words: [a, yes, '1'], none: ~}
"""
SEE = textwrap.dedent("""\
    import json
    import sys

    from airflow.sdk import Connection, Variable


    def see(path):
        found = [[one.conn_type, one.host, one.port, one.login, one.schema, one.password, one.extra_dejson]
                 for one in map(Connection.get, ("shop", "api"))]
        found += [Variable.get("region"), Variable.get("many"), Variable.get("bounds", deserialize_json=True)]
        with open(path, "w") as file:
            json.dump(found, file)


    if __name__ == "__main__":
        see(sys.argv[1])
""")
DAG = """
one:
  start_date: 2026-01-01
  tasks:
    see:
      operator: airflow.providers.standard.operators.python.PythonOperator
      python_callable: seeing.see
      op_args: [%s]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_WORD", "one:swordfish@\"")
    (tmp_path / "dags").mkdir()
    (tmp_path / "tailrace.yml").write_text(SETTINGS)
    (tmp_path / "api.word").write_text("two-swordfish\n")
    (tmp_path / "dags" / "seeing.py").write_text(SEE)
    (tmp_path / "dags" / "one.yml").write_text(DAG % (tmp_path / "embedded"))
    return tmp_path


def on_airflow(folder, **more):
    environment = os.environ | more | {
        "AIRFLOW_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT / "python"),
        "AIRFLOW__SECRETS__BACKEND": "tailrace_provider.secrets.ProjectSecrets",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"project": str(folder)})}
    subprocess.run([airflow_python(), folder / "dags" / "seeing.py", folder / "there"], check=True, timeout=300,
                   env=environment)
    return json.loads((folder / "there").read_text())


def test_airflow_sees_what_embedded_tasks_see(folder):
    done = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder], capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert on_airflow(folder) == json.loads((folder / "embedded").read_text())


def test_airflows_own_environment_goes_first(folder):
    found = on_airflow(folder, AIRFLOW_CONN_SHOP="mysql://other.host", AIRFLOW_VAR_REGION="us")
    assert found[0][:2] == ["mysql", "other.host"] and found[2] == "us"
