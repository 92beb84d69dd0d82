"""Runs `tailrace serve` on a data folder: started, stopped, killed, started again on the same port."""
import pathlib
import re
import signal
import subprocess

import ports
import tailrace


def there():
    """Whether the program has the command."""
    told = subprocess.run([tailrace.PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    return re.search(r"^ +serve\b", told, re.MULTILINE) is not None


class CqlServer:
    def __init__(self, folder, *words):
        self.data = pathlib.Path(folder) / "data"
        self.log = pathlib.Path(folder) / "serve.log"
        self.words = words  # more of the command line
        self.process = None
        self.address = f"127.0.0.1:{ports.free(1)[0]}"

    def start(self):
        before = self.log.stat().st_size if self.log.exists() else 0
        out = open(self.log, "ab")
        self.process = subprocess.Popen([tailrace.PROGRAM, "serve", "--data", self.data, "--listen", self.address,
                                         *self.words], stdout=out, stderr=out)
        tailrace.started.append(self.process)

        def ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return re.search(r"cql  (\S+);", self.log.read_bytes()[before:].decode())

        self.address = tailrace.wait_until(ready, "the CQL door's address", 30).group(1)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()[-2000:]
