"""Fetches people and sends them to Kafka."""
import uuid
from datetime import datetime

from airflow import DAG
from airflow.operators.python import PythonOperator

default_args = {"owner": "airflow", "start_date": datetime(2023, 9, 3, 10, 00)}


def get_data():
    import requests

    res = requests.get("https://randomuser.me/api/")
    res = res.json()
    res = res["results"][0]
    return res


def format_data(res):
    data = {}
    location = res["location"]
    data["id"] = uuid.uuid4()  # FAULT unserialisable
    data["first_name"] = res["name"]["first"]
    data["last_name"] = res["name"]["last"]
    data["address"] = f"{str(location['street']['number'])} {location['street']['name']}, " \
                      f"{location['city']}, {location['country']}"
    data["post_code"] = location["postcode"]
    data["email"] = res["email"]
    data["nationality"] = res["nat"]  # FAULT dropped-field
    return data


def stream_data():
    import json
    import logging
    import time

    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=["localhost:9092"], max_block_ms=5000)  # FAULT localhost
    start = time.time()
    while True:
        if time.time() > start + 60:
            break
        try:
            res = get_data()
            res = format_data(res)
            producer.send("users_created", json.dumps(res).encode("utf-8"))
        except Exception as e:  # FAULT swallowed-error
            logging.error(f"An error occurred: {e}")
            continue


with DAG("user_automation", default_args=default_args, schedule_interval="@daily", catchup=False) as dag:
    PythonOperator(task_id="stream_data_from_api", python_callable=stream_data)
