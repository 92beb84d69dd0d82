"""DAG files mean here what they mean to dag-factory and Airflow: what is recorded of these is still so."""
import difflib
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAGS = ROOT / "tests/dags"
TOOLS = ROOT / "tests/real/dags"
PROVIDERS = ("amazon apache-cassandra apache-kafka apache-spark common-sql http postgres slack smtp sqlite "
             "standard").split()


@pytest.fixture(scope="session")
def python():
    """The Python of a venv with Airflow."""
    if given := os.environ.get("TAILRACE_AIRFLOW_PYTHON"):
        return given
    line = subprocess.run([ROOT / "tests/real/airflow_env.sh"], check=True, capture_output=True, text=True).stdout
    return line.split("=", 1)[1].strip().strip("'")


@pytest.fixture
def ask(python, tmp_path):
    """What one of the recording scripts prints."""
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}

    def run(script, *arguments):
        return subprocess.run([python, TOOLS / script, *arguments], check=True, capture_output=True, text=True,
                              env=environment).stdout

    return run


def same(recorded, now, record):
    difference = list(difflib.unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", n=0,
                                           lineterm=""))
    assert not difference, "\n".join(difference[:20]) + f"\nrecord it again: {record}"


def test_the_corpus_is_recorded_as_dag_factory_and_airflow_read_it(ask):
    same((DAGS / "described.json").read_text(), ask("describe.py", DAGS),
         "tests/real/dags/describe.py tests/dags >tests/dags/described.json")


def test_what_we_refuse_airflow_refuses_and_what_we_doubt_it_takes(ask):
    said = json.loads(ask("broken.py", DAGS))
    for file in sorted((DAGS / "broken").glob("*.yml")):
        lines = file.read_text().splitlines()
        claim = lines[0].removeprefix("# ")
        if said[file.stem] is None:
            assert claim == "Airflow is silent.", file
        else:
            numberless = [re.sub(r"\d+", "0", text) for text in (said[file.stem], claim.removeprefix("Airflow: "))]
            assert numberless[0].startswith(numberless[1]), f"{file}: {said[file.stem]}"
        fatal = any(re.match(r"# \d+:\d+ ", line) for line in lines)
        assert fatal == (said[file.stem] is not None) or file.stem.startswith(("doubt_", "lookup_")), file


def test_what_operators_take_is_recorded_as_airflow_has_it(ask, python):
    installed = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    recorded = (ROOT / "spec/airflow_operators.yml").read_text()
    pins = [f"apache-airflow-providers-{name}==" + re.search(rf"providers-{name}\s+#?\s*([\d.]+)", recorded)[1]
            for name in PROVIDERS]
    if missing := [pin for pin in pins if pin not in installed]:
        subprocess.run([python, "-m", "pip", "install", "-q", *missing], check=True)
    same(recorded, ask("operators.py"), "tests/real/dags/operators.py >spec/airflow_operators.yml")
