"""Runs `tailrace broker` on a data folder: started, stopped, killed, started again on the same port."""
import pathlib
import re
import signal
import subprocess

import ports
import tailrace


class Broker:
    def __init__(self, folder, *settings, words=()):
        self.data = pathlib.Path(folder) / "data"
        self.log = pathlib.Path(folder) / "broker.log"
        self.settings = [word for setting in settings for word in ("--set", setting)]
        self.words = words  # more of the command line
        self.process = None
        self.address = f"127.0.0.1:{ports.free(1)[0]}"

    def start(self):
        before = self.log.stat().st_size if self.log.exists() else 0
        out = open(self.log, "ab")
        self.process = subprocess.Popen([tailrace.PROGRAM, "broker", "--data", self.data, "--listen", self.address,
                                         *self.settings, *self.words], stdout=out, stderr=out)
        tailrace.started.append(self.process)

        def ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return re.search(r"kafka  (\S+);", self.log.read_bytes()[before:].decode())

        self.address = tailrace.wait_until(ready, "the broker's address", 30).group(1)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()[-2000:]
