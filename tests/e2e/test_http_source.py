"""The http source against a look-alike of randomuser.me's API: each failure says so in its hop's line, is tried again
with backoff, and then every record arrives exactly once; where it stands survives SIGTERM and kill -9."""
import collections
import datetime
import json
import os
import random
import subprocess
import threading

import pytest
import tailrace
from randomuser_server import Api, page_of

RNG = random.Random(7)


@pytest.fixture
def api():
    made = Api()
    yield made
    made.stop()


def people(count, begin=0, same_time=1):
    """Records to publish; each `same_time` of them in a row share their time of registration."""
    made = page_of(f"published{begin}", 1, count)["results"]
    for i, person in enumerate(made):
        at = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=(begin + i) // same_time)
        person["registered"]["date"] = at.isoformat() + "Z"
    return made


def ingest(url, **options):
    return [{"name": "api", "topic": "users_created", "key": "$.login.uuid", "use": "http",
             "http": {"url": url, "every": "100ms", "timeout": "30s", "records": "$.results", "backoff": "50ms",
                      "backoff_max": "200ms", "max_body_bytes": 1 << 20} | options}]


def project_for(tmp_path, url, **options):
    return tailrace.Project(tmp_path, settings=tailrace.settings(ingest(url, **options)))


SINCE = {"since": "$.registered.date"}


def raw(project):
    """Of the last checkpoint, as deltalake reads it."""
    has_table = (project.data / "lake" / "users_raw" / "_delta_log").exists()
    return [json.loads(row["value"]) for row in project.lake("users_raw")] if has_table else []


def assert_each_once(project, published):
    """Every published record is in bronze just once, as it was."""
    tailrace.wait_until(lambda: project.hops()["bronze.users_raw"]["count"] >= len(published),
                        f"{len(published)} records; hops: {project.hops()['fetched.api']}")
    tailrace.wait_until(lambda: len(raw(project)) >= len(published), "a checkpoint, which is what the lake holds")
    text = lambda records: collections.Counter(json.dumps(r, sort_keys=True) for r in records)
    assert text(raw(project)) == text(published)


def status_lines(project):
    done = project.command("status", project.folder, "--data", project.data)
    assert done.returncode == 0, done.stderr
    return done.stdout


FAILURES = {
    "429": "answered 429", "429_date": "answered 429", "500": "answered 500", "503": "answered 503",
    "slow_body": "timed out after 1 s", "hang": "timed out after 1 s", "bad_json": "not JSON", "html": "text/html",
    "other_shape": "no value at /results", "truncated": "broken off", "huge": "larger than 1048576 bytes",
    "bomb": "larger than 1048576 bytes", "bad_gzip": "tries again", "reset": "broken off",
    "reset_in_body": "broken off", "redirects": "redirects"}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_named_and_after_it_each_record_arrives_once(tmp_path, api, kind):
    api.publish(*people(25))
    api.always = kind
    soon = {"timeout": "1s"} if kind in ("slow_body", "hang") else {}
    project = project_for(tmp_path, api.origin + "/feed?since={since}", **SINCE, **soon).start()
    hop = tailrace.wait_until(lambda: (lambda h: h if h["state"] == "error" else None)(project.hops()["fetched.api"]),
                              f"the failure; {project.hops()['fetched.api']}")
    assert FAILURES[kind] in hop["why"] and api.origin.split("/")[2] in hop["why"], hop
    assert "tries again in" in hop["why"] and hop["last_error"]
    line = next(line for line in status_lines(project).splitlines() if line.startswith("fetched"))
    assert FAILURES[kind] in line
    shown = json.loads(project.command("status", project.folder, "--data", project.data, "--json").stdout)
    assert any(h["id"] == "fetched.api" and FAILURES[kind] in h["last_error"] for h in shown["hops"])
    assert "fetched `api` fails: " in shown["first_empty_hop"]
    tries = len(api.requests)
    tailrace.wait_until(lambda: len(api.requests) > tries, "another try")
    api.always = None
    published = list(api.published)
    assert_each_once(project, published)
    tailrace.wait_until(lambda: project.hops()["fetched.api"]["state"] == "ok", "the hop to be well again")
    assert FAILURES[kind] not in status_lines(project)
    project.stop()


