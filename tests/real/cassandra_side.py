"""A real Cassandra 5.0.9 of its own: one node on free loopback ports, in a folder, stopped by its process's id."""
import os
import pathlib
import socket
import subprocess
import sys


ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import ports  # noqa: E402
import tailrace  # noqa: E402

JARS = os.environ.get("TAILRACE_CASSANDRA_JARS", "")
READY = "Starting listening for CQL clients"
FIRST_USER = "Created default superuser role"  # cassandra, with the password cassandra
SKIP = "TAILRACE_CASSANDRA_JARS is not set; tests/real/cassandra_env.sh prints it"

EXPORTED = """java.base/jdk.internal.misc java.base/java.lang.ref java.management.rmi/com.sun.jmx.remote.internal.rmi
    java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql jdk.unsupported/sun.misc
    jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach""".split()
OPENED = """java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.util
    java.base/java.nio java.base/java.io java.base/sun.nio.ch java.base/jdk.internal.loader
    java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.math
    java.base/jdk.internal.module java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal
    jdk.compiler/com.sun.tools.javac""".split()
LOGGING = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%-5level %date{ISO8601} %F:%L %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="out"/></root></configuration>
"""
# What the texts of tests/cql count on, beside Cassandra's defaults; time-outs are for slow machines.
SETTINGS = {
    "cluster_name": "Test Cluster", "num_tokens": 1,
    "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
    "commitlog_sync": "periodic", "commitlog_sync_period": "10000ms",
    "disk_failure_policy": "stop", "commit_failure_policy": "stop", "endpoint_snitch": "SimpleSnitch",
    "materialized_views_enabled": "true", "auto_snapshot": "false",
    "read_request_timeout": "60s", "range_request_timeout": "60s", "write_request_timeout": "60s",
    "counter_write_request_timeout": "60s", "cas_contention_timeout": "60s", "truncate_request_timeout": "60s",
    "request_timeout": "60s",
}
PASSWORDS = {
    "authenticator": "PasswordAuthenticator", "authorizer": "CassandraAuthorizer",
    "role_manager": "CassandraRoleManager",
    "roles_validity": "0ms", "permissions_validity": "0ms", "credentials_validity": "0ms",
}


class RealCassandra:
    """`address` is its CQL listener, the same after a restart; the log of all its runs is `log`. A setting that is
    None is left out of cassandra.yaml."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.settings = SETTINGS | settings
        self.log = self.folder / "cassandra.log"
        self.process = None
        self.client, self.storage, self.tls_storage, self.jmx = ports.free(4)
        self.address = f"127.0.0.1:{self.client}"

    def configuration(self):
        data = self.folder / "data"
        places = {name: data / name for name in ("commitlog", "saved_caches", "hints", "cdc_raw")}
        settings = self.settings | {
            "data_file_directories": f"[{data / 'tables'}]",
            **{f"{name}_directory": place for name, place in places.items()},
            "listen_address": "127.0.0.1", "rpc_address": "127.0.0.1", "storage_port": self.storage,
            "ssl_storage_port": self.tls_storage, "native_transport_port": self.client,
            "seed_provider": "[{class_name: org.apache.cassandra.locator.SimpleSeedProvider, "
                             f'parameters: [{{seeds: "127.0.0.1:{self.storage}"}}]}}]',
        }
        return "".join(f"{name}: {value}\n" for name, value in settings.items() if value is not None)

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "cassandra.yaml").write_text(self.configuration())
        (self.folder / "logback.xml").write_text(LOGGING)
        before = self.log.stat().st_size if self.log.exists() else 0
        words = ["java", "-Xms512M", "-Xmx512M", "-Xss512k", "-XX:+UseG1GC", "-Djdk.attach.allowAttachSelf=true",
                 "-Dio.netty.tryReflectionSetAccessible=true", "-Duser.timezone=UTC", "-Duser.language=en",
                 *(f"--add-exports={one}=ALL-UNNAMED" for one in EXPORTED),
                 *(f"--add-opens={one}=ALL-UNNAMED" for one in OPENED),
                 f"-javaagent:{next(pathlib.Path(JARS).glob('jamm-*.jar'))}",
                 f"-Dcassandra.config=file://{self.folder}/cassandra.yaml",
                 f"-Dlogback.configurationFile=file://{self.folder}/logback.xml",
                 f"-Dcassandra.storagedir={self.folder}/data", f"-Dcassandra.jmx.local.port={self.jmx}",
                 "-Dcassandra-foreground=yes", "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                 "-Dcassandra.ring_delay_ms=1000", "-Dcassandra.superuser_setup_delay_ms=0",
                 "-Dcassandra.role_password_update_min_interval_in_ms=0",
                 "-cp", f"{JARS}/*", "org.apache.cassandra.service.CassandraDaemon"]
        out = open(self.log, "ab")
        self.process = subprocess.Popen(words, stdout=out, stderr=out, cwd=self.folder)
        tailrace.started.append(self.process)

        wanted = [READY] + ([FIRST_USER] if "authenticator" in self.settings and not before else [])

        def ready():
            told = self.log.read_bytes()[before:].decode(errors="replace")
            assert self.process.poll() is None, told[-3000:]
            return all(one in told for one in wanted) and self.listens()

        tailrace.wait_until(ready, "Cassandra's listener", 300)
        return self

    def listens(self):
        """Which it does a moment after it says so."""
        try:
            socket.create_connection(("127.0.0.1", self.client), timeout=10).close()
        except OSError:
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=120)
