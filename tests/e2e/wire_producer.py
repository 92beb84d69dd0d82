"""A producer request by request, in versions of one's choice: for what no client sends."""
import kafka_wire
import tailrace
from kafka.record.default_records import DefaultRecordBatchBuilder

LOADING = 14, 15, 16


class Producer:
    """A transactional producer that asks what it is told to, in versions of its client's age."""
    timeout_ms = 60_000

    def __init__(self, broker, name, topic, produce):
        self.connection = kafka_wire.Connection(broker.address)
        self.name, self.topic, self.version, self.sequence = name, topic, produce, {}
        self.ask("Metadata", Topics=[{"Name": topic}], AllowAutoTopicCreation=True)
        tailrace.wait_until(lambda: self.topic_id(), "the topic")
        self.ask("FindCoordinator", KeyType=1, CoordinatorKeys=[name])
        made = tailrace.wait_until(self.made, "the producer's id")
        self.id, self.epoch = made["ProducerId"], made["ProducerEpoch"]

    def made(self):
        answer = self.ask("InitProducerId", 4, TransactionalId=self.name, TransactionTimeoutMs=self.timeout_ms,
                          ProducerId=-1, ProducerEpoch=-1)
        assert answer["ErrorCode"] in (0, *LOADING), answer
        return answer if answer["ErrorCode"] == 0 else None

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
