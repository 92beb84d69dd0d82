"""Airflow's REST API v2 over a running project: the conversation that was held with Airflow 3.3.2 itself (recorded by
tests/real/airflow_api.py), field by field; Airflow's own Python client, unmodified; and who is kept out."""
import http.client
import json
import pathlib
import shutil
import threading
import urllib.error
import urllib.parse
import urllib.request

import airflow_calls
import pytest
import tailrace

FOLDER = tailrace.ROOT / "tests/airflow_api"
BASH = "airflow.providers.standard.operators.bash.BashOperator"


@pytest.fixture
def project(tmp_path):
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path)))
    shutil.copytree(FOLDER / "dags", made.folder / "dags", dirs_exist_ok=True)
    yield made
    if made.process:
        made.kill()


def asked(url, method, path, body=None, headers=()):
    """Status and JSON of one request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **dict(headers)},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refused:
        text = refused.read()
        return refused.code, json.loads(text) if text else None


def api(project):
    return project.run_file()["airflow"] + "/api/v2/"


def settle(project):
    """Until no run that may go on is under way."""
    def rests():
        paused = {dag["dag_id"] for dag in asked(api(project), "GET", "dags")[1]["dags"] if dag["is_paused"]}
        runs = asked(api(project), "GET", "dags/~/dagRuns?state=running&state=queued")[1]["dag_runs"]
        return all(run["dag_id"] in paused for run in runs)

    tailrace.wait_until(rests, "the runs' ends", 120)


def differences(ours, theirs, path=""):
    """Where two answers differ, a line each."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if key not in ours or key not in theirs:
                yield f"{path}.{key}: {'missing' if key in theirs else 'too much'}"
            else:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {json.dumps(ours)[:200]} is not {json.dumps(theirs)[:200]}"


def test_every_answer_is_airflows_own_field_by_field(project):
    project.start()
    ours = airflow_calls.hold(lambda *words: asked(api(project), *words), lambda: settle(project))
    theirs = json.loads((FOLDER / "expected.json").read_text())
    assert list(ours) == list(theirs), "the same conversation"
    found = [f"{name}{line}" for name in ours for line in differences(ours[name], theirs[name])]
    assert not found, "\n".join(found)


def test_the_control_centre_answers_the_same_under_its_own_address(project):
    project.start()
    ours = asked(project.url() + "/api/v2/", "GET", "dags/shop")
    assert ours == asked(api(project), "GET", "dags/shop") and ours[0] == 200


def test_airflows_own_python_client_works_as_it_is(project):
    from airflow_client import client

    project.start()
    with client.ApiClient(client.Configuration(host=project.run_file()["airflow"], access_token="any")) as session:
        dags = client.DAGApi(session)
        assert {dag.dag_id for dag in dags.get_dags().dags} >= {"shop", "shop_writer"}
        dags.patch_dag("shop", client.DAGPatchBody(is_paused=False))
        runs = client.DagRunApi(session)
        run = runs.trigger_dag_run("shop", client.TriggerDAGRunPostBody(dag_run_id="by_client", conf={"count": 2},
                                                                       logical_date=None))
        assert run.dag_run_id == "by_client" and run.conf == {"count": 2}
        tailrace.wait_until(lambda: runs.get_dag_run("shop", "by_client").state in ("success", "failed"), "its end",
                            120)
        tasks = client.TaskInstanceApi(session)
        states = {task.task_id: task.state for task in tasks.get_task_instances("shop", "by_client").task_instances}
        assert states["shaky"] == "success" and states["hopeless"] == "failed" and states["never"] == "upstream_failed"
        log = tasks.get_log("shop", "by_client", "report", 1)
        lines = log.content.actual_instance
        assert any(line.event == "2" for line in lines) and log.continuation_token is None
        assert tasks.get_task_instance_tries("shop", "by_client", "shaky").total_entries == 2
        value = client.XComApi(session).get_xcom_entry(dag_id="shop", dag_run_id="by_client", task_id="numbers",
                                                       xcom_key="return_value")
        assert "1, 2, 3" in str(value.actual_instance.value) or value.actual_instance.value == [1, 2, 3]
        cleared = tasks.post_clear_task_instances("shop", client.ClearTaskInstancesBody(
            dag_run_id="by_client", dry_run=True, only_failed=True))
        assert {task.task_id for task in cleared.task_instances} == {"hopeless", "never"}
        asset = client.AssetApi(session).get_assets().assets[0]
        client.AssetApi(session).create_asset_event(client.CreateAssetEventsBody(asset_id=asset.id, extra={"a": 1}))
        assert client.AssetApi(session).get_asset_events(asset_id=asset.id).asset_events[0].extra["a"] == 1
        client.PoolApi(session).post_pool(client.PoolBody(name="two", slots=2))
        assert client.PoolApi(session).get_pool("two").open_slots == 2
        client.VariableApi(session).post_variable(client.VariableBody(key="colour", value="red"))
        assert client.VariableApi(session).get_variable("colour").value == "red"
        client.ConnectionApi(session).post_connection(
            client.ConnectionBody(connection_id="db", conn_type="postgres", password="hidden word"))
        assert client.ConnectionApi(session).get_connection("db").password == "***"
        with pytest.raises(client.ApiException) as refused:
            dags.get_dag("none")
        assert refused.value.status == 404 and "was not found" in refused.value.body
        assert client.VersionApi(session).get_version().version
        assert client.MonitorApi(session).get_health().scheduler.status == "healthy"


