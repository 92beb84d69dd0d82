"""The DAG files of random_users on Airflow: written by `tailrace`."""
import sys

sys.path.insert(0, '/opt/airflow/project/dags')
from tailrace_airflow import loader  # noqa: E402

loader.load(globals(), '/opt/airflow/project/dags')
