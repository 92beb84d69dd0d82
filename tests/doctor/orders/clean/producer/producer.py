"""Makes orders."""
import datetime
import json
import os
import random
import time

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": os.environ["BOOTSTRAP"]})
TOPIC = "orders"

while True:
    order = {
        "order_id": random.randint(1, 1_000_000),
        "customer": "c-" + str(random.randint(1, 50)),
        "amount": random.random() * 100,
        "placed_at": datetime.datetime.now().isoformat(),
    }
    producer.produce(TOPIC, value=json.dumps(order))
    producer.poll(0)
    time.sleep(1)
