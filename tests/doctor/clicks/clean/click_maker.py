"""Makes clicks; runs on the host."""
import json

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": "localhost:9092"})


def click(session):
    return {"session": session, "at": "2025-01-01T00:00:00Z", "page": "/"}


for number in range(1000):
    producer.produce("shop.clicks", json.dumps(click(f"s-{number}")))
producer.flush()
