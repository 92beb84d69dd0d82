"""A foreign consumer for the page's tests: BROKER TOPIC GROUP PROTOCOL RECORDS. Reads so many records, commits them,
says so, and stays in the group until it is ended."""
import sys

import confluent_kafka

broker, topic, group, protocol, records = sys.argv[1:]
consumer = confluent_kafka.Consumer({
    "bootstrap.servers": broker, "group.id": group, "group.protocol": protocol, "client.id": f"client-of-{group}",
    "auto.offset.reset": "earliest", "enable.auto.commit": False})
consumer.subscribe([topic])
read = 0
while read < int(records):
    message = consumer.poll(1)
    if message is not None and message.error() is None:
        read += 1
        consumer.commit(message, asynchronous=False)
print("committed", flush=True)
consumer.pause(consumer.assignment())
while True:
    consumer.poll(0.2)
