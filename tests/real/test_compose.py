"""The compose file with the real systems, its services run natively: each in its own network, as the file says."""
import os
import re
import shutil
import subprocess

import cassandra_side
import native_containers
import pytest
import tailrace

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not native_containers.KAFKA or not cassandra_side.JARS,
                       reason="tests/real/kafka_env.sh and cassandra_env.sh print where the jars are"),
]
PEOPLE = 400
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def stack(tmp_path):
    """The example with a generator that ends, and its compose file."""
    project = tmp_path / "examples" / "random_users"
    shutil.copytree(tailrace.EXAMPLE, project, ignore=shutil.ignore_patterns(".tailrace", "dags"))
    settings = (project / "tailrace.yml").read_text()
    changed = settings.replace("first: 1000 ", f"first: {PEOPLE} ").replace("limit: none", f"limit: {PEOPLE}")
    assert changed.count(str(PEOPLE)) == 2
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


@pytest.mark.parametrize("profile, kafka", [("kraft", {"kafka"}), ("zookeeper", {"zookeeper", "kafka-zookeeper"})])
def test_the_example_on_the_real_systems_has_the_rows_of_the_embedded_one(stack, profile, kafka):
    (stack / "embedded").mkdir()
    expected = embedded_ids(stack)
    assert len(expected) == PEOPLE
    names = kafka | {"registry", "cassandra", "tailrace"}
    with native_containers.Stack(stack / "deploy" / "compose.yml", names, profile) as services:
        tailrace.wait_until(lambda: len(served_ids(services)) >= PEOPLE, "rows in Cassandra", 300)
        assert served_ids(services) == expected
        # localhost in a container is that container: Kafka is not there.
        with pytest.raises(AssertionError):
            services.run("tailrace", "bash", "-c", "exec 3<>/dev/tcp/localhost/9092")
        services.run("tailrace", "bash", "-c", "exec 3<>/dev/tcp/kafka/9092")


def test_spark_and_postgres_start_as_the_file_says(stack):
    names = {"spark-master", "spark-worker-1", "spark-worker-2", "postgres"}
    with native_containers.Stack(stack / "deploy" / "compose.yml", names, "kraft") as services:
        def workers():
            page = services.run("spark-worker-1", "curl", "-fsS", "http://spark-master:8090/json/")
            return page.count('"state" : "ALIVE"') == 2
        tailrace.wait_until(workers, "two workers at the master", 120)
        password = "PGPASSWORD=" + services.variables["POSTGRES_PASSWORD"]
        told = services.run("spark-master", "env", password, "psql", "-h", "postgres",
                            "-U", "airflow", "-d", "postgres", "-Atc", "SHOW wal_level")
        assert told.strip() == "logical"
