"""The tutorial as drawn: the example with each role at a real system by its URL (PostgreSQL, Kafka, a registry,
Cassandra, Airflow), then the same project on Spark; the rows are those of the run where all is embedded.

All of it at once takes about 6 GB."""
import contextlib
import json
import subprocess

import cassandra_side
import kafka_side
import postgres_side
import pytest
import registry_side
import spark_side
import tailrace
import test_airflow_example as workflow
import test_serving_url as serving
from airflow_side import LOADED, RealAirflow
from test_airflow_example import embedded  # noqa: F401
from test_spark import TABLES

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not all((kafka_side.JARS, cassandra_side.JARS, spark_side.JARS, registry_side.APICURIO)),
                       reason="the scripts tests/real/*_env.sh print where the real systems are"),
]


class Systems:
    """Each role's real system; `roles` are their URLs, as tailrace.yml has them."""

    def __init__(self, folder, stack):
        (folder / "kafka").mkdir()
        self.postgres = postgres_side.RealPostgres().start()
        stack.callback(self.postgres.remove)
        self.kafka = kafka_side.RealKafka(folder / "kafka").start()
        stack.callback(self.kafka.stop)
        self.cassandra = cassandra_side.RealCassandra(folder / "cassandra").start()
        stack.callback(self.cassandra.kill)
        self.registry = registry_side.Apicurio(folder).start()
        stack.callback(self.registry.process.kill)
        self.slack = workflow.Slack()
        stack.callback(self.slack.close)
        self.roles = {
            "staging": json.dumps({"url": self.postgres.bare_url, "user": postgres_side.USER,
                                   "password": "${STAGING_PASSWORD}"}),
            "log": f"kafka://{self.kafka.address}", "registry": self.registry.url,
            "serving": f"cassandra://{self.cassandra.address}/random_users", "schedule": "http://127.0.0.1:8080"}


def run_by_airflow(project, systems, folder):
    """The workflow's runs, as workflow.run_to_the_end has them."""
    done = subprocess.run([tailrace.PROGRAM, "airflow", project.folder, "--out", folder], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    airflow = RealAirflow(folder, workflow.connections(project, systems.slack))
    try:
        rest = airflow.start()
        tailrace.wait_until(lambda: workflow.there(rest), "the DAG in Airflow", LOADED)
        return workflow.run_to_the_end(rest)
    finally:
        airflow.stop()


def test_the_tutorial_as_drawn_by_urls_alone_has_the_rows_of_the_embedded_run(
        tmp_path, monkeypatch, embedded):  # noqa: F811
    monkeypatch.setenv("STAGING_PASSWORD", postgres_side.PASSWORD)
    wanted_runs, wanted_rows, wanted_told = embedded
    with contextlib.ExitStack() as stack:
        systems = Systems(tmp_path, stack)
        project = workflow.example(tmp_path / "run", **systems.roles).start()
        assert run_by_airflow(project, systems, tmp_path / "airflow") == wanted_runs
        assert systems.slack.told() == wanted_told
        serving.settled(project, systems.cassandra.address, keyspace="random_users")
        assert workflow.ends(project) == wanted_rows
        serving.assert_same(project, systems.cassandra.address, keyspace="random_users")
        master = stack.enter_context(spark_side.standalone(tmp_path / "cluster"))
        done = spark_side.run_on_spark(project, tmp_path / "spark", master)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        for table in TABLES:
            ours = spark_side.rows(project.data / "lake" / table)
            spark_side.assert_same(ours, spark_side.rows(tmp_path / "spark" / "warehouse" / table), table,
                                   empty=table == "signups_per_minute" and not ours)  # its minute may still be open
