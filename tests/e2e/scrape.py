"""Prometheus' text as its own parser reads it, and what a scraper would refuse."""
import re
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

UNITS = ("seconds", "bytes", "total", "ratio", "info")


def read(text):
    """Every sample as {(name, labels): value}, and every family; fails where Prometheus would."""
    assert text.endswith("\n")
    families = list(text_string_to_metric_families(text))
    names = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(names) == len(set(names)), "a family that comes twice"
    assert names == re.findall(r"^# HELP (\S+) .*\.$", text, re.M), "a family without help"
    assert len({family.name for family in families}) == len(families), "a counter and a gauge of one name"
    samples = {}
    for family in families:
        assert family.type != "unknown", family.name
        check_name(family)
        for sample in family.samples:
            assert sample.name.startswith(family.name), f"{sample.name} in the family {family.name}"
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, key
            assert family.type == "gauge" or sample.value >= 0, key
            samples[key] = sample.value
    for family in families:
        if family.type == "histogram":
            check_histogram(family)
    return samples, {family.name: family for family in families}


def check_name(family):
    """Prometheus' conventions, of our own names: base units, and no unit before the last word."""
    if not family.name.startswith("tailrace_"):
        return
    assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name), family.name
    assert not re.search(r"_(ms|millis|milliseconds|micros|us|ns|minutes|kb|kib|mb|mib|percent)(_|$)", family.name)
    assert family.type != "gauge" or not family.name.endswith("_total"), family.name
    assert family.type != "histogram" or family.name.endswith(("_seconds", "_bytes")), family.name
    for unit in ("_seconds_", "_bytes_"):
        assert unit not in family.name.removesuffix("_total"), family.name
    labels = {label for sample in family.samples for label in sample.labels}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in labels), (family.name, labels)


def check_histogram(family):
    """Buckets only grow up to +Inf, which is the count."""
    series = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        bound = labels.pop("le", None)
        one = series.setdefault(frozenset(labels.items()), {"buckets": []})
        if sample.name.endswith("_bucket"):
            one["buckets"].append((float(bound), sample.value))
        else:
            one[sample.name.removeprefix(family.name)] = sample.value
    for labels, one in series.items():
        counts = [count for _, count in sorted(one["buckets"])]
        assert counts == sorted(counts) and max(one["buckets"])[0] == float("inf"), (family.name, labels)
        assert counts[-1] == one["_count"] and "_sum" in one, (family.name, labels)


def scrape(url):
    """What is at the address, read; and every family."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return read(answer.read().decode())


def value(samples, name, **labels):
    return samples.get((name, frozenset({k: str(v) for k, v in labels.items()}.items())))
