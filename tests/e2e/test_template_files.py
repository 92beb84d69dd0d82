"""Templates in files: beside the DAGs, in `template_searchpath`, by `include`; a fault is told with file and line."""
import subprocess

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dags" / "sql").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    return tmp_path


def tried(folder, command, dag=""):
    (folder / "dags" / "one.yml").write_text(f"""
one:
  start_date: 2026-01-01
  {dag}
  tasks:
    tell: {{operator: {BASH}, bash_command: {command!r}}}
""")
    done = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder, "--date", "2026-02-03"],
                          capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_file_beside_the_dags(folder):
    (folder / "dags" / "sql" / "tell.sh").write_text("echo one {{ ds }}\necho two {{ ti.task_id }}\n")
    code, told = tried(folder, "sql/tell.sh")
    assert code == 0 and "one 2026-02-03" in told and "two tell" in told
    assert tried(folder, "/sql/tell.sh")[0] == 0  # as Jinja's loader reads it


def test_search_paths_in_their_order(folder):
    (folder / "shared" / "tell.sh").write_text("echo shared")
    (folder / "other").mkdir()
    (folder / "other" / "tell.sh").write_text("echo other")
    assert "shared" in tried(folder, "tell.sh", "template_searchpath: shared")[1]
    assert "other" in tried(folder, "tell.sh", f"template_searchpath: [{folder}/other, shared]")[1]
    (folder / "dags" / "tell.sh").write_text("echo beside")
    assert "beside" in tried(folder, "tell.sh", "template_searchpath: shared")[1]


def test_a_search_path_that_dag_factory_refuses_is_told_of(folder):
    code, told = tried(folder, "true", "template_searchpath: /no/such")
    assert code != 0 and "one.yml:4:24: `template_searchpath`: there is no folder /no/such" in told
    assert tried(folder, "true", "template_searchpath: shared")[0] == 0
    done = subprocess.run([tailrace.PROGRAM, "dags", "list", "--project", folder], capture_output=True, text=True,
                          timeout=120, check=True)
    assert "dag-factory 1.1 wants absolute paths" in done.stderr


def test_an_included_file_has_the_names_of_its_place(folder):
    (folder / "shared" / "part.txt").write_text("part of {{ ds }} {{ n }}")
    code, told = tried(folder, "{% for n in [1, 2] %}echo {% include 'part.txt' %};{% endfor %}",
                       "template_searchpath: [shared]")
    assert code == 0 and "part of 2026-02-03 1" in told and "part of 2026-02-03 2" in told


def test_what_is_missing_or_wrong_is_told_with_its_place(folder):
    code, told = tried(folder, "tell.sh", "template_searchpath: shared")
    assert code != 0 and (f"bash_command: TemplateNotFound: 'tell.sh' not found in search path: {folder}/dags, "
                          f"{folder}/shared") in told
    (folder / "dags" / "tell.sh").write_text("echo 1\necho {{ nothing }}\n")
    assert "bash_command: UndefinedError: 'nothing' is undefined (line 2 of tell.sh)" in tried(folder, "tell.sh")[1]
    (folder / "dags" / "tell.sh").write_text("echo 1\n{% include 'part.txt' %}\n")
    (folder / "dags" / "part.txt").write_text("\n\n{% if %}")
    assert "(line 3 of part.txt)" in tried(folder, "tell.sh")[1]
    (folder / "secret.sh").write_text("echo no")
    assert "TemplateNotFound: '../secret.sh'" in tried(folder, "../secret.sh")[1]
