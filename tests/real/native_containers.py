"""Runs the services of a compose file without containers: each in a network namespace, at an address of its own, with
the names of the others, and with the command, environment and health check that the file gives it.

What an image does at its start is done here as its own documentation says: Kafka's by Kafka's own wrapper of its image
(kafka.docker.KafkaDockerWrapper), the rest by the few rules below. Paths of volumes are folders of the test's own.
Needs root: `ip netns`, `unshare`. Memory limits are not enforced.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import airflow_side
import cassandra_side
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import tailrace  # noqa: E402

KAFKA = os.environ.get("TAILRACE_KAFKA_JARS", "")
KAFKA39 = os.environ.get("TAILRACE_KAFKA39_JARS", "")
JARS = os.environ.get("TAILRACE_SPARK_JARS", "")
MINIO = os.environ.get("TAILRACE_MINIO", "")
APICURIO = os.environ.get("TAILRACE_APICURIO", "")
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
PATH = f"{ROOT}/build/venv/bin:{POSTGRES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Service:
    def __init__(self, stack, name, words):
        self.stack, self.name, self.words = stack, name, words
        self.folder = stack.folder / name
        self.folder.mkdir(parents=True)
        self.address = f"{stack.net}.{len(stack.services) + 2}"
        self.space = f"{stack.prefix}-{len(stack.services)}"
        self.paths, self.mounted = {}, {}
        for one in words.get("volumes", []):
            source, target = one.split(":")[:2]
            inside = (stack.source / source) if source.startswith(".") else (stack.folder / "volumes" / source)
            if not source.startswith("."):
                inside.mkdir(parents=True, exist_ok=True)
            self.paths[target] = inside.resolve()
        aliases = words.get("networks", {}).get("default", {}).get("aliases", [])
        self.names = [name, *aliases]
        self.process, self.log = None, self.folder / "out.log"

    def text(self, value):
        """A value with .env filled in and volumes' paths as they are here."""
        def known(match):
            name, default = match.group(1), match.group(2) or ""
            return self.stack.variables.get(name, default[2:]) if default.startswith(":-") else \
                self.stack.variables[name]

        value = re.sub(r"\$\{(\w+)(:[?-][^}]*)?\}", known, str(value))
        for target in sorted(self.paths, key=len, reverse=True):
            value = re.sub(rf"(?<![\w/]){re.escape(target)}(?![\w])", str(self.paths[target]), value)
        return value

    def environment(self):
        own = {name: self.text(value) for name, value in self.words.get("environment", {}).items()}
        return {"PATH": PATH, "HOME": str(self.folder), "LANG": "C.UTF-8", "HOSTNAME": self.name, **own}

    def command(self):
        return [self.text(word) for word in self.words.get("command", [])]

    def inside(self, words, **kwargs):
        """A command in this service's network, which knows the others' names; as the user of PostgreSQL where asked."""
        script = f"mount --bind {self.stack.hosts} /etc/hosts && hostname {self.name} && "
        # What programs name themselves is where the image has it.
        script += "mount -t tmpfs tmpfs /opt && " if self.mounted else ""
        for target, source in self.mounted.items():
            script += f"mkdir -p {target} && mount --bind {source} {target} && "
        script += "exec \"$@\""
        return dict(args=["ip", "netns", "exec", self.space, "unshare", "-m", "-u", "sh", "-c", script, "sh",
                          *map(str, words)], env=self.environment(), **kwargs)

    def start(self):
        ip("netns", "add", self.space)
        ip("link", "add", f"{self.space}h", "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", f"{self.space}h", "master", self.stack.bridge, "up")
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.space, "link", "set", "lo", "up")
        ip("-n", self.space, "link", "set", "eth0", "up")
        words = LAUNCHERS[image_name(self.words["image"])](self)
        out = open(self.log, "ab")
        self.process = subprocess.Popen(**self.inside(words), stdout=out, stderr=out, cwd=self.folder,
                                        start_new_session=True)
        tailrace.started.append(self.process)

    def healthy(self):
        assert self.process.poll() is None, f"{self.name} ended: {self.log.read_text(errors='replace')[-3000:]}"
        test = [self.text(word) for word in self.words["healthcheck"]["test"]]
        assert test[0] == "CMD"
        done = subprocess.run(**self.inside(checked(self, test[1:])), capture_output=True, timeout=120)
        return done.returncode == 0

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        subprocess.run(["ip", "netns", "del", self.space], capture_output=True)


