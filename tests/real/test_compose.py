"""The compose file with the real systems, its services run natively: each in its own network, as the file says."""
import json
import os
import re
import shutil
import subprocess

import cassandra_side
import native_containers
import pytest
import tailrace
import test_airflow_example as workflow
from airflow_side import LOADED, Rest

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not native_containers.KAFKA or not cassandra_side.JARS,
                       reason="tests/real/kafka_env.sh and cassandra_env.sh print where the jars are"),
]
PEOPLE, FETCHED = 400, 100
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def stack(tmp_path):
    """The example with a generator that ends, and its compose file."""
    project = tmp_path / "examples" / "random_users"
    shutil.copytree(tailrace.EXAMPLE, project, ignore=shutil.ignore_patterns(".tailrace"))
    settings = (project / "tailrace.yml").read_text()
    changed = settings.replace("first: 1000 ", f"first: {PEOPLE} ").replace("limit: none", f"limit: {PEOPLE}")
    changed = changed.replace("rate: 20}", f"rate: 20, limit: {FETCHED}}}")
    assert changed.count(str(PEOPLE)) == 2 and changed.count(f"limit: {FETCHED}") == 1
    (project / "tailrace.yml").write_text(changed)
    subprocess.run([tailrace.PROGRAM, "compose", project, "--all", "--out", tmp_path / "deploy"], check=True)
    return tmp_path


def embedded_ids(folder):
    """The people of the same project where every role is embedded."""
    project = tailrace.Project(folder / "embedded", source=folder / "examples" / "random_users")
    project.once()
    return sorted(row["id"] for row in project.sql(f"SELECT id FROM users LIMIT {PEOPLE + 1}"))


def served_ids(services):
    told = services.run("tailrace", "cqlsh", "cassandra", "9042", "-e",
                        "PAGING OFF; SELECT id FROM random_users.created_users")
    return sorted(IDS.findall(told))


def assert_spark_keeps_the_tables(services):
    """Its master has had applications, and what they wrote is what the program follows."""
    page = json.loads(services.run("tailrace", "curl", "-fsS", "http://spark-master:8090/json/"))
    assert page["activeapps"] + page["completedapps"] and [one["state"] for one in page["workers"]] == ["ALIVE"]
    data = services.services["tailrace"].paths["/data"]
    assert (data / "spark" / "updated.json").exists() and (data / "lake" / "users" / "_delta_log").is_dir()


@pytest.mark.parametrize("profile, kafka", [("kraft", {"kafka"}), ("zookeeper", {"zookeeper", "kafka-zookeeper"})])
def test_the_example_on_the_real_systems_has_the_rows_of_the_embedded_one(stack, profile, kafka):
    (stack / "embedded").mkdir()
    expected = embedded_ids(stack)
    assert len(expected) == PEOPLE
    names = kafka | {"registry", "cassandra", "postgres", "spark-master", "spark-worker", "tailrace"}
    with native_containers.Stack(stack / "deploy" / "compose.yml", names, profile) as services:
        tailrace.wait_until(lambda: len(served_ids(services)) >= PEOPLE, "rows in Cassandra", 900)
        assert served_ids(services) == expected
        assert_spark_keeps_the_tables(services)
        # localhost in a container is that container: Kafka is not there.
        with pytest.raises(AssertionError):
            services.run("tailrace", "bash", "-c", "exec 3<>/dev/tcp/localhost/9092")
        services.run("tailrace", "bash", "-c", "exec 3<>/dev/tcp/kafka/9092")


def test_spark_and_postgres_start_as_the_file_says(stack):
    names = {"spark-master", "spark-worker", "postgres"}
    with native_containers.Stack(stack / "deploy" / "compose.yml", names, "kraft") as services:
        def workers():
            page = services.run("spark-worker", "curl", "-fsS", "http://spark-master:8090/json/")
            return page.count('"state" : "ALIVE"') == 1
        tailrace.wait_until(workers, "the worker at the master", 120)
        password = "PGPASSWORD=" + services.variables["POSTGRES_PASSWORD"]
        told = services.run("spark-master", "env", password, "psql", "-h", "postgres",
                            "-U", "airflow", "-d", "postgres", "-Atc", "SHOW wal_level")
        assert told.strip() == "logical"


def with_workflow(folder):
    """The embedded run with its workflow: what became of the tasks, and the people."""
    folder.mkdir()
    project = tailrace.Project(folder, source=folder.parent / "examples" / "random_users").start()
    runs = workflow.run_to_the_end(Rest(project.run_file()["airflow"].rstrip("/")))
    project.stop()
    return runs, sorted(row["id"] for row in project.sql(f"SELECT id FROM users LIMIT {PEOPLE + FETCHED + 1}"))


@pytest.mark.skipif(not native_containers.MINIO, reason="tests/real/minio_env.sh prints where MinIO is")
def test_all_services_together_run_the_workflow_as_the_embedded_project_does(stack):
    wanted_runs, wanted_people = with_workflow(stack / "embedded")
    assert len(wanted_people) == PEOPLE + FETCHED
    file = stack / "deploy" / "compose.yml"
    with native_containers.Stack(file, native_containers.names_in(file), "kraft") as services:
        assert len(services.services) == 9
        airflow = services.services["airflow"]
        rest = Rest(f"http://{airflow.address}:8080", "admin", services.variables["AIRFLOW_PASSWORD"])
        tailrace.wait_until(lambda: workflow.there(rest), "the DAG in Airflow", LOADED)
        assert workflow.run_to_the_end(rest) == wanted_runs
        tailrace.wait_until(lambda: len(served_ids(services)) >= len(wanted_people), "rows in Cassandra", 900)
        assert served_ids(services) == wanted_people
        assert_spark_keeps_the_tables(services)
        logs = services.folder / "volumes" / "minio" / "airflow-logs" / f"dag_id={workflow.DAG}"
        assert {path.parent.name for path in logs.rglob("attempt=1.log")} >= {"task_id=fetch", "task_id=refresh"}
