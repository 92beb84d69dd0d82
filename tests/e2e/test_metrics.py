"""What Prometheus scrapes, read by Prometheus' own parser and held against what Kafka's clients are told."""
import json
import re
import subprocess
import time
import urllib.error
import urllib.request

import cassandra.cluster
import cassandra.protocol
import confluent_kafka
import confluent_kafka.admin
import pytest
import tailrace
import test_share_groups as sharing
from broker import Broker
from cql_server import CqlServer
from records import lines
from registry import Registry
from scrape import scrape, value

ODD = 'odd "group"\\ of\nlines'  # every character that a label has to escape
COUNTERS = "kafka_server_brokertopicmetrics_"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("metrics"), "num.partitions=3",
                     words=("--metrics", "127.0.0.1:0")).start()
    yield started
    started.stop()


def url_of(server):
    return re.search(r"metrics  (\S+)", server.log.read_text()).group(1)


def produce(broker, topic, count, **more):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, **more})
    for n in range(count):
        producer.produce(topic, f"value {n}", key=str(n))
    assert producer.flush(20) == 0


def consume(broker, group, topic, count, **more):
    """Reads and commits so many records, and gives the consumer, still a member."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": group,
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False, **more})
    consumer.subscribe([topic])
    for _ in range(count):
        message = tailrace.wait_until(lambda: consumer.poll(0.5), "a record")
        consumer.commit(message, asynchronous=False)
    return consumer


def test_offsets_sizes_and_counts_are_those_that_clients_are_told(broker):
    before, _ = scrape(url_of(broker))
    produce(broker, "counted", 300)
    consumer = consume(broker, "none", "counted", 1)
    after, families = scrape(url_of(broker))
    ends = {p: consumer.get_watermark_offsets(confluent_kafka.TopicPartition("counted", p)) for p in range(3)}
    consumer.close()
    for partition, (start, end) in ends.items():
        labels = {"topic": "counted", "partition": partition}
        assert value(after, "kafka_log_log_logstartoffset", **labels) == start
        assert value(after, "kafka_log_log_logendoffset", **labels) == end
        assert value(after, "kafka_log_log_size", **labels) > 10 * end
    assert value(after, COUNTERS + "messagesin_total", topic="counted") == 300 == sum(e for _, e in ends.values())
    for name in ("messagesin", "bytesin", "bytesout", "totalproducerequests", "totalfetchrequests"):
        of_all = value(after, f"{COUNTERS}{name}_total")
        of_topic = value(after, f"{COUNTERS}{name}_total", topic="counted")
        assert of_all - (value(before, f"{COUNTERS}{name}_total") or 0) >= of_topic > 0, name
        assert families[COUNTERS + name].type == "counter"
    assert value(after, COUNTERS + "bytesin_total", topic="counted") == sum(
        value(after, "kafka_log_log_size", topic="counted", partition=p) for p in ends)
    partitions = sum(1 for name, _ in after if name == "kafka_log_log_size")
    assert value(after, "kafka_server_replicamanager_partitioncount") == partitions
    assert value(after, "kafka_server_socket_server_metrics_connection_count", listener="PLAINTEXT") >= 1


def test_requests_are_counted_by_version_and_timed(broker):
    produce(broker, "timed", 10)
    samples, families = scrape(url_of(broker))
    requests = {dict(labels)["version"]: n for (name, labels), n in samples.items()
                if name == "kafka_network_requestmetrics_requests_total" and ("request", "Produce") in labels}
    name = "kafka_network_requestmetrics_totaltimems"
    assert families[name].type == "histogram"
    assert sum(requests.values()) == value(samples, name + "_count", request="Produce") > 0
    buckets = [(float(dict(labels)["le"]), n) for (sample, labels), n in samples.items()
               if sample == name + "_bucket" and ("request", "Produce") in labels]
    counts = [n for _, n in sorted(buckets)]
    assert counts == sorted(counts) and counts[-1] == sum(requests.values())
    assert value(samples, name + "_sum", request="Produce") > 0


def test_a_refused_record_is_a_failed_produce_request_of_its_topic(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    topic = confluent_kafka.admin.NewTopic("keyed", 1, config={"cleanup.policy": "compact"})
    admin.create_topics([topic])["keyed"].result(20)
    errors = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    producer.produce("keyed", "no key", on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert errors[0] is not None
    samples, _ = scrape(url_of(broker))
    assert value(samples, COUNTERS + "failedproducerequests_total", topic="keyed") == 1
    assert value(samples, COUNTERS + "messagesin_total", topic="keyed") == 0


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_lag_is_the_end_less_what_the_group_committed(broker, protocol):
    topic, group = f"lagging-{protocol}", f"{ODD} {protocol}"
    produce(broker, topic, 90)
    consumer = consume(broker, group, topic, 4, **{"group.protocol": protocol})
    samples, _ = scrape(url_of(broker))
    places = [confluent_kafka.TopicPartition(topic, p) for p in range(3)]
    total = 0
    for place in consumer.committed(places, timeout=20):
        _, end = consumer.get_watermark_offsets(place)
        labels = {"consumergroup": group, "topic": topic, "partition": place.partition}
        committed = place.offset if place.offset >= 0 else -1
        lag = end - committed if committed >= 0 else -1
        assert value(samples, "kafka_consumergroup_lag", **labels) == lag
        assert value(samples, "kafka_consumergroup_current_offset", **labels) == committed
        total += max(lag, 0)
    assert total > 0 and value(samples, "kafka_consumergroup_lag_sum", consumergroup=group, topic=topic) == total
    assert value(samples, "kafka_consumergroup_members", consumergroup=group) == 1
    assert value(samples, "kafka_server_group_coordinator_metrics_group_count", protocol=protocol) >= 1
    if protocol == "classic":
        assert value(samples, "kafka_coordinator_group_groupmetadatamanager_numgroupsstable") >= 1
    else:
        assert value(samples, "kafka_server_group_coordinator_metrics_consumer_group_count", state="stable") >= 1
    consumer.close()

    def empty():
        now, _ = scrape(url_of(broker))
        return value(now, "kafka_consumergroup_members", consumergroup=group) == 0
    tailrace.wait_until(empty, "nobody in the group")


def test_a_sum_over_all_topics_keeps_what_a_deleted_one_had(broker):
    produce(broker, "short-lived", 50)
    before, _ = scrape(url_of(broker))
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.address})
    admin.delete_topics(["short-lived"])["short-lived"].result(20)
    produce(broker, "long-lived", 7)
    after, _ = scrape(url_of(broker))
    assert value(after, COUNTERS + "messagesin_total", topic="short-lived") is None
    assert value(after, COUNTERS + "messagesin_total") >= value(before, COUNTERS + "messagesin_total") + 7


def test_the_process_is_measured_as_client_libraries_do(broker):
    samples, _ = scrape(url_of(broker))
    pid = broker.process.pid
    with open(f"/proc/{pid}/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) << 10
    assert value(samples, "process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)
    assert 3 < value(samples, "process_open_fds") < value(samples, "process_max_fds")
    assert value(samples, "process_cpu_seconds_total") > 0
    assert time.time() - 3600 < value(samples, "process_start_time_seconds") < time.time() + 2


def test_nothing_else_is_at_the_address_of_metrics(broker):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url_of(broker).removesuffix("/metrics") + "/api/status", timeout=30)


def test_an_address_that_is_none_is_told(tmp_path):
    done = subprocess.run([tailrace.PROGRAM, "broker", "--data", tmp_path, "--listen", "127.0.0.1:0",
                           "--metrics", "9308x"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "--metrics 9308x: HOST:PORT is expected" in done.stderr


def test_a_project_s_metrics_have_its_hops_and_its_broker_s(tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.jsonl").write_text(lines(range(3)) + '{"no json\n')
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input"))).start()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 3, "the users")
    tailrace.wait_until(lambda: project.hops().get("rejected", {}).get("count") == 1, "the dead letter")
    samples, families = scrape(project.url() + "/metrics")
    assert value(samples, "tailrace_hop_records_total", hop="appended.users_created", kind="appended") == 3
    assert value(samples, "tailrace_hop_rejected_total", hop="rejected", kind="rejected", reason="unreadable") == 1
    assert value(samples, "tailrace_table_rows", table="users", layer="silver") == 3
    hops = {dict(labels)["hop"] for name, labels in samples if name == "tailrace_hop_empty"}
    assert hops == set(project.hops())
    assert families["tailrace_hop_lag_seconds"].type == "gauge"
    assert value(samples, "process_open_fds") > 3
    ends = [n for (name, labels), n in samples.items()
            if name == "kafka_log_log_logendoffset" and ("topic", "users_created") in labels]
    assert sum(ends) == 3 and len(ends) == 2
    project.stop()


def test_lag_is_none_when_what_is_left_holds_no_records_for_the_tables(tmp_path):
    """An aborted transaction behind the last record: a step passes it, and takes nothing."""
    (tmp_path / "input").mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input")))
    project.once()
    broker = Broker(tmp_path).start()
    count = 2 * 8192  # what whole steps take, so that the last of them ends before the transaction
    plain = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for n in range(count):
        plain.produce("users_created", f'{{"login": {{"uuid": "{n}"}}}}', partition=0)
        plain.poll(0)
    assert plain.flush(60) == 0
    aborting = confluent_kafka.Producer({"bootstrap.servers": broker.address, "transactional.id": "aborting"})
    aborting.init_transactions(20)
    aborting.begin_transaction()
    for _ in range(5):
        aborting.produce("users_created", "{}", partition=0)
    assert aborting.flush(20) == 0
    aborting.abort_transaction(20)
    broker.stop()
    project.start()

    def decoded():
        hop = project.hops()["decoded.users_created"]
        return hop["count"] == count and hop["lag_records"] == 0 and hop
    assert tailrace.wait_until(decoded, "all records, and no lag")["lag_s"] == 0
    project.stop()


DAG = """
often:
  start_date: 2026-01-01
  schedule: none
  tasks:
    - {task_id: one, operator: airflow.providers.standard.operators.bash.BashOperator, bash_command: "true"}