def test_a_source_that_fails_later_says_so_while_its_rows_stay(tmp_path, api):
    api.publish(*people(5))
    project = project_for(tmp_path, api.origin + "/feed?since={since}", **SINCE).start()
    assert_each_once(project, api.published)
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 5, "served rows")
    api.always = "503"
    tailrace.wait_until(lambda: "answered 503" in status_lines(project), "the failure in the hop's line")
    assert "fetched" not in project.first_empty_hop()
    project.stop()


def test_backoff_doubles_up_to_its_bound_and_retry_after_is_kept(tmp_path, api):
    api.fail(*["500"] * 5, "429", "429_date")
    project = project_for(tmp_path, api.origin + "/feed", backoff="200ms", backoff_max="800ms").start()
    tailrace.wait_until(lambda: len(api.times) > 7, "eight requests")
    gaps = [after - before for before, after in zip(api.times, api.times[1:])]
    least = [0.1, 0.2, 0.4, 0.4, 0.4, 1.0, 1.0]  # half of 0.2, 0.4, 0.8 …, then Retry-After, whole seconds in a date
    assert all(gap >= bound for gap, bound in zip(gaps, least)), gaps
    project.stop()


@pytest.mark.parametrize("form", ["redirect", "gzip", "chunked"])
def test_other_forms_of_a_good_answer_are_good(tmp_path, api, form):
    api.fail(form)
    project = project_for(tmp_path, api.url + "?seed=x&results=10", every="1h").start()
    assert_each_once(project, page_of("x", 1, 10)["results"])
    project.stop()


def test_empty_answers_are_no_failure(tmp_path, api):
    api.fail("empty", "no_content", "empty")
    api.publish(*people(3))
    project = project_for(tmp_path, api.origin + "/feed?since={since}", **SINCE).start()
    assert_each_once(project, api.published)
    assert project.hops()["fetched.api"]["last_error"] == ""
    project.stop()


PAGINGS = {
    "since": ("/feed?since={since}", SINCE),
    "page": ("/feed?page={page}&size=10", {"page_size": 10}),
    "cursor": ("/feed?cursor={cursor}&size=10", {"cursor": "$.info.next"}),
    "since and page": ("/feed?since={since}&page={page}&size=10", SINCE | {"page_size": 10}),
    "since and cursor": ("/feed?since={since}&cursor={cursor}&size=10", SINCE | {"cursor": "$.info.next"}),
}


@pytest.mark.parametrize("paging", PAGINGS)
def test_where_it_stands_survives_sigterm_and_kill(tmp_path, api, paging):
    path, options = PAGINGS[paging]
    project = project_for(tmp_path, api.origin + path, **options)
    api.publish(*people(37, same_time=3))
    project.start()
    assert_each_once(project, api.published)
    project.stop()
    api.publish(*people(18, begin=37, same_time=3))
    asked = len(api.requests)
    project.start()
    assert_each_once(project, api.published)
    assert not api.requests[asked][0].endswith(("since=", "page=1&size=10", "cursor=&size=10")) or "and" in paging
    for round in range(4):  # killed while records keep coming
        stop = threading.Event()
        def publish(begin):
            for i in range(40):
                api.publish(*people(2, begin=begin + 2 * i, same_time=3))
                if stop.wait(0.01):
                    return
        writer = threading.Thread(target=publish, args=(len(api.published),))
        writer.start()
        asked, until = len(api.requests), RNG.randint(1, 6)
        tailrace.wait_until(lambda: len(api.requests) >= asked + until, "requests")
        project.kill()
        stop.set()
        writer.join()
        project.start()
    assert_each_once(project, api.published)
    project.stop()


