"""A real Kafka 4.3.1 broker of its own (KRaft, one node), and Kafka's command line tools."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import ports  # noqa: E402
import tailrace  # noqa: E402

JARS = os.environ.get("TAILRACE_KAFKA_JARS", "")
ZOOKEEPER_JARS = os.environ.get("TAILRACE_KAFKA39_JARS", "")
# What the tools say of themselves, and of their loggers.
NOISE = re.compile(r"log4j|SLF4J|StatusLogger|^\s*$|^\s+at |^Caused by|^\s*Suppressed|^\d{4}-\d\d-\d\dT")


def java(*words, options=("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), jars=JARS):
    """The usual options are for what runs for a second."""
    return ["java", *options, "-cp", f"{jars}/*", *map(str, words)]


MEASURES = re.compile("Performance|Latency")
LASTING = ("-Xms512m", "-Xmx1g", "-XX:+UseG1GC")


class RealKafka:
    """Started on free ports, which it keeps; `address` is its listener, `ports` those of its further `listeners` by
    name."""

    def __init__(self, folder, listeners=(), **settings):
        self.folder = pathlib.Path(folder)
        self.settings = settings
        self.ports = dict.fromkeys(listeners)
        self.process = None
        self.address = None

    def format(self):
        client, controller, *others = ports.free(2 + len(self.ports))
        self.address = f"127.0.0.1:{client}"
        self.ports = {name: f"127.0.0.1:{port}" for name, port in zip(self.ports, others)}
        clients = ",".join(f"{name}://{at}" for name, at in {"PLAINTEXT": self.address, **self.ports}.items())
        settings = {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"{clients},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": clients,
            "listener.security.protocol.map":
                ",".join(f"{name}:{name}" for name in ("PLAINTEXT", *self.ports)) + ",CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER", "log.dirs": self.folder / "kafka",
            "offsets.topic.replication.factor": 1, "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1, "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1, "group.initial.rebalance.delay.ms": 0, **self.settings}
        file = self.folder / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        formatting = java("kafka.tools.StorageTool", "format", "-t", "CvbeCfZgTYKR577XER1yTA", "-c", file)
        subprocess.run(formatting, check=True, capture_output=True, timeout=120)

    def start(self):
        if self.address is None:
            self.format()
        log = open(self.folder / "kafka.log", "ab")
        command = java("kafka.Kafka", self.folder / "server.properties", options=LASTING)
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        tailrace.started.append(self.process)
        tailrace.wait_until(self.answers, "real Kafka", 120)
        return self

    def answers(self):
        assert self.process.poll() is None, (self.folder / "kafka.log").read_text()[-2000:]
        return tool(self.address, "ClusterTool cluster-id --bootstrap-server @").code == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def kill(self):
        self.process.kill()
        self.process.wait()


class KafkaOnZooKeeper(RealKafka):
    """Kafka 3.9.2, the last that keeps its metadata in ZooKeeper, and a ZooKeeper that starts and ends with it."""

    def start(self):
        if self.address is None:
            client, self.keeper_port = ports.free(2)
            self.address = f"127.0.0.1:{client}"
        self.keeper = self.run("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper", {
            "dataDir": self.folder / "zookeeper", "clientPort": self.keeper_port, "clientPortAddress": "127.0.0.1",
            "admin.enableServer": "false", "4lw.commands.whitelist": "dump"})
        # A broker that was killed is registered until its session is over, and a new one ends where it finds the old.
        tailrace.wait_until(self.nobody_is_registered, "ZooKeeper without a broker", 120)
        self.process = self.run("kafka.Kafka", "server", {
            "broker.id": 1, "listeners": f"PLAINTEXT://{self.address}", "log.dirs": self.folder / "kafka",
            "zookeeper.connect": f"127.0.0.1:{self.keeper_port}", "zookeeper.session.timeout.ms": 6000,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0, **self.settings})
        tailrace.wait_until(self.answers, "Kafka on ZooKeeper", 120)
        return self

    def nobody_is_registered(self):
        assert self.keeper.poll() is None, (self.folder / "zookeeper.log").read_text()[-2000:]
        try:
            with socket.create_connection(("127.0.0.1", self.keeper_port), 10) as asked:
                asked.sendall(b"dump")
                said = asked.makefile("rb").read()
        except OSError:
            return False
        return b"ephemerals" in said.lower() and b"/brokers/ids/" not in said

    def stop(self):
        super().stop()
        self.kill_keeper()

    def kill(self):
        super().kill()
        self.kill_keeper()

    def kill_keeper(self):
        self.keeper.kill()
        self.keeper.wait()

    def run(self, name, file, settings):
        path = self.folder / f"{file}.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        log = open(self.folder / f"{file if file == 'zookeeper' else 'kafka'}.log", "ab")
        process = subprocess.Popen(java(name, path, options=LASTING, jars=ZOOKEEPER_JARS), stdout=log, stderr=log)
        tailrace.started.append(process)
        return process


class Said:
    """What a tool printed, without its noise, and its exit code."""

    def __init__(self, done):
        self.code = done.returncode
        self.lines = [line.rstrip() for line in done.stdout.decode(errors="replace").splitlines()
                      if not NOISE.search(line)]

    def __eq__(self, other):
        return (self.code, self.lines) == (other.code, other.lines)

    def __repr__(self):
        return "\n".join([*self.lines, f"exit {self.code}"])


def tool(address, command, stdin=""):
    """Runs `CLASS WORD …` of org.apache.kafka.tools against a broker; @ stands for its address."""
    name, *words = command.split()
    name = name if name.startswith("kafka.") else f"org.apache.kafka.tools.{name}"
    words = [address if word == "@" else word for word in words]
    command = java(name, *words, options=LASTING) if MEASURES.search(name) else java(name, *words)
    said = Said(subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=300))
    assert not any("Could not find or load main class" in line for line in said.lines), said
    return said
