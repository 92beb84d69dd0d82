"""What the tasks of user_automation.yml call."""
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException


def is_slack_set():
    """Whether there is a connection `slack`."""
    try:
        Connection.get("slack")
    except AirflowNotFoundException:
        return False
    return True