def image_name(image):
    return image.rpartition("/")[2].partition(":")[0]


def java_heap(words):
    return words.split() if words else []


def kafka(service):
    """Apache's image: its own wrapper makes the properties and formats the folder, then the server starts."""
    folders = {name: service.folder / name for name in ("default", "mounted", "final")}
    for folder in folders.values():
        folder.mkdir()
    (folders["default"] / "server.properties").write_text("")
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folders["default"] / name).write_text(
            "Configuration:\n  Appenders:\n    Console: {name: STDOUT}\n  Loggers:\n    Root: {level: INFO, "
            "AppenderRef: [{ref: STDOUT}]}\n")
    setup = ["java", "-Xmx128m", "-cp", f"{KAFKA}/*", "kafka.docker.KafkaDockerWrapper", "setup",
             "--default-configs-dir", folders["default"], "--mounted-configs-dir", folders["mounted"],
             "--final-configs-dir", folders["final"]]
    done = subprocess.run(**service.inside(setup), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    heap = java_heap(service.environment()["KAFKA_HEAP_OPTS"])
    file = folders["final"] / "server.properties"
    return ["java", *heap, "-XX:+UseG1GC", "-cp", f"{KAFKA}/*", "kafka.Kafka", file]


def confluent_properties(service, prefix, known=()):
    """Confluent's images: PREFIX_A_B is a.b of the properties."""
    passed_over = ("HEAP_OPTS",)
    lines = []
    for name, value in service.environment().items():
        if name.startswith(prefix + "_") and name[len(prefix) + 1:] not in passed_over:
            word = name[len(prefix) + 1:]
            lines.append(f"{dict(known).get(word, word.lower().replace('_', '.'))}={value}\n")
    return lines


def cp_kafka(service):
    file = service.folder / "kafka.properties"
    lines = confluent_properties(service, "KAFKA")
    file.write_text("".join(lines) + f"log.dirs={service.paths['/var/lib/kafka/data']}\n")
    heap = java_heap(service.environment()["KAFKA_HEAP_OPTS"])
    return ["java", *heap, "-cp", f"{KAFKA39}/*", "kafka.Kafka", file]


def cp_zookeeper(service):
    file = service.folder / "zookeeper.properties"
    lines = confluent_properties(service, "ZOOKEEPER", {"CLIENT_PORT": "clientPort", "TICK_TIME": "tickTime"}.items())
    file.write_text("".join(lines) + f"dataDir={service.paths['/var/lib/zookeeper']}\nadmin.enableServer=false\n")
    heap = java_heap(service.environment()["KAFKA_HEAP_OPTS"])
    return ["java", *heap, "-cp", f"{KAFKA39}/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain", file]


def apicurio(service):
    return ["java", *java_heap(service.environment()["JAVA_OPTS_APPEND"]), "-jar", APICURIO]


def cassandra(service):
    """The image's rules: CASSANDRA_X is x of cassandra.yaml; it listens at its address, and at all for CQL."""
    environment, data = service.environment(), service.paths["/var/lib/cassandra"]
    settings = dict(cassandra_side.SETTINGS) | {
        "cluster_name": environment["CASSANDRA_CLUSTER_NAME"], "num_tokens": environment["CASSANDRA_NUM_TOKENS"],
        "endpoint_snitch": environment["CASSANDRA_ENDPOINT_SNITCH"], "listen_address": service.address,
        "rpc_address": "0.0.0.0", "broadcast_rpc_address": service.address, "native_transport_port": 9042,
        "data_file_directories": f"[{data}/data]", "commitlog_directory": f"{data}/commitlog",
        "saved_caches_directory": f"{data}/saved_caches", "hints_directory": f"{data}/hints",
        "cdc_raw_directory": f"{data}/cdc_raw",
        "seed_provider": "[{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: "
                         f'[{{seeds: "{service.address}"}}]}}]'}
    (service.folder / "cassandra.yaml").write_text("".join(f"{k}: {v}\n" for k, v in settings.items()))
    (service.folder / "logback.xml").write_text(cassandra_side.LOGGING)
    jars = cassandra_side.JARS
    return ["java", f"-Xms{environment['MAX_HEAP_SIZE']}", f"-Xmx{environment['MAX_HEAP_SIZE']}", "-Xss512k",
            "-Djdk.attach.allowAttachSelf=true", "-Dio.netty.tryReflectionSetAccessible=true",
            *(f"--add-exports={one}=ALL-UNNAMED" for one in cassandra_side.EXPORTED),
            *(f"--add-opens={one}=ALL-UNNAMED" for one in cassandra_side.OPENED),
            f"-javaagent:{next(pathlib.Path(jars).glob('jamm-*.jar'))}",
            f"-Dcassandra.config=file://{service.folder}/cassandra.yaml",
            f"-Dlogback.configurationFile=file://{service.folder}/logback.xml", f"-Dcassandra.storagedir={data}",
            "-Dcassandra.jmx.local.port=7199", "-Dcassandra-foreground=yes",
            "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=1000",
            "-cp", f"{jars}/*", "org.apache.cassandra.service.CassandraDaemon"]


def postgres(service):
    """The image's first start: initdb with the password, the user's database, listening everywhere."""
    environment, data = service.environment(), service.paths["/var/lib/postgresql/data"] / "cluster"
    password = service.folder / "password"
    password.write_text(environment["POSTGRES_PASSWORD"])
    for path in (service.folder, data.parent):
        shutil.chown(path, "postgres")
    shutil.chown(password, "postgres")
    as_user = ["runuser", "-u", "postgres", "--"]
    subprocess.run([*as_user, POSTGRES / "initdb", "-D", data, "-U", environment["POSTGRES_USER"],
                    "-A", "scram-sha-256", f"--pwfile={password}"], check=True, capture_output=True)
    made = f"CREATE DATABASE \"{environment['POSTGRES_DB']}\"\n"
    subprocess.run([*as_user, POSTGRES / "postgres", "--single", "-D", data, "postgres"], check=True,
                   capture_output=True, input=made.encode())
    with open(data / "pg_hba.conf", "a", encoding="utf-8") as file:
        file.write("host all all all scram-sha-256\n")
    words = service.command()
    assert words[0] == "postgres"
    return [*as_user, POSTGRES / "postgres", "-D", data, "-c", "listen_addresses=*", "-k", service.folder, *words[1:]]


def spark(service):
    """Ours with Spark in it: the program, or a command of Spark's."""
    if "entrypoint" not in service.words:
        return ["env", f"TAILRACE_PYTHON={sys.executable}", f"TAILRACE_SPARK_JARS={JARS}", *own(service)]
    service.paths["/tmp/work"] = service.folder / "work"
    home = next(pathlib.Path(sys.executable).parent.parent.glob("lib/python3*/site-packages/pyspark"))
    return [word.replace("/opt/spark", str(home)) for word in [*service.words["entrypoint"], *service.command()]]


def minio(service):
    """The words of the file by a shell, where `minio` is the program."""
    (service.folder / "bin").mkdir()
    (service.folder / "bin" / "minio").symlink_to(MINIO)
    return ["env", f"PATH={service.folder}/bin:{PATH}", *service.words["entrypoint"], *service.command()]


def airflow(service):
    """The image's: /opt/airflow is Airflow's home, and what _PIP_ADDITIONAL_REQUIREMENTS names is there."""
    python = airflow_side.airflow_python()
    listed = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    for package in service.environment()["_PIP_ADDITIONAL_REQUIREMENTS"].split():
        assert re.search(rf"^{re.escape(package)}(==|$)", listed, re.M), f"{package} is not in {python}'s environment"
    home = service.folder / "home"
    home.mkdir()
    (home / "project").mkdir()
    (home / "dags").mkdir()
    service.mounted = {"/opt/airflow": home} | {
        target: service.paths.pop(target) for target in ("/opt/airflow/dags", "/opt/airflow/project")}
    return ["env", "AIRFLOW_HOME=/opt/airflow", f"PATH={pathlib.Path(python).parent}:{PATH}", *service.command()]


def own(service):
    """The project with the settings that are mounted over its own."""
    project = service.folder / "project"
    shutil.copytree(service.paths["/project"], project, ignore=shutil.ignore_patterns(".tailrace"))
    shutil.copy(service.paths["/project/tailrace.yml"], project / "tailrace.yml")
    service.paths["/project"] = project
    return [tailrace.PROGRAM, *service.command()]


LAUNCHERS = {"kafka": kafka, "cp-kafka": cp_kafka, "cp-zookeeper": cp_zookeeper, "apicurio-registry": apicurio,
             "cassandra": cassandra, "postgres": postgres, "minio": minio, "airflow": airflow,
             "tailrace": own, "tailrace-spark": spark}


def checked(service, test):
    """A health check as it is written, with the image's programs by the names that they have here."""
    program = pathlib.Path(test[0]).name
    if program in ("kafka-broker-api-versions.sh", "kafka-broker-api-versions"):
        # Until Kafka 4 the command was a class of the server.
        jars, name = (KAFKA39, "kafka.admin") if "cp-kafka" in service.words["image"] else \
            (KAFKA, "org.apache.kafka.tools")
        return ["java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", f"{name}.BrokerApiVersionsCommand",
                *test[1:]]
    if program == "cub":  # Confluent's own tool
        return ["java", "-Xmx64m", "-cp", f"{KAFKA39}/*", "org.apache.zookeeper.ZooKeeperMain", "-server", test[2],
                "ls", "/"]
    if program == "tailrace":
        return [tailrace.PROGRAM, *test[1:]]
    return test


def names_in(file):
    """All services of a compose file."""
    return set(yaml.safe_load(pathlib.Path(file).read_text())["services"])


class Stack:
    """The services of `file` that are named, for one profile."""

    def __init__(self, file, names, profile):
        self.folder, self.source = pathlib.Path(tempfile.mkdtemp(prefix="stack")), pathlib.Path(file).parent
        self.folder.chmod(0o755)  # PostgreSQL's user has to reach its data
        self.prefix = f"tr{os.getpid() % 10000}"
        self.bridge = f"{self.prefix}-br"
        self.net = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
        self.variables = dict(re.findall(r"^(\w+)=(.*)$", (self.source / ".env").read_text(), re.M))
        self.services = {}
        for name, words in yaml.safe_load(pathlib.Path(file).read_text())["services"].items():
            if name in names and profile in words.get("profiles", [profile]):
                self.services[name] = Service(self, name, words)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(
            f"{one.address} {' '.join(one.names)}\n" for one in self.services.values()))

    def __enter__(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.net}.1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, seconds=1200):
        """Each as soon as those are healthy for which it waits."""
        healthy, started, end = set(), set(), time.monotonic() + seconds
        while len(healthy) < len(self.services):
            for name, one in self.services.items():
                waits = [other for other in one.words.get("depends_on", {}) if other in self.services]
                if name not in started and healthy.issuperset(waits):
                    one.start()
                    started.add(name)
                if name in started and name not in healthy and one.healthy():
                    healthy.add(name)
            late = sorted(set(self.services) - healthy)
            assert time.monotonic() < end, f"not healthy: {late}: " + json.dumps(
                {name: self.services[name].log.read_text(errors="replace")[-1500:]
                 for name in late if self.services[name].log.exists()})
            time.sleep(0.2)

    def run(self, name, *words):
        done = subprocess.run(**self.services[name].inside(words), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def __exit__(self, *_):
        for one in reversed(self.services.values()):
            one.stop()
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
