"""A refresh ends when all that was committed to the topics is in the tables, whatever else the topics end with."""
import json
import random

import confluent_kafka
import tailrace
from records import user
from test_own_operators import over

ROWS = "SELECT count(*) AS n FROM created_users"


def settings(tmp_path, **changes):
    """A project that emits nothing by itself: what its topic has is written by others."""
    (tmp_path / "nothing").mkdir()
    return json.dumps(json.loads(tailrace.settings(tailrace.files_from(tmp_path / "nothing"))) | changes)


def rows_of(project):
    """The rows of a table once a refresh has ended."""
    done = over(project, project.post("/api/refresh", {}))
    assert done["state"] == "succeeded", done
    return project.sql(ROWS)[0]["n"]


def refresh_between_transactions(project, address, rounds, decided=lambda: True):
    """Somebody else's transactions are open, then committed or aborted; each refresh ends and has what is committed.

    `decided` says whether the last transaction's end is in the topic: a real Kafka may take a moment."""
    writer = confluent_kafka.Producer({"bootstrap.servers": address, "transactional.id": "somebody else"})
    writer.init_transactions(60)
    chance = random.Random(8)
    committed = 0
    for number in range(rounds):
        records = [user(number * 10 + n) for n in range(chance.randrange(1, 4))]
        writer.begin_transaction()
        for record in records:
            writer.produce("users_created", json.dumps(record), key=record["login"]["uuid"],
                           partition=chance.randrange(2))
        assert writer.flush(30) == 0
        if number % 3 == 0:
            assert rows_of(project) == committed, f"transaction {number} is open"
        if chance.random() < .5:
            writer.commit_transaction(30)
            committed += len(records)
        else:
            writer.abort_transaction(30)
        tailrace.wait_until(decided, "the transaction's end in the topic")
        assert rows_of(project) == committed, f"transaction {number} is over"
    assert committed > 0


def test_a_refresh_ends_behind_transactions_that_are_open_committed_or_aborted(tmp_path):
    project = tailrace.Project(tmp_path, settings=settings(tmp_path)).start()
    refresh_between_transactions(project, project.kafka(), rounds=12)
    project.stop()
