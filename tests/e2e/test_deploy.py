"""Containers, packages, dashboards: each file is held to its schema, to its own tool, and to the running program."""
import ast
import http.server
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import threading
import urllib.request

import orders_contract
import pytest
import scrape
import tailrace
import yaml

ROOT = tailrace.ROOT
DEPLOY = ROOT / "deploy"
SCRIPTS = pathlib.Path(sys.executable).parent


def run(*words, **kwargs):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=300, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


DAG = """
often:
  start_date: 2026-01-01
  schedule: none
  tasks:
    - {task_id: one, operator: airflow.providers.standard.operators.bash.BashOperator, bash_command: "true"}
"""


@pytest.fixture
def written(tmp_path):
    """What `tailrace compose` writes for the example, seen from a folder beside it as deploy/ is."""
    shutil.copytree(tailrace.EXAMPLE, tmp_path / "examples" / "random_users",
                    ignore=shutil.ignore_patterns(".tailrace", "__pycache__"))
    example = tmp_path / "examples" / "random_users"
    run(tailrace.PROGRAM, "compose", example, "--out", tmp_path / "one")
    run(tailrace.PROGRAM, "compose", example, "--all", "--out", tmp_path / "real")
    return tmp_path


def test_the_files_of_deploy_are_what_the_command_writes(written):
    assert (DEPLOY / "compose.yml").read_text() == (written / "one" / "compose.yml").read_text()
    assert (DEPLOY / "compose.real.yml").read_text() == (written / "real" / "compose.yml").read_text()
    for path in [written / "real" / "tailrace.yml", *(written / "real" / "airflow").rglob("*")]:
        if path.is_file():
            assert (DEPLOY / path.relative_to(written / "real")).read_text() == path.read_text(), path.name
    names = [re.findall(r"^(\w+)=", text, re.M)
             for text in ((DEPLOY / "env.example").read_text(), (written / "real" / ".env").read_text())]
    assert names[0] == names[1]


def test_airflow_reads_the_connections_of_the_project_by_its_secrets_backend(tmp_path):
    shutil.copytree(tailrace.EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns(".tailrace", "__pycache__"))
    settings = tmp_path / "project" / "tailrace.yml"
    settings.write_text(settings.read_text() + 'connections: {shop: "postgresql://me:${SHOP_WORD}@shop/orders"}\n')
    run(tailrace.PROGRAM, "compose", tmp_path / "project", "--all", "--out", tmp_path / "out")
    airflow = yaml.safe_load((tmp_path / "out" / "compose.yml").read_text())["services"]["airflow"]
    told = airflow["environment"]
    assert told["AIRFLOW__SECRETS__BACKEND"] == "tailrace_provider.secrets.ProjectSecrets"
    assert json.loads(told["AIRFLOW__SECRETS__BACKEND_KWARGS"]) == {"project": "/opt/airflow/project"}
    assert told["PYTHONPATH"] == "/opt/airflow/dags" and told["SHOP_WORD"] == "${SHOP_WORD:-}"
    assert (tmp_path / "out" / "airflow" / "tailrace_provider" / "secrets.py").exists()
    assert any(mount.endswith(":/opt/airflow/project:ro") for mount in airflow["volumes"])


