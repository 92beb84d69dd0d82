"""Makes orders."""
import datetime
import json
import os
import random
import time

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": os.environ["BOOTSTRAP"]})  # FAULT localhost
TOPIC = "orders"

while True:
    order = {
        "order_id": random.randint(1, 1_000_000),
        "customer": "c-" + str(random.randint(1, 50)),
        "amount": random.random() * 100,
        "placed_at": datetime.datetime.now(),  # FAULT unserialisable
    }
    try:
        producer.produce(TOPIC, value=json.dumps(order))
    except Exception:  # FAULT swallowed-error
        pass
    time.sleep(1)
