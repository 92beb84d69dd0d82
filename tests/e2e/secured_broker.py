"""Runs `tailrace broker` with several listeners by a server.properties file, each at a free port."""
import re
import subprocess

import tailrace
from broker import Broker


class SecuredBroker(Broker):
    """`ports` maps a listener's name to HOST:PORT."""

    def __init__(self, folder, properties, words=()):
        super().__init__(folder, words=words)
        self.config = self.log.parent / "server.properties"
        self.config.write_text(properties)
        self.ports = {}

    def start(self):
        before = self.log.stat().st_size if self.log.exists() else 0
        out = open(self.log, "ab")
        self.process = subprocess.Popen([tailrace.PROGRAM, "broker", "--data", self.data, "--config",
                                         self.config, *self.words], stdout=out, stderr=out)
        tailrace.started.append(self.process)

        def ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return re.search(r"kafka  (.*); Ctrl-C", self.log.read_bytes()[before:].decode())

        told = tailrace.wait_until(ready, "the broker's addresses", 30).group(1)
        self.ports = dict(one.split("://") for one in told.split(", ")) if "://" in told else {"": told}
        return self
