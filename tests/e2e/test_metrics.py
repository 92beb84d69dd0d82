"""What Prometheus scrapes, read by Prometheus' own parser and held against what Kafka's clients are told."""
import re
import subprocess
import time
import urllib.error
import urllib.request

import confluent_kafka
import confluent_kafka.admin
import pytest
import tailrace
from broker import Broker
from prometheus_client.parser import text_string_to_metric_families
from records import lines

ODD = 'odd "group"\\ of\nlines'  # every character that a label has to escape
COUNTERS = "kafka_server_brokertopicmetrics_"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("metrics"), "num.partitions=3",
                     words=("--metrics", "127.0.0.1:0")).start()
    yield started
    started.stop()


def scrape(url):
    """Every sample as {(name, labels): value}, and every family; fails where Prometheus would."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.read().decode()
    families = list(text_string_to_metric_families(text))
    names = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(names) == len(set(names)), "a family that comes twice"
    assert names == re.findall(r"^# HELP (\S+) .*\.$", text, re.M), "a family without help"
    samples = {}
    for family in families:
        assert family.type != "unknown", family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, key
            samples[key] = sample.value
    return samples, {family.name: family for family in families}


def url_of(broker):
    return re.search(r"metrics  (\S+)", broker.log.read_text()).group(1)


def value(samples, name, **labels):
    return samples.get((name, frozenset({k: str(v) for k, v in labels.items()}.items())))


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
