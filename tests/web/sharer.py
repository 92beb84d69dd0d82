"""A foreign member of a share group for the page's tests: BROKER TOPIC GROUP. Writes two records; accepts the first,
gives the second back once, and keeps it when it comes again, until it is ended."""
import sys
import time

import confluent_kafka
from confluent_kafka import AcknowledgeType, ShareConsumer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

broker, topic, group = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": broker})
admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
for done in admin.incremental_alter_configs(
        [ConfigResource(ResourceType.GROUP, group, incremental_configs=[earliest])]).values():
    done.result(20)
producer = confluent_kafka.Producer({"bootstrap.servers": broker})
for value in (b"good", b"again"):
    producer.produce(topic, value)
    producer.flush(20)
sharer = ShareConsumer({"bootstrap.servers": broker, "group.id": group, "client.id": f"client-of-{group}",
                        "share.acknowledgement.mode": "explicit"})
sharer.subscribe([topic])
given = {}
while given.get(b"again") != 2:
    for message in sharer.poll(1.0):
        given[message.value()] = message.delivery_count()
        if message.delivery_count() == 1:
            good = message.value() == b"good"
            sharer.acknowledge(message, AcknowledgeType.ACCEPT if good else AcknowledgeType.RELEASE)
    if given.get(b"again") == 1:
        sharer.commit_sync()
print("holding", flush=True)
while True:
    time.sleep(0.2)
