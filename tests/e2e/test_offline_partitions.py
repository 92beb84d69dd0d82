"""A partition whose segments are damaged in the middle: the broker serves all others, and says which file it is."""
import re
import urllib.request

import kafka_wire
import pytest
import record_batches
from broker import Broker
from kafka.record.default_records import DefaultRecordBatchBuilder

STORAGE_ERROR = 56


def batch(value):
    builder = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=0, producer_id=-1,
                                        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20)
    builder.append(0, timestamp=1000, key=None, value=value, headers=[])
    return bytes(builder.build())


class Asks:
    def __init__(self, broker, topic):
        self.wire, self.topic = kafka_wire.Connection(broker.address), topic

    def id(self):
        return self.wire.ask("Metadata", Topics=[{"Name": self.topic}])["Topics"][0]["TopicId"]

    def produce(self, partition, value=b"value"):
        answer = self.wire.ask("Produce", Acks=-1, TimeoutMs=10_000, TopicData=[
            {"TopicId": self.id(), "PartitionData": [{"Index": partition, "Records": batch(value)}]}])
        return answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"]

    def fetch(self, partition):
        answer = self.wire.ask("Fetch", MaxWaitMs=100, MinBytes=1, MaxBytes=1 << 20, Topics=[
            {"TopicId": self.id(), "Partitions": [{"Partition": partition, "FetchOffset": 0,
                                                   "PartitionMaxBytes": 1 << 20}]}])
        one = answer["Responses"][0]["Partitions"][0]
        return one["ErrorCode"], len(one["Records"] or b"")

    def end(self, partition):
        answer = self.wire.ask("ListOffsets", ReplicaId=-1, Topics=[{"Name": self.topic, "Partitions": [
            {"PartitionIndex": partition, "CurrentLeaderEpoch": -1, "Timestamp": -1}]}])
        one = answer["Topics"][0]["Partitions"][0]
        return one["ErrorCode"], one["Offset"]

    def offline(self):
        [topic] = self.wire.ask("Metadata", Topics=[{"Name": self.topic}])["Topics"]
        [told] = self.wire.ask("DescribeTopicPartitions", Topics=[{"Name": self.topic}], ResponsePartitionLimit=9)[
            "Topics"]
        for one in topic["Partitions"], told["Partitions"]:
            yield {partition["PartitionIndex"]: partition["OfflineReplicas"] for partition in one}


def metrics(broker):
    [*_, url] = re.findall(r"metrics  (\S+)", broker.log.read_text())
    return urllib.request.urlopen(url, timeout=30).read().decode()


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path, "num.partitions=2", "log.segment.bytes=1048576",
                     words=("--metrics", "127.0.0.1:0")).start()
    yield started
    started.kill()


def test_it_alone_is_offline_and_comes_back_with_its_file(broker):
    asks = Asks(broker, "orders")
    asks.wire.ask("Metadata", Topics=[{"Name": "orders"}], AllowAutoTopicCreation=True)
    for _ in range(4):
        for partition in range(2):
            assert asks.produce(partition, b"v" * 400_000) == 0
    broker.stop()
    sealed, *more = record_batches.segments(broker.data, "orders", 0)
    assert more, "one segment only"
    good = sealed.read_bytes()
    sealed.write_bytes(good[:-200] + b"!" * 200)
    sealed.with_suffix(".timeindex").unlink()  # it is read whole at the start
    broker.start()
    said = broker.log.read_text()
    assert "partition orders-0 is offline: orders-0" in said and str(sealed) in said and "put the file back" in said
    asks = Asks(broker, "orders")
    assert asks.produce(0) == STORAGE_ERROR and asks.fetch(0) == (STORAGE_ERROR, 0)
    assert asks.end(0) == (STORAGE_ERROR, -1)
    assert asks.produce(1) == 0 and asks.end(1) == (0, 5) and asks.fetch(1)[1] > 400_000
    assert list(asks.offline()) == [{0: [1], 1: []}] * 2
    assert "kafka_server_replicamanager_offlinereplicacount 1\n" in metrics(broker)
    broker.stop()
    sealed.write_bytes(good)
    broker.start()
    asks = Asks(broker, "orders")
    assert asks.produce(0) == 0 and asks.end(0) == (0, 5)
    assert list(asks.offline()) == [{0: [], 1: []}] * 2
    assert "kafka_server_replicamanager_offlinereplicacount 0\n" in metrics(broker)
