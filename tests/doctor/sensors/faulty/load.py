"""Takes the weather from Kafka into Scylla; runs on the host."""
import json

from cassandra.cluster import Cluster
from kafka import KafkaConsumer

session = Cluster(["127.0.0.1"]).connect("weather")
insert = session.prepare("INSERT INTO weather.readings "
                         "(place, measured_at, temperature, humidity) VALUES (?, ?, ?, ?)")  # FAULT-1 unknown-column
for record in KafkaConsumer("weather", bootstrap_servers="localhost:9092"):
    reading = json.loads(record.value)
    session.execute(insert, [reading["place"], reading["measured_at"], reading["temperature"], None])
