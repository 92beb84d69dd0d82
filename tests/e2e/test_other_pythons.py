"""Functions in other Pythons where Airflow is not installed: what they have of it in environments with the system's
packages, what they find beside the DAGs, how they end. What Airflow does with the same operators: test_operators.py.
"""
import os
import subprocess
import sys
import textwrap

import tailrace

OPERATORS = "airflow.providers.standard.operators.python."
FUNCTIONS = '''
def ask(logical_date, dag_run, **context):
    from airflow.sdk import Variable

    print("logical_date:", logical_date.isoformat(), dag_run.run_type, "ti" in context, "macros" in context)
    print("variable:", Variable.get("colour"), Variable.get("none", default="of none"))


def each():
    yield 1


def wait():
    import time

    time.sleep(600)


nameless = lambda: 1


def beside(x):
    import besides

    print("beside:", besides.twice(x))


def a_time():
    import datetime

    return datetime.datetime(2026, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def serialized(value):
    return value
'''


def tried(folder, task, environment=None):
    (folder / "dags").mkdir(exist_ok=True)
    (folder / "dags" / "functions.py").write_text(FUNCTIONS)
    (folder / "dags" / "one.yml").write_text("one:\n  start_date: 2026-01-01\n  tasks:\n    tell:\n"
                                             + textwrap.indent(textwrap.dedent(task), " " * 6))
    done = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder, "--date", "2026-02-03"],
                          capture_output=True, text=True, timeout=120, check=False, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_an_environment_with_the_systems_packages_has_airflows_names(tmp_path):
    (tmp_path / "tailrace.yml").write_text("name: one\nvariables: {colour: red}\n")
    code, told = tried(tmp_path, f"""
        operator: {OPERATORS}PythonVirtualenvOperator
        python_callable: functions.ask
        """)
    assert code == 0, told
    assert "logical_date: 2026-02-03T00:00:00+00:00 manual False True" in told
    assert "variable: red of none" in told


def test_modules_beside_the_dags_are_found(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "besides.py").write_text("def twice(x):\n    return 2 * x\n")
    code, told = tried(tmp_path, f"""
        operator: {OPERATORS}ExternalPythonOperator
        python: {sys.executable}
        python_callable: functions.beside
        op_args: [21]
        """)
    assert code == 0 and "beside: 42" in told, told


def test_times_come_back(tmp_path):
    code, told = tried(tmp_path, f"""
        operator: {OPERATORS}ExternalPythonOperator
        python: {sys.executable}
        python_callable: functions.a_time
        """)
    assert code == 0, told


def test_what_is_no_function_to_be_written_down_is_refused(tmp_path):
    for name, why in (("each", "does not support using 'yield' in python_callable"),
                      ("nameless", "only supports functions for python_callable arg")):
        code, told = tried(tmp_path, f"""
            operator: {OPERATORS}PythonVirtualenvOperator
            python_callable: functions.{name}
            """)
        assert code != 0 and f"PythonVirtualenvOperator {why}" in told, told


def test_a_serializer_that_is_not_known_or_not_there_is_told_of(tmp_path):
    task = f"""
        operator: {OPERATORS}PythonVirtualenvOperator
        python_callable: functions.serialized
        op_args: [1]
        serializer: json
        """
    code, told = tried(tmp_path, task)
    assert code != 0 and "Unsupported serializer 'json'. Expected one of 'pickle', 'dill', 'cloudpickle'" in told


def test_the_other_python_ends_with_its_try(tmp_path):
    code, told = tried(tmp_path, f"""
        operator: {OPERATORS}PythonVirtualenvOperator
        python_callable: functions.wait
        execution_timeout: {{__type__: datetime.timedelta, seconds: 20}}
        """, os.environ | {"TMPDIR": str(tmp_path)})
    assert code != 0 and "run manual" in told and "failed" in told, told

    def gone():
        found = subprocess.run(["pgrep", "-f", f"{tmp_path}.*script.py"], capture_output=True, text=True, check=False)
        return not found.stdout

    tailrace.wait_until(gone, "the end of a process that was killed")
