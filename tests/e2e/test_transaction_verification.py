"""KIP-890 on the wire: records of a transaction go to partitions only that are in it. Older clients have added them,
newer ones (Produce since version 12) leave that to the broker, and what comes after the end of its transaction
leaves nothing open behind it."""
import kafka_wire
import pytest
import tailrace
from broker import Broker
from kafka.record.default_records import DefaultRecordBatchBuilder

INVALID_EPOCH, INVALID_STATE, UNKNOWN_MAPPING, DENIED, ABORTABLE = 47, 48, 49, 53, 120


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("broker"), "num.partitions=2").start()
    yield started
    started.stop()


class Producer:
    """A transactional producer that asks what it is told to, in versions of its client's age."""

    def __init__(self, broker, name, topic, produce):
        self.connection = kafka_wire.Connection(broker.address)
        self.name, self.topic, self.version, self.sequence = name, topic, produce, {}
        self.ask("Metadata", Topics=[{"Name": topic}], AllowAutoTopicCreation=True)
        tailrace.wait_until(lambda: self.topic_id(), "the topic")
        made = self.ask("InitProducerId", 4, TransactionalId=name, TransactionTimeoutMs=60_000, ProducerId=-1,
                        ProducerEpoch=-1)
        assert made["ErrorCode"] == 0
        self.id, self.epoch = made["ProducerId"], made["ProducerEpoch"]

    def ask(self, api, version=None, **fields):
        return self.connection.ask(api, version, **fields)

    def topic_id(self):
        topic = self.ask("Metadata", Topics=[{"Name": self.topic}])["Topics"][0]
        return topic["TopicId"] if topic["ErrorCode"] == 0 else None

    def add(self, *partitions):
        answer = self.ask("AddPartitionsToTxn", 3, V3AndBelowTransactionalId=self.name, V3AndBelowProducerId=self.id,
                          V3AndBelowProducerEpoch=self.epoch,
                          V3AndBelowTopics=[{"Name": self.topic, "Partitions": list(partitions)}])
        return [one["PartitionErrorCode"] for one in answer["ResultsByTopicV3AndBelow"][0]["ResultsByPartition"]]

    def produce(self, *partitions, producer=None, name="same"):
        """The errors of a record for each partition; a sequence moves on where its record was taken."""
        topic = {"PartitionData": [{"Index": index, "Records": self.batch(index, producer)} for index in partitions]}
        topic |= {"TopicId": self.topic_id()} if self.version >= 13 else {"Name": self.topic}
        answer = self.ask("Produce", self.version, TransactionalId=self.name if name == "same" else name, Acks=-1,
                          TimeoutMs=10_000, TopicData=[topic])
        errors = [one["ErrorCode"] for one in answer["Responses"][0]["PartitionResponses"]]
        for index, error in zip(partitions, errors):
            self.sequence[index] = self.sequence.get(index, 0) + (error == 0)
        return errors

    def batch(self, index, producer):
        builder = DefaultRecordBatchBuilder(
            magic=2, compression_type=0, is_transactional=1, producer_id=producer or self.id,
            producer_epoch=self.epoch, base_sequence=self.sequence.get(index, 0), batch_size=1 << 20)
        builder.append(0, timestamp=1000, key=None, value=b"value", headers=[])
        return bytes(builder.build())

    def end(self, commit):
        answer = self.ask("EndTxn", 5 if self.version >= 12 else 4, TransactionalId=self.name, ProducerId=self.id,
                          ProducerEpoch=self.epoch, Committed=commit)
        assert answer["ErrorCode"] == 0
        if self.version >= 12:
            before = self.id, self.epoch
            self.id, self.epoch = answer["ProducerId"], answer["ProducerEpoch"]
            assert (self.id, self.epoch) != before
            self.sequence = {}
        tailrace.wait_until(lambda: self.state() in ("CompleteCommit", "CompleteAbort"), "the end")

    def described(self):
        return self.ask("DescribeTransactions", TransactionalIds=[self.name])["TransactionStates"][0]

    def state(self):
        return self.described()["TransactionState"]

    def partitions(self):
        return sorted(index for topic in self.described()["Topics"] for index in topic["Partitions"])

    def written(self, partition):
        """The end of a partition, and where transactions are open in it."""
        end = self.ask("ListOffsets", ReplicaId=-1, Topics=[{"Name": self.topic, "Partitions": [
            {"PartitionIndex": partition, "CurrentLeaderEpoch": -1, "Timestamp": -1}]}])
        producers = self.ask("DescribeProducers", Topics=[{"Name": self.topic, "PartitionIndexes": [partition]}])
        active = producers["Topics"][0]["Partitions"][0]["ActiveProducers"]
        return (end["Topics"][0]["Partitions"][0]["Offset"],
                [one["CurrentTxnStartOffset"] for one in active if one["CurrentTxnStartOffset"] >= 0])


@pytest.mark.parametrize("version,error", [(3, INVALID_STATE), (9, INVALID_STATE), (10, INVALID_STATE),
                                           (11, ABORTABLE)])
def test_a_partition_that_was_not_added_is_refused_to_older_clients(broker, version, error):
    producer = Producer(broker, f"not-added-{version}", f"not-added-{version}", version)
    assert producer.produce(0) == [error]
    assert producer.add(1) == [0]
    assert producer.produce(0, 1) == [error, 0]
    assert producer.written(0) == (0, []) and producer.written(1) == (1, [0])
    assert producer.add(0) == [0] and producer.produce(0) == [0]
    producer.end(True)
    assert producer.written(0) == (2, []) and producer.written(1) == (2, [])


@pytest.mark.parametrize("version", [12, 13])
def test_newer_clients_leave_it_to_the_broker(broker, version):
    producer = Producer(broker, f"implicit-{version}", f"implicit-{version}", version)
    assert producer.produce(0) == [0] and producer.partitions() == [0]
    assert producer.produce(1) == [0] and producer.partitions() == [0, 1]
    producer.end(False)
    assert producer.produce(1) == [0] and producer.partitions() == [1]
    producer.end(True)
    assert producer.written(0) == (2, []) and producer.written(1) == (4, [])


def test_what_comes_after_its_transaction_ended_opens_no_other_one(broker):
    producer = Producer(broker, "late", "late", 11)
    assert producer.add(0) == [0] and producer.produce(0) == [0]
    producer.end(True)
    assert producer.produce(0) == [ABORTABLE]
    assert producer.written(0) == (2, [])


def test_what_comes_with_the_epoch_of_the_transaction_before_is_fenced(broker):
    producer = Producer(broker, "fenced", "fenced", 12)
    assert producer.produce(0) == [0]
    before, sequence = (producer.id, producer.epoch), dict(producer.sequence)
    producer.end(True)
    after = producer.id, producer.epoch
    (producer.id, producer.epoch), producer.sequence = before, sequence
    assert producer.produce(0) == [INVALID_EPOCH] and producer.produce(1) == [INVALID_EPOCH]
    (producer.id, producer.epoch), producer.sequence = after, {}
    assert producer.produce(0) == [0]
    producer.end(True)
    assert producer.written(0) == (4, []) and producer.written(1) == (0, [])


@pytest.mark.parametrize("version", [9, 11, 12])
def test_a_producer_that_does_not_have_the_name_is_refused(broker, version):
    producer = Producer(broker, f"mapping-{version}", "mapping", version)
    assert producer.produce(0, producer=producer.id + 1000) == [UNKNOWN_MAPPING]
    assert producer.produce(0, name=None) == [DENIED]
    assert producer.produce(0, name="of nobody") == [UNKNOWN_MAPPING]
