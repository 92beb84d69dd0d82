"""Runs DAG files on Airflow, each once, in this process: what became of each task, and its XComs, as JSON.

    tests/real/airflow_operators.py OUT FILE…

Connections are those of the environment. What a task failed by is its exception's text.
"""
import asyncio
import json
import logging
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def set_up(home, folder):
    """Airflow's environment; before its first import."""
    os.environ.update({
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of thirty-two bytes, and more",
        "DAGS_DIR": str(folder),
    })
    sys.path[:0] = [str(folder), str(ROOT / "python")]
    from airflow.utils import db

    db.initdb()


def caught(failures):
    """Notes the exception of each task instance that failed."""
    from airflow.sdk.exceptions import AirflowTaskTimeout
    from airflow.sdk.execution_time import task_runner

    plain = task_runner._execute_task

    def execute(context, ti, log):
        try:
            return plain(context, ti, log)
        except (Exception, AirflowTaskTimeout) as problem:  # the latter is no Exception
            failures[ti.dag_id, ti.task_id, ti.map_index] = str(problem)
            raise

    task_runner._execute_task = execute


def cleaned_up():
    """Lets a trigger that has fired let go of what it holds, as the triggerer does and DAG.test() does not."""
    from airflow.sdk.definitions import dag as dags

    plain = dags._run_inline_trigger

    def run_trigger(trigger, ti):
        try:
            return plain(trigger, ti)
        finally:
            asyncio.run(trigger.cleanup())

    dags._run_inline_trigger = run_trigger


def add(dag):
    """Writes a DAG to the database as the DAG processor does."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    with create_session() as session:
        update_dag_parsing_results_in_db("dags-folder", None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(),
                                         session=session)


def run(dag, failures):
    from airflow.models.taskinstance import TaskInstance as TI
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    dag.test(logical_date=dag.start_date)  # as @once has it
    with create_session() as session:
        tasks = session.scalars(select(TI).filter_by(dag_id=dag.dag_id)).all()
        found = {one.task_id + ("" if one.map_index < 0 else f"[{one.map_index}]"):
                 {"state": str(one.state), "why": failures.get((one.dag_id, one.task_id, one.map_index), "")}
                 for one in tasks}
        for one in session.scalars(select(XComModel).filter_by(dag_id=dag.dag_id, key="return_value")):
            found[one.task_id + ("" if one.map_index < 0 else f"[{one.map_index}]")]["returned"] = one.value
    return found


def main(out, *files):
    logging.disable(logging.CRITICAL)
    folder = pathlib.Path(files[0]).resolve().parent
    with tempfile.TemporaryDirectory() as home:
        set_up(pathlib.Path(home), folder)
        from tailrace_airflow import loader

        failures, told = {}, {}
        caught(failures)
        cleaned_up()
        for file in files:
            dags = {}
            loader.load(dags, str(folder), str(pathlib.Path(file).resolve()))
            for name, dag in dags.items():
                if hasattr(dag, "task_dict"):
                    add(dag)
                    told[name] = run(dag, failures)
    pathlib.Path(out).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