def test_a_log_is_streamed_while_its_task_runs(project):
    gate = project.folder / "gate"
    (project.folder / "dags" / "slow.yml").write_text(f"""
slow:
  schedule: none
  start_date: 2026-01-01
  tasks:
    - task_id: wait
      operator: {BASH}
      bash_command: "echo begun; while [ ! -e {gate} ]; do sleep 0.05; done; echo ended"
""")
    project.start()
    assert asked(api(project), "POST", "dags/slow/dagRuns", {"logical_date": None, "dag_run_id": "r"})[0] == 200
    path = "dags/slow/dagRuns/r/taskInstances/wait/logs/1"
    tailrace.wait_until(lambda: asked(api(project), "GET", path)[1].get("content"), "a line")
    request = urllib.request.Request(api(project) + path + "?full_content=true",
                                     headers={"Accept": "application/x-ndjson"})
    lines = []

    def read():
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                lines.append(json.loads(line)["event"])

    reader = threading.Thread(target=read)
    reader.start()
    tailrace.wait_until(lambda: "begun" in lines, "what was there")
    assert "ended" not in lines
    gate.touch()
    reader.join(60)
    assert lines.index("begun") < lines.index("ended")
    token = asked(api(project), "GET", path)[1]["continuation_token"]
    assert token is None, "the try is over"


def test_a_deleted_dag_is_new_when_its_file_is_read_again(project):
    project.start()
    there = lambda: asked(api(project), "GET", "dags/shop")  # noqa: E731
    token = there()[1]["file_token"]
    assert asked(api(project), "PATCH", "dags/shop", {"is_paused": False})[0] == 200
    assert asked(api(project), "POST", "dags/shop_writer/dagRuns", {"logical_date": None})[0] == 200
    assert asked(api(project), "DELETE", "dags/shop")[0] == 204
    assert there()[0] == 404 and asked(api(project), "DELETE", "dags/shop")[0] == 404
    assert asked(api(project), "GET", "dags/shop_writer/dagRuns")[1]["total_entries"] == 1
    assert asked(api(project), "PUT", "parseDagFile/" + token)[0] == 201, "of the same file as other DAGs"
    status, dag = there()
    assert status == 200 and dag["is_paused"], "as the file has it"
    assert asked(api(project), "GET", "dags/shop/dagRuns")[1]["total_entries"] == 0

    file = project.folder / "dags" / "shop.yml"
    file.write_text(file.read_text().replace("orders of a day", "orders of a week"))
    tailrace.wait_until(lambda: there()[1]["description"] == "orders of a week", "the file is read again")
    file.write_text(file.read_text() + "broken: {tasks: 7}\n")
    tailrace.wait_until(lambda: asked(api(project), "GET", "importErrors")[1]["total_entries"], "its fault")
    assert there()[1]["description"] == "orders of a week"


