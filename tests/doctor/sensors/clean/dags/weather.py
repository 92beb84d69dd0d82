"""The weather of a few cities."""
import json
import os
from datetime import datetime

import requests
from airflow.decorators import dag, task

URL = "https://api.open-meteo.com/v1/forecast?latitude=52.5&longitude=13.4&current_weather=true"


@dag(schedule="*/5 * * * *", start_date=datetime(2025, 1, 1), catchup=False)
def weather():
    @task
    def fetch():
        answer = requests.get(URL, timeout=30)
        return answer.json()

    @task
    def send(answer):
        from kafka import KafkaProducer

        now = answer["current_weather"]
        producer = KafkaProducer(bootstrap_servers=os.getenv("WEATHER_BOOTSTRAP", "localhost:9092"),
                                 value_serializer=lambda value: json.dumps(value).encode())
        producer.send("weather", {
            "place": "berlin",
            "temperature": now["temperature"],
            "wind": now["windspeed"],
            "measured_at": now["time"],
            "sent_at": datetime.utcnow().isoformat(),
        })
        producer.flush()

    send(fetch())


weather()

