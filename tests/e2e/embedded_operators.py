"""What became of each task of a DAG that ran embedded, in the words of tests/real/airflow_operators.py."""
import json
import sqlite3

import tailrace


def outcome(project, dag):
    """State, cause and returned value of each task of the DAG's only run, when that has ended."""
    path = project.data / "dags" / "workflows.db"

    def ask(query, *values):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
            return connection.execute(query, values).fetchall()

    def over():
        return (path.exists() and ask("SELECT 1 FROM sqlite_master WHERE name = 'run'")
                and ask("SELECT 1 FROM run WHERE dag = ? AND ended_at IS NOT NULL", dag))

    tailrace.wait_until(over, f"{dag} ends", 120)
    found = {}
    for task, index, state in ask("SELECT task, map_index, state FROM task WHERE dag = ?", dag):
        found[task + ("" if index < 0 else f"[{index}]")] = {"state": state, "why": ""}
    for task, index, why in ask("SELECT task, map_index, why FROM try WHERE dag = ? ORDER BY number", dag):
        found[task + ("" if index < 0 else f"[{index}]")]["why"] = why or ""
    for task, index, value in ask(
            "SELECT task, map_index, value FROM xcom WHERE dag = ? AND key = 'return_value'", dag):
        found[task + ("" if index < 0 else f"[{index}]")]["returned"] = json.loads(value)
    return found
