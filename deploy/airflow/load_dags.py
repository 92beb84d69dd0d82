"""The project's DAGs, which are dag-factory's YAML, for Airflow."""
import os

import dagfactory

FOLDER = "/opt/airflow/project/dags"
if os.path.isdir(FOLDER):
    dagfactory.load_yaml_dags(globals_dict=globals(), dags_folder=FOLDER)