def test_compose_files_have_the_form_that_compose_wants(written):
    files = [written / "one" / "compose.yml", written / "real" / "compose.yml"]
    run(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)
    broken = written / "broken.yml"
    broken.write_text(files[0].read_text().replace("read_only: true", "read_only: [1]"))
    with pytest.raises(AssertionError):
        run(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", broken)


def test_a_project_with_all_that_a_container_must_be_given_works_in_its_written_folder(tmp_path):
    """Sources that listen, folders elsewhere, DAGs and variables: what is written is whole, and a project."""
    (tmp_path / "drop").mkdir()
    project = tailrace.Project(tmp_path, settings=json.dumps({
        "topics": {"users_created": {"partitions": 1, "format": "json"}},
        "ingest": [
            {"name": "lines", "topic": "users_created", "use": "syslog", "syslog": {"listen": "127.0.0.1:5514"}},
            {"name": "sent", "topic": "users_created", "use": "tcp", "tcp": {"listen": "0.0.0.0:5515"}},
            {"name": "dropped", "topic": "users_created", "use": "files", "files": {"path": "../drop/*.json"}},
            {"name": "asked", "topic": "users_created", "use": "http",
             "http": {"url": "http://example.org", "headers": {"Key": "${API_KEY}"}}}]}))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "often.yml").write_text(DAG)
    out = tmp_path / "compose"
    environment = os.environ | {"API_KEY": "it's secret"}
    for _ in range(2):  # again: passwords stay
        run(tailrace.PROGRAM, "compose", project.folder, "--out", out, env=environment)
    run(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", out / "compose.yml")
    ours = yaml.safe_load((out / "compose.yml").read_text())["services"]["tailrace"]
    assert {"127.0.0.1:5514:5514", "127.0.0.1:5514:5514/udp", "127.0.0.1:5515:5515",
            "127.0.0.1:8080:8080"} <= set(ours["ports"])
    assert {"../drop:/drop:ro", "./tailrace.yml:/project/tailrace.yml:ro"} <= set(ours["volumes"])
    env = (out / ".env").read_text()
    assert re.fullmatch(r"AIRFLOW_PASSWORD=[0-9a-f]{32}\nAPI_KEY='it\\'s secret'\n", env)
    assert stat.S_IMODE((out / ".env").stat().st_mode) == 0o600
    assert run(tailrace.PROGRAM, "doctor", out) == ""
    shutil.copy(out / "tailrace.yml", project.folder / "tailrace.yml")
    assert '"0.0.0.0:5514"' in (out / "tailrace.yml").read_text()
    assert "ok:" in run(tailrace.PROGRAM, "check", project.folder, env=environment)


def test_every_image_is_pinned_and_what_is_published_is_at_loopback(written):
    services = yaml.safe_load((written / "real" / "compose.yml").read_text())["services"]
    for name, service in services.items():
        assert re.search(r":\w*[\d.]+", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_what_airflow_gets_is_pinned_to_what_operators_were_recorded_from(tmp_path, written):
    """The versions that spec/airflow_operators.yml names: DAG files are checked against them."""
    recorded = (ROOT / "spec" / "airflow_operators.yml").read_text().replace("\n#  ", "")
    services = yaml.safe_load((written / "real" / "compose.yml").read_text())["services"]
    of_example = services["airflow"]["environment"]["_PIP_ADDITIONAL_REQUIREMENTS"].split()
    assert len(of_example) == 3
    airflow = "apache-airflow==" + services["airflow"]["image"].split(":")[1]
    project = tailrace.Project(tmp_path)
    (project.folder / "dags").mkdir()
    paths = [path for path, takes in yaml.safe_load(recorded)["operators"].items()
             if path.startswith("airflow.providers.") and "python_callable" not in takes.get("required", [])]
    (project.folder / "dags" / "every.yml").write_text(yaml.safe_dump({"every": {
        "start_date": "2026-01-01", "schedule": None,
        "tasks": [{"task_id": f"t{i}", "operator": path} | {
            name: "x" for name in yaml.safe_load(recorded)["operators"][path].get("required", [])}
            for i, path in enumerate(paths)]}}))
    run(tailrace.PROGRAM, "airflow", project.folder, "--out", tmp_path / "out")
    packages = (tmp_path / "out" / "requirements.txt").read_text().split()
    assert {airflow, *of_example} <= set(packages) and len(packages) > 8
    for package in packages:
        name, version = package.split("==")
        assert re.search(rf"\b{name} {re.escape(version)}[,\n]", recorded), package


def test_spark_sees_the_tables_where_the_program_has_them(written):
    """One image, which has Spark, and so one user, of whom the files are; one volume, at one path."""
    services = yaml.safe_load((written / "real" / "compose.yml").read_text())["services"]
    ours, worker, master = (services[name] for name in ("tailrace", "spark-worker", "spark-master"))
    assert ours["image"] == worker["image"] == master["image"] and "user" not in worker
    stages = re.findall(r"^FROM (\S+) AS (\S+)", (DEPLOY / "Dockerfile").read_text(), re.M)
    assert ("program", ours["image"].split(":")[0]) in stages and stages[-1][1] == "tailrace"
    assert "tailrace:/data" in ours["volumes"] and worker["volumes"] == ["tailrace:/data"]
    assert ours["command"][ours["command"].index("--data") + 1] == "/data"
    engine = yaml.safe_load((written / "real" / "tailrace.yml").read_text())["roles"]["engine"]
    assert engine["url"] == "spark://spark-master:7077"
    assert engine["properties"]["spark.driver.host"] == ours["hostname"] == "tailrace"
    most = worker["command"][worker["command"].index("--memory") + 1]
    assert engine["properties"]["spark.executor.memory"] == most


def test_the_image_has_the_versions_of_spark_that_the_program_was_tried_with():
    text = (DEPLOY / "Dockerfile").read_text()
    tried = (ROOT / "tests" / "real" / "requirements.txt").read_text().splitlines()
    for package in re.search(r"pip install --no-cache-dir (.+?) \\\n", text)[1].replace('"', "").split():
        assert package in tried
    jars = re.search(r"DELTA_JARS = \((.*)\)", (ROOT / "python/tailrace_spark/run_pipeline.py").read_text())[1]
    assert re.findall(r"/([^/\s]+\.jar) /opt/delta/", text) == re.findall(r'"([^"]+)"', jars)


def test_passwords_are_for_their_owner_alone_and_stay(written):
    env = written / "real" / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    before = env.read_text()
    run(tailrace.PROGRAM, "compose", written / "examples" / "random_users", "--all", "--out", written / "real")
    assert env.read_text() == before


def test_the_settings_for_the_real_systems_are_a_project(written):
    project = written / "examples" / "random_users"
    shutil.copy(written / "real" / "tailrace.yml", project / "tailrace.yml")
    passwords = {"POSTGRES_PASSWORD": "x", "AIRFLOW_PASSWORD": "y"}
    assert "ok:" in run(tailrace.PROGRAM, "check", project, env=os.environ | passwords)


def test_the_dockerfile_passes_hadolint(tmp_path):
    run(SCRIPTS / "hadolint", DEPLOY / "Dockerfile")
    (tmp_path / "Dockerfile").write_text((DEPLOY / "Dockerfile").read_text().replace("debian:12.15-slim", "debian"))
    with pytest.raises(AssertionError):
        run(SCRIPTS / "hadolint", tmp_path / "Dockerfile")


def packages_with(*names):
    """These packages of Debian and all that they depend on, as apt-get takes them without recommendations."""
    said = run("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances",
               "--no-conflicts", "--no-breaks", "--no-replaces", *names)
    return set(re.findall(r"^(?:.*: )?([a-z0-9][a-z0-9.+-]*)(?::\w+)?$", said, re.M))


def modules_of(script):
    """What a script imports of the standard library, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in sys.stdlib_module_names}


PYTHON = "/usr/bin/python3"


@pytest.mark.skipif(not (shutil.which("apt-cache") and pathlib.Path(PYTHON).exists()),
                    reason="this is no Debian with a Python of its own")
def test_the_image_has_all_of_python_that_functions_and_tasks_import():
    """Each file that the workers' imports load here is of a package that the image gets."""
    stage = re.search(r"^FROM \S+ AS program\n(.*?)\n(?=FROM )", (DEPLOY / "Dockerfile").read_text(), re.M | re.S)[1]
    installed = re.search(r"apt-get install -y --no-install-recommends ([^\\&]+)", stage)[1].split()
    modules = set()
    for script in ("tailrace_function/worker.py", "tailrace_function/check.py", "tailrace_task/worker.py",
                   "tailrace_task/values.py"):
        modules |= modules_of(ROOT / "python" / script)
    assert {"base64", "resource", "asyncio", "ast", "zoneinfo"} <= modules
    told = "print(*{one.__file__ for one in list(sys.modules.values()) if getattr(one, '__file__', None)}, sep='\\n')"
    loaded = run(PYTHON, "-I", "-S", "-c", f"import sys, {', '.join(sorted(modules))}\n{told}").split()
    owners = {path: owner for owner, path in
              re.findall(r"^([^:,\s]+)(?::\w+)?: (\S+)$", run("dpkg", "--search", *loaded), re.M)}
    assert owners.keys() == set(loaded)

    def missing(packages):
        return sorted(path for path, owner in owners.items() if owner not in packages)

    assert missing(packages_with(*installed)) == []
    assert any("asyncio" in path for path in missing(packages_with("python3-minimal")))


def test_health_tells_a_running_program_from_none(tmp_path):
    project = tailrace.Project(tmp_path).start()
    url = project.url()
    assert project.command("health", url).returncode == 0
    assert project.command("health", url + "/").stdout == "healthy\n"
    project.stop()
    done = project.command("health", url)
    assert done.returncode == 1 and done.stderr.startswith("tailrace: ")


def expressions():
    """Every PromQL expression of the dashboard and of the rules."""
    board = json.loads((DEPLOY / "grafana" / "tailrace.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for group in yaml.safe_load((DEPLOY / "prometheus" / "tailrace.rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def with_every_room(folder):
    """The example with a webhook, a function, an alert, a contract, a staging table and a workflow beside it."""
    project = tailrace.Project(folder)
    path = project.folder / "tailrace.yml"
    settings = yaml.safe_load(path.read_text())
    settings["ingest"].append({"name": "pushed", "topic": "users_created", "use": "webhook", "webhook": {}})
    settings["ingest"].append({"name": "rows", "topic": "users_created", "use": "webhook", "webhook": {},
                               "stage": "landed"})
    settings["functions"] = {"take": {"ingest": "pushed"}}
    settings["alerts"] = {"channels": {"ops": {"webhook": {"url": "http://127.0.0.1:9/"}}},
                          "rules": [{"hop": "*", "error": True}]}
    path.write_text(yaml.safe_dump(settings))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "often.yml").write_text(DAG)
    (project.folder / "contracts").mkdir()
    (project.folder / "contracts" / "users.yml").write_text(
        orders_contract.HEAD + "schema: [{name: users, quality: [{metric: rowCount, mustBeGreaterThan: 0}]}]\n")
    return project


def test_every_metric_of_the_dashboard_and_the_rules_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    project = with_every_room(tmp_path).start()
    with urllib.request.urlopen(project.url() + "/metrics", timeout=30) as answer:
        text = answer.read().decode()
    project.stop()
    scrape.read(text)
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.M))
    labels = {}
    for name, found in re.findall(r"^(\w+)\{(.*)\} ", text, re.M):
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', found))
    seen = set()
    for where, expression in expressions():
        for name in re.findall(r"\b(?:tailrace|kafka|process)_\w+", expression):
            family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in families else name
            assert family in families, f"{where}: {name}"
            assert name == family or families[family] == "histogram", f"{where}: {name}"
            seen.add(family)
        for name, selector in re.findall(r"\b((?:tailrace|kafka)_\w+)\{([^}]*)\}", expression):
            for label in re.findall(r"(\w+)\s*[=!]~?\"", selector):
                known = labels.get(name, set()) | {"instance", "job"}
                assert name not in labels or label in known, f"{where}: {label} of {name}"
    assert len(seen) >= 15


def test_promtool_has_nothing_against_the_metrics(tmp_path):
    """But names that Kafka's own metrics have in its users' dashboards."""
    project = with_every_room(tmp_path).start()
    with urllib.request.urlopen(project.url() + "/metrics", timeout=30) as answer:
        text = answer.read()
    project.stop()
    told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
    ours = [line for line in told.stderr.decode().splitlines() if not line.startswith("kafka_")]
    assert ours == [] and b"tailrace_hop_up" in text


def test_the_dashboard_has_no_two_panels_at_one_place():
    board = json.loads((DEPLOY / "grafana" / "tailrace.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    cells = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24 and (x, y) not in cells, panel["title"]
                cells.add((x, y))


def test_the_alerts_fire_when_they_should():
    folder = DEPLOY / "prometheus"
    run("promtool", "check", "config", folder / "prometheus.yml")
    run("promtool", "test", "rules", folder / "tailrace.rules.test.yml")


def test_the_unit_is_sound_and_hardened(tmp_path):
    text = (DEPLOY / "systemd" / "tailrace.service").read_text()
    (tmp_path / "tailrace.service").write_text(text.replace("/usr/bin/tailrace", "/bin/true"))
    run("systemd-analyze", "verify", "--man=no", tmp_path / "tailrace.service")
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", tmp_path / "tailrace.service")


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    """A package of a small tree: what it is made of does not depend on the program's size."""
    folder = tmp_path_factory.mktemp("package")
    tree = folder / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "lib").mkdir()
    shutil.copytree(ROOT / "python" / "tailrace_spark", tree / "share" / "tailrace" / "python" / "tailrace_spark",
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy("/bin/true", tree / "bin" / "tailrace")
    shutil.copytree(tailrace.EXAMPLE, tree / "examples" / "random_users", ignore=shutil.ignore_patterns(".tailrace"))
    shutil.copy(ROOT / "LICENSE", tree)
    run(ROOT / "tools" / "package.sh", tree, folder / "out", "1.2.3")
    return folder / "out"


def test_the_package_has_its_files_and_its_configuration(packaged):
    deb = next(packaged.glob("tailrace_1.2.3_*.deb"))
    listed = run("dpkg-deb", "--contents", deb)
    for name in ("./usr/bin/tailrace -> ../lib/tailrace/bin/tailrace", "./lib/systemd/system/tailrace.service",
                 "./usr/lib/tailrace/share/tailrace/python/tailrace_spark/run_pipeline.py",
                 "./usr/lib/sysusers.d/tailrace.conf", "./etc/tailrace/tailrace.env",
                 "./usr/share/tailrace/examples/random_users/tailrace.yml", "./usr/share/doc/tailrace/copyright"):
        assert name + "\n" in listed, name
    assert re.search(r"^-rwxr-xr-x root/root .*usr/lib/tailrace/bin/tailrace$", listed, re.M)
    assert run("dpkg-deb", "--field", deb, "Package", "Version").splitlines() == ["Package: tailrace", "Version: 1.2.3"]
    assert re.search(r"libc6 \(>= 2\.\d+\)", run("dpkg-deb", "--field", deb, "Depends"))
    assert run("dpkg-deb", "--ctrl-tarfile", deb, errors="replace") and "conffiles" in run("dpkg-deb", "--info", deb)


def test_the_packed_compose_files_have_what_they_mount_beside_them(packaged, tmp_path):
    """Of the Debian package and of the folder: each path that a service mounts, and what the image is built from."""
    run("dpkg-deb", "--extract", next(packaged.glob("tailrace_1.2.3_*.deb")), tmp_path / "deb")
    run("tar", "-C", tmp_path, "-xzf", next(packaged.glob("*.tar.gz")))
    for place in (tmp_path / "deb" / "usr/share/tailrace", tmp_path / "tailrace-1.2.3"):
        files = sorted(place.rglob("compose*.yml"))
        assert files == [place / "deploy/compose.real.yml", place / "deploy/compose.yml"]
        mounted = set()
        for file in files:
            for service in yaml.safe_load(file.read_text())["services"].values():
                sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
                mounted |= {(file.parent / source).resolve() for source in sources if source.startswith(".")}
        assert mounted == {place / name for name in ("examples/random_users", "deploy/tailrace.yml", "deploy/airflow")}
        assert all(path.exists() for path in mounted)
        assert (place / "deploy/env.example").exists() and (place / "deploy/Dockerfile").exists()
        assert not list(place.rglob("__pycache__"))


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed")
def test_lintian_finds_no_fault_in_the_package(packaged):
    """Of the small tree: what it says of the libraries is overridden, with the reason, in deploy/debian."""
    run("lintian", "--fail-on", "error,warning", "--allow-root", next(packaged.glob("tailrace_1.2.3_*.deb")))


def test_the_package_installs_and_goes(packaged, tmp_path):
    deb = next(packaged.glob("tailrace_1.2.3_*.deb"))
    root = tmp_path / "root"
    run("dpkg-deb", "--extract", deb, root)
    run(root / "usr/lib/tailrace/bin/tailrace")
    sums = tmp_path / "control"
    run("dpkg-deb", "--control", deb, sums)
    run("md5sum", "--check", "--quiet", sums / "md5sums", cwd=root)
    for script in ("postinst", "prerm", "postrm"):
        assert os.access(sums / script, os.X_OK)
        run("sh", "-n", sums / script)


def test_the_folder_runs_where_it_is_unpacked(packaged, tmp_path):
    run("tar", "-C", tmp_path, "-xzf", next(packaged.glob("*.tar.gz")))
    run(tmp_path / "tailrace-1.2.3" / "bin" / "tailrace")
    assert (tmp_path / "tailrace-1.2.3" / "LICENSE").exists()


class People(http.server.BaseHTTPRequestHandler):
    """One person an answer, as randomuser.me has them."""
    count = 0

    def do_GET(self):
        People.count += 1
        person = {"name": {"first": "Ada", "last": f"Number {People.count}"}, "nat": "GB", "email": "ada@example.org",
                  "location": {"street": {"number": 12, "name": "St James's Square"}, "city": "London",
                               "country": "United Kingdom", "postcode": 1234}}
        body = json.dumps({"results": [person]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def test_the_project_that_doctor_writes_gives_the_rows_that_the_tutorial_means(tmp_path):
    """From the tutorial's folder with all its faults to rows in the table that it never filled."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), People)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    source = tmp_path / "source"
    shutil.copytree(ROOT / "tests" / "doctor" / "users" / "faulty", source)
    dag = source / "dags" / "kafka_stream.py"
    dag.write_text(dag.read_text().replace("https://randomuser.me", f"http://127.0.0.1:{server.server_port}"))
    doctor = [tailrace.PROGRAM, "doctor", source, "--write", tmp_path / "written", "--json"]
    done = subprocess.run(list(map(str, doctor)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    faults = {json.loads(line)["fault"] for line in done.stdout.splitlines()}
    assert {"unserialisable", "localhost", "unknown-column", "lost-checkpoint"} <= faults
    run(tailrace.PROGRAM, "check", tmp_path / "written")
    project = tailrace.Project(tmp_path, source=tmp_path / "written")
    workflow = project.folder / "dags" / "user_automation.yml"
    assert 'schedule: "@daily"' in workflow.read_text()
    workflow.write_text(workflow.read_text().replace("run_for: 60", "run_for: 1"))
    project.start()
    words = ("dags", "run", "user_automation", "--wait", "--project", project.folder, "--data", project.data)
    done = project.command(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = tailrace.wait_until(lambda: project.sql("SELECT * FROM created_users"), "a row")
    project.stop()
    server.shutdown()
    assert rows[0]["first_name"] == "Ada" and rows[0]["last_name"].startswith("Number ")
    assert rows[0]["address"] == "12 St James's Square, London, United Kingdom"
    assert rows[0]["post_code"] == "1234" and re.fullmatch(r"[0-9a-f]{32}", rows[0]["id"])


def test_doctor_ends_with_0_where_nothing_is_wrong():
    clean = ROOT / "tests" / "doctor" / "trades" / "clean"
    assert run(tailrace.PROGRAM, "doctor", clean) == ""
    assert "unserialisable" in run(tailrace.PROGRAM, "doctor", "--faults")