def test_a_pool_that_is_not_there_is_a_warning_until_it_is(project):
    (project.folder / "dags" / "pools.yml").write_text(f"""
swims:
  schedule: none
  start_date: 2026-01-01
  tasks:
    a: {{operator: {BASH}, bash_command: "true", pool: deep}}
    b: {{operator: {BASH}, bash_command: "true", pool: cold}}
    c: {{operator: {BASH}, bash_command: "true"}}
""")
    project.start()

    def warnings(words=""):
        status, answer = asked(api(project), "GET", "dagWarnings" + words)
        assert status == 200 and answer["total_entries"] == len(answer["dag_warnings"])
        return [(one["dag_id"], one["warning_type"], one["message"]) for one in answer["dag_warnings"]]

    both = ("swims", "non-existent pool", "Dag 'swims' references non-existent pools: ['cold', 'deep']")
    assert warnings() == warnings("?dag_id=swims&warning_type=non-existent%20pool") == [both]
    assert warnings("?dag_id=shop") == warnings("?warning_type=asset%20conflict") == []
    asked(api(project), "POST", "pools", {"name": "cold", "slots": 1})
    assert warnings() == [(*both[:2], "Dag 'swims' references non-existent pools: ['deep']")]


def test_an_asset_that_two_dags_make_is_materialized_by_neither(project):
    (project.folder / "dags" / "two.yml").write_text("".join(f"""
{name}:
  schedule: none
  start_date: 2026-01-01
  tasks:
    a: {{operator: {BASH}, bash_command: "true", outlets: ["x-made://twice"]}}
""" for name in ("left", "right")))
    project.start()
    asset = asked(api(project), "GET", "assets?uri_pattern=twice")[1]["assets"][0]["id"]
    assert asked(api(project), "POST", f"assets/{asset}/materialize", {}) == (
        409, {"detail": f"More than one Dag materializes asset with ID: {asset}"})


def test_pages_of_other_sites_start_nothing(project):
    project.start()
    body = {"logical_date": None, "dag_run_id": "stolen"}
    for url in (api(project), project.url() + "/api/v2/"):
        status, _ = asked(url, "POST", "dags/shop/dagRuns", body, {"Origin": "http://elsewhere.example"})
        assert status == 403
        status, _ = asked(url, "POST", "dags/shop/dagRuns", body, {"Host": "elsewhere.example"})
        assert status == 421
    assert asked(api(project), "GET", "dags/shop/dagRuns/stolen")[0] == 404


def test_who_has_no_password_is_kept_out_where_users_are_named(project, tmp_path):
    users = tmp_path / "users"
    users.write_text("ada: a word of hers\n")
    project.words = ["--airflow-users", users]
    project.start()
    root = project.run_file()["airflow"]
    assert asked(root, "GET", "/api/v2/dags")[0] == 401
    assert asked(root, "GET", "/api/v2/version")[0] == 200
    assert asked(root, "GET", "/api/v2/dags", headers={"Authorization": "Bearer 616461.9999999999.00"})[0] == 403
    assert asked(root, "POST", "/auth/token", {"username": "ada", "password": "wrong"}) == (
        401, {"detail": "Invalid credentials"})
    status, answer = asked(root, "POST", "/auth/token", {"username": "ada", "password": "a word of hers"})
    assert status == 201
    granted = {"Authorization": "Bearer " + answer["access_token"]}
    assert asked(root, "GET", "/api/v2/dags", headers=granted)[0] == 200


def test_a_door_that_others_reach_wants_users(project):
    ports = list(tailrace.FREE_PORTS)
    ports[ports.index("--airflow") + 1] = "0.0.0.0:0"
    done = project.command("run", project.folder, "--data", project.data, *ports, "--check")
    assert done.returncode == 1 and "--airflow-users" in done.stderr


def test_a_file_that_is_too_long_to_be_a_request_is_refused(project):
    project.start()
    at = urllib.parse.urlsplit(api(project))
    client = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
    client.putrequest("POST", at.path + "dags/shop/dagRuns")
    client.putheader("Content-Type", "application/json")
    client.putheader("Content-Length", str(17 << 20))
    client.endheaders(b'{"logical_date": null, "note": "')
    assert client.getresponse().status == 413
    assert pathlib.Path(project.data).exists()
