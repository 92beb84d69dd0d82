"""A real PostgreSQL of its own: a fresh cluster in a temporary folder, on a free loopback port, ready for logical
replication, with durable commits; stopped by its process's id. As root it runs as the user postgres."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile


ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import ports  # noqa: E402
import tailrace  # noqa: E402

USER = "tailrace"
PASSWORD = "p@ss:word/1"
SETTINGS = {
    "wal_level": "logical", "max_wal_senders": 20, "max_replication_slots": 20, "wal_sender_timeout": "60s",
    "unix_socket_directories": "", "listen_addresses": "127.0.0.1", "fsync": "on", "timezone": "UTC",
    "max_connections": 60,
}


def programs():
    """The folder of PostgreSQL's programs."""
    if given := os.environ.get("TAILRACE_POSTGRES_BIN"):
        return pathlib.Path(given)
    line = subprocess.run([ROOT / "tests/real/postgres_env.sh"], check=True, capture_output=True, text=True).stdout
    return pathlib.Path(line.split("=", 1)[1].strip().strip("'"))


def unprivileged():
    """What subprocess needs to run it: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class RealPostgres:
    """`url` has user and password, `bare_url` has no password. The port stays over restarts."""

    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tailrace-postgres-"))
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.as_whom = unprivileged()
        self.process = None
        [self.port] = ports.free(1)
        if self.as_whom:
            os.chown(self.folder, self.as_whom["user"], self.as_whom["group"])
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self.call("initdb", "-N", "-D", self.data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}",
                  "-E", "UTF8", "--locale=C")
        given = SETTINGS | settings | {"port": self.port}
        with open(self.data / "postgresql.conf", "a") as out:
            out.writelines(f"{name} = '{value}'\n" for name, value in given.items())
        with open(self.data / "pg_hba.conf", "a") as out:
            out.write("host replication all 127.0.0.1/32 scram-sha-256\n")

    @property
    def url(self):
        return self.url_at(self.port)

    def url_at(self, port, database="postgres"):
        return f"postgresql://{USER}:{PASSWORD.replace('@', '%40').replace('/', '%2F')}@127.0.0.1:{port}/{database}"

    @property
    def bare_url(self):
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def call(self, program, *words, **more):
        done = subprocess.run([programs() / program, *map(str, words)], capture_output=True, text=True, cwd="/",
                              **self.as_whom, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        words = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(words).returncode == 0

    def start(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([programs() / "postgres", "-D", self.data], stdout=out, stderr=out,
                                            cwd="/", **self.as_whom)
        tailrace.started.append(self.process)
        tailrace.wait_until(self.ready, "PostgreSQL", 120)
        return self

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast. SIGQUIT: immediate, as after a crash. SIGTERM waits for its clients."""
        self.process.send_signal(how)
        self.process.wait(timeout=120)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
