"""Writes one record with confluent-kafka's Avro serialiser: BROKER REGISTRY TOPIC SCHEMA VALUE, the last two in JSON.
Says so when the broker has it."""
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

broker, registry, topic, schema, value = sys.argv[1:]
write = AvroSerializer(SchemaRegistryClient({"url": registry}), schema)
producer = Producer({"bootstrap.servers": broker})
producer.produce(topic, write(json.loads(value), SerializationContext(topic, MessageField.VALUE)))
assert producer.flush(30) == 0
print("written", flush=True)
