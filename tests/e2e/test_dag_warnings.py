"""What `tailrace check`, `dags list` and `tailrace airflow` warn of in DAG files: what would fail, or do nothing."""
import json

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"


@pytest.fixture
def project(tmp_path):
    def made(dag, schedule="embedded"):
        settings = json.loads(tailrace.settings(tailrace.files_from(tmp_path)))
        settings["roles"] = {"schedule": schedule}
        one = tailrace.Project(tmp_path, settings=json.dumps(settings))
        (one.folder / "dags").mkdir()
        (one.folder / "dags" / "one.yml").write_text(dag)
        return one

    return made


@pytest.mark.parametrize("operator, arguments", [
    ("airflow.providers.amazon.aws.operators.s3.S3DeleteObjectsOperator", "bucket: b"),
    ("airflow.providers.apache.spark.operators.spark_sql.SparkSqlOperator", "sql: SELECT 1"),
])
def test_an_operator_that_is_not_embedded_is_told_with_its_place(project, operator, arguments):
    one = project(f"one:\n  start_date: 2026-01-01\n  tasks:\n    a: {{operator: {operator}, {arguments}}}\n")
    told = one.command("check", one.folder)
    warning = f"dags/one.yml:4:19: `{operator}` is not embedded"
    assert told.returncode == 0 and "warning  " in told.stdout and warning in told.stdout, told.stdout + told.stderr
    listed = one.command("dags", "list", "--project", one.folder)
    assert listed.returncode == 0 and warning in listed.stderr
    (one.folder / "tailrace.yml").write_text((one.folder / "tailrace.yml").read_text().replace(
        '"embedded"', '"http://127.0.0.1:8080"'))
    assert "is not embedded" not in one.command("check", one.folder).stdout, "an Airflow has it"


UNKNOWN = """
one:
  start_date: 2026-01-01
  tasks:
    a: {operator: airflow.providers.apache.hive.operators.hive.HiveOperator, hql: SELECT 1, retries: 2}
    b: {operator: our.operators.Own, expand: {item: [1, 2]}, dependencies: [a]}
"""


def test_an_operator_that_is_unknown_here_is_left_to_the_airflow_that_runs_it(project, tmp_path):
    one = project(UNKNOWN, "http://127.0.0.1:8080")
    told = one.command("check", one.folder)
    assert told.returncode == 0, told.stderr
    assert "dags/one.yml:5:19: the operator `airflow.providers.apache.hive" in told.stdout
    assert "dags/one.yml:6:19: the operator `our.operators.Own` is not known here" in told.stdout
    written = one.command("airflow", one.folder, "--out", tmp_path / "out")
    assert written.returncode == 0, written.stderr
    assert "our.operators.Own" in written.stderr
    assert "apache-airflow-providers-apache-hive" in (tmp_path / "out" / "requirements.txt").read_text()
    here = one.command("dags", "list", "--project", one.folder)
    assert here.returncode == 1 and "is not known here" in here.stderr


def test_what_does_nothing_here_is_told(project):
    one = project(f"""
one:
  start_date: 2026-01-01
  default_args: {{run_as_user: somebody}}
  tasks:
    a: {{operator: {BASH}, bash_command: "true", executor_config: {{KubernetesExecutor: {{}}}}}}
    b: {{operator: {BASH}, bash_command: "true", pre_execute: os.getcwd}}
""")
    told = one.command("check", one.folder)
    assert told.returncode == 0, told.stderr
    for place, name in (("4", "run_as_user"), ("6", "executor_config"), ("7", "pre_execute")):
        lines = [line for line in told.stdout.splitlines() if f"`{name}` does nothing here" in line]
        assert len(lines) == 1 and f"dags/one.yml:{place}:" in lines[0], told.stdout