def test_an_unchanged_answer_is_not_taken_twice_by_its_etag(tmp_path, api):
    api.with_etag = True
    api.publish(*people(6))
    project = project_for(tmp_path, api.origin + "/feed").start()
    tailrace.wait_until(lambda: api.unchanged >= 3, "answers 304")
    assert_each_once(project, api.published)
    project.kill()
    unchanged = api.unchanged
    project.start()
    tailrace.wait_until(lambda: api.unchanged > unchanged, "an answer 304 after the kill")
    assert_each_once(project, api.published)
    project.stop()


def certificate(folder, name):
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                    pem], check=True, capture_output=True)
    return pem, key


def test_https_works_with_a_ca_given_and_is_refused_without(tmp_path):
    pem, key = certificate(tmp_path, "server")
    other, _ = certificate(tmp_path, "other")
    api = Api(tls=(pem, key))
    api.publish(*people(12))
    for wrong in ({}, {"ca_file": str(other)}, {"ca_file": str(tmp_path / "nothing.pem")}):
        folder = tmp_path / f"wrong{len(os.listdir(tmp_path))}"
        folder.mkdir()
        project = project_for(folder, api.origin + "/feed?since={since}", **SINCE, **wrong).start()
        tailrace.wait_until(lambda: "TLS" in project.hops()["fetched.api"]["why"],
                            f"a line on TLS: {project.hops()['fetched.api']}")
        project.stop()
    project = project_for(tmp_path, api.origin + "/feed?since={since}", ca_file=str(pem), **SINCE).start()
    assert_each_once(project, api.published)
    project.stop()
    assert len(project.lake("users")) == 12  # Parquet, whose library brings a TLS of its own
    api.stop()


def test_secrets_are_sent_and_never_shown(tmp_path, api, monkeypatch):
    words = {"path": "tok-in-path-81", "header": "tok-in-header-82", "password": "pass-83", "query": "q-84"}
    monkeypatch.setenv("PATH_TOKEN", words["path"])
    monkeypatch.setenv("HEADER_TOKEN", words["header"])
    api.publish(*people(4))
    api.fail("500", "bad_json", "hang", "reset", "redirects")
    url = (f"http://someone:{words['password']}@127.0.0.1:{api.port}/feed/${{PATH_TOKEN}}?api_key={words['query']}"
           "&since={since}")
    project = project_for(tmp_path, url, headers={"Authorization": "Bearer ${HEADER_TOKEN}", "X-Key": "file:key.txt"},
                          timeout="1s", **SINCE)
    words["file"] = "from-a-file-85"
    (project.folder / "key.txt").write_text(words["file"] + "\n")
    project.start()
    assert_each_once(project, api.published)
    api.always = "500"
    tailrace.wait_until(lambda: project.hops()["fetched.api"]["state"] == "error", "a failure")
    path, headers = api.requests[-1]
    assert words["path"] in path and words["query"] in path
    assert headers["Authorization"] == "Bearer " + words["header"] and headers["X-Key"] == words["file"]
    shown = [json.dumps(project.get(p)) for p in ("/api/status", "/api/tables", "/api/dead-letters")]
    shown += [json.dumps(project.sql(f"SELECT * FROM system.{t}")) for t in ("hops", "tables", "dead_letters")]
    shown += [status_lines(project), project.command("check", project.folder).stdout]
    project.stop()
    shown += [project.log.read_text()] + [f.read_text() for f in (project.data / "ingest").glob("*.json")]
    for word in words.values():
        assert not any(word in text for text in shown), [text for text in shown if word in text]


def test_the_example_polls_the_api_when_one_line_is_changed(tmp_path, api):
    project = tailrace.Project(tmp_path)
    path = project.folder / "tailrace.yml"
    text = path.read_text()
    assert "    use: fake\n" in text and "https://randomuser.me/api/?results=50" in text
    text = text.replace("    use: fake\n", "    use: http\n", 1)  # the one line of its first source
    path.write_text(text.replace("https://randomuser.me/api/", api.url))
    project.start()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["count"] == 50, "50 served users")
    assert api.requests[0][0] == "/api/?results=50"
    project.stop()
    assert {row["id"] for row in project.lake("users")} == {u["login"]["uuid"] for u in page_of("1", 1, 50)["results"]}
