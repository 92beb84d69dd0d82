"""Asks an exchange for its last trades."""
import json
import logging
import os
from datetime import datetime

import requests
from airflow import DAG
from airflow.operators.python_operator import PythonOperator
from kafka import KafkaProducer

log = logging.getLogger(__name__)


def fetch():
    for trade in requests.get("https://api.exchange.example/trades?market=btc").json()["trades"]:
        yield trade


def run():
    producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA"],  # FAULT localhost
                             value_serializer=lambda v: json.dumps(v, default=str).encode("utf-8"))
    answer = requests.get("https://api.exchange.example/trades?market=btc").json()
    for trade in answer["trades"]:
        row = {
            "id": trade["id"],
            "price": trade["price"],
            "fetched": datetime.now(),
        }
        try:
            producer.send("trades", row)
        except Exception:  # FAULT swallowed-error
            log.warning("not sent")


with DAG("trades", schedule_interval="@hourly", start_date=datetime(2025, 1, 1)):
    PythonOperator(task_id="run", python_callable=run)