"""


def full_project(folder):
    """With a staging table, a workflow, and doors that are used."""
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(range(20)))
    settings = json.loads(tailrace.settings([tailrace.files_from(folder / "input")[0] | {"stage": "staged"}]))
    project = tailrace.Project(folder, settings=json.dumps(settings))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "often.yml").write_text(DAG)
    project.start()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 20, "the users")
    return project


def use_cql(host, port):
    with cassandra.cluster.Cluster([host], port=port) as cluster:
        session = cluster.connect()
        session.execute("SELECT * FROM system.local")
        session.execute(session.prepare("SELECT key FROM system.local WHERE key = ?"), ["local"])
        with pytest.raises(cassandra.protocol.SyntaxException):
            session.execute("SELEC")


def test_every_room_of_a_project_counts(tmp_path):
    project = full_project(tmp_path)
    use_cql(*project.cql())
    registry = project.run_file()["registry"]
    for path, status in (("/subjects", 200), ("/subjects/none/versions/1", 404)):
        assert asked(registry + path) == status
    assert asked(project.url() + "/api/nothing") == 404
    assert asked(project.url() + "/metrics") == 200  # which does not count itself
    started = project.command("dags", "run", "often", "--project", project.folder, "--data", project.data)
    assert started.returncode == 0, started.stderr

    def ended():
        samples, families = scrape(project.url() + "/metrics")
        done = value(samples, "tailrace_workflow_runs_total", dag="often", state="success")
        # An early checkpoint has nothing to write.
        written = value(samples, "tailrace_checkpoint_last_bytes")
        flushed = value(samples, "tailrace_rocksdb_flushed_bytes_total", store="state")
        waiting = value(samples, "tailrace_staging_waiting_changes", table="staged")
        return done == 1 and written and flushed and waiting == 0 and (samples, families)
    samples, families = tailrace.wait_until(ended, "the run's end, and a checkpoint with its rows")
    assert value(samples, "tailrace_checkpoint_duration_seconds_count") >= 1
    assert value(samples, "tailrace_workflow_tries_total", dag="often", outcome="success") == 1
    assert value(samples, "tailrace_scheduler_task_delay_seconds_count") == 1
    assert value(samples, "tailrace_scheduler_runs", state="running") == 0
    assert value(samples, "tailrace_scheduler_pool_slots", pool="default_pool") == 128

    requests = {dict(labels)["opcode"]: n for (name, labels), n in samples.items()
                if name == "tailrace_cql_requests_total"}
    assert requests["EXECUTE"] == 1 and requests["PREPARE"] == 1 and requests["QUERY"] >= 2
    assert value(samples, "tailrace_cql_errors_total", code="SYNTAX_ERROR") == 1
    assert value(samples, "tailrace_cql_request_duration_seconds_count", opcode="EXECUTE") == 1
    assert value(samples, "tailrace_cql_accepted_connections_total") >= 2
    assert value(samples, "tailrace_cql_received_bytes_total") > 100
    assert value(samples, "tailrace_cql_sent_bytes_total") > 1000

    assert value(samples, "tailrace_registry_requests_total", method="GET", route="/subjects", status=200) == 1
    assert value(samples, "tailrace_registry_requests_total", method="GET", route="/subjects/*/versions/*",
                 status=404) == 1
    assert value(samples, "tailrace_registry_subjects") == 0
    assert value(samples, "tailrace_console_requests_total", method="*", route="none", status=404) == 1
    assert value(samples, "tailrace_console_requests_total", method="GET", route="/metrics", status=200) >= 1

    assert 0 <= time.time() - value(samples, "tailrace_checkpoint_last_timestamp_seconds") < 600
    assert value(samples, "tailrace_checkpoint_failures_total") == 0
    assert value(samples, "tailrace_staging_rows_total", table="staged") == 20
    assert value(samples, "tailrace_staging_changes_total", table="staged") == 20
    assert value(samples, "tailrace_staging_up", table="staged") == 1
    for store in ("state", "cells"):
        assert value(samples, "tailrace_rocksdb_memtables_bytes", store=store) > 0
        assert value(samples, "tailrace_rocksdb_block_cache_capacity_bytes", store=store) > 1 << 20
        assert value(samples, "tailrace_rocksdb_write_stall_seconds_total", store=store) == 0
    for prefix in ("kafka_server_sharegroupmetrics", "tailrace_kafka_transactions", "tailrace_kafka_share"):
        assert any(name.startswith(prefix) for name in families), prefix

    def committed():
        now, _ = scrape(project.url() + "/metrics")
        # While a flow is made anew its table is open nowhere.
        return (value(now, "tailrace_lake_commits_total", table="users") or 0) >= 1 and now
    now = tailrace.wait_until(committed, "a commit of the lake")
    assert value(now, "tailrace_lake_files", table="users") >= 1
    assert value(now, "tailrace_lake_bytes", table="users") > 0
    assert value(now, "tailrace_lake_added_bytes_total", table="users") > 0
    project.stop()


def asked(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_registry_alone_has_metrics(tmp_path):
    registry = Registry(tmp_path, "--metrics", "127.0.0.1:0").start()
    registry.register("a", "string")
    registry.register("b", "int")
    assert registry.ask("POST", "/subjects/a/versions", {"schema": "{"})[0] == 422
    assert registry.ask("DELETE", "/subjects/b")[0] == 200
    samples, _ = scrape(url_of(registry))
    name = "tailrace_registry_requests_total"
    assert value(samples, name, method="POST", route="/subjects/*/versions", status=200) == 2
    assert value(samples, name, method="POST", route="/subjects/*/versions", status=422) == 1
    assert value(samples, "tailrace_registry_request_duration_seconds_count", method="POST",
                 route="/subjects/*/versions") == 3
    assert value(samples, "tailrace_registry_subjects") == value(samples, "tailrace_registry_versions") == 1
    assert value(samples, "tailrace_registry_deleted_versions") == 1
    assert value(samples, "tailrace_registry_connections") == 1
    assert value(samples, "process_open_fds") > 3
    registry.stop()


def test_cql_alone_has_metrics(tmp_path):
    server = CqlServer(tmp_path, "--metrics", "127.0.0.1:0").start()
    host, port = server.address.split(":")
    use_cql(host, int(port))
    samples, _ = scrape(url_of(server))
    assert value(samples, "tailrace_cql_requests_total", opcode="EXECUTE") == 1
    assert value(samples, "tailrace_rocksdb_memtables_bytes", store="cells") > 0
    server.stop()


def test_a_broker_with_a_registry_counts_the_registry_s_requests(tmp_path):
    broker = Broker(tmp_path, words=("--metrics", "127.0.0.1:0", "--registry", "127.0.0.1:0")).start()
    registry = re.search(r"registry  (\S+)", broker.log.read_text()).group(1)
    assert asked(registry + "/subjects") == 200
    samples, _ = scrape(url_of(broker))
    assert value(samples, "tailrace_registry_requests_total", method="GET", route="/subjects", status=200) == 1
    broker.stop()


def test_transactions_are_counted_by_their_end(broker):
    for n, end in enumerate(("commit_transaction", "abort_transaction", "commit_transaction")):
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "transactional.id": f"counted-{n}"})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce("in-transactions", "x")
        assert producer.flush(20) == 0
        getattr(producer, end)(20)
    left = confluent_kafka.Producer({"bootstrap.servers": broker.address, "transactional.id": "left"})
    left.init_transactions(20)
    left.begin_transaction()
    left.produce("in-transactions", "x")
    assert left.flush(20) == 0

    def counted():
        samples, _ = scrape(url_of(broker))
        ends = [value(samples, "tailrace_kafka_transactions_ended_total", outcome=end)
                for end in ("committed", "aborted")]
        return ends == [2, 1] and samples
    samples = tailrace.wait_until(counted, "the transactions' ends")
    assert value(samples, "tailrace_kafka_transactions", state="CompleteCommit") == 2
    assert value(samples, "tailrace_kafka_transactions", state="Ongoing") == 1
    assert value(samples, "tailrace_kafka_transaction_oldest_open_seconds") > 0
    left.abort_transaction(20)


def test_share_groups_are_counted(broker):
    sharing.make_topic(broker, "shared")
    sharing.configure(broker, "sharers", auto_offset_reset="earliest")
    sharing.write(broker, "shared", [b"good", b"bad", b"kept"])
    got = []
    with sharing.consumer(broker, "sharers", "shared") as member:
        while len(got) < 3:
            got += sharing.poll(member)
        member.acknowledge(got[0], confluent_kafka.AcknowledgeType.ACCEPT)
        member.acknowledge(got[1], confluent_kafka.AcknowledgeType.REJECT)
        member.commit_sync()
        samples, _ = scrape(url_of(broker))
    name = "kafka_server_sharegroupmetrics_recordacknowledgements_total"
    assert [value(samples, name, acktype=one) for one in ("Accept", "Reject", "Release")] == [1, 1, 0]
    assert value(samples, "tailrace_kafka_share_acquired_records_total") == 3
    assert value(samples, "kafka_server_group_coordinator_metrics_share_group_count", state="stable") == 1
    assert value(samples, "kafka_server_sharepartitionmetrics_inflightmessagecount", group="sharers", topic="shared",
                 partition=0) == 1
