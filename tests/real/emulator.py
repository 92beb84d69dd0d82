"""AWS Lambda's own runtime emulator around a function: started on free ports, asked as Lambda's Invoke API is."""
import json
import os
import subprocess
import urllib.error
import urllib.request

import ports
import tailrace

PROGRAM = os.environ.get("TAILRACE_LAMBDA_EMULATOR", "")
SKIP = "AWS's emulator is fetched by ./dev real (TAILRACE_LAMBDA_EMULATOR)"


class Emulator:
    """Runs `folder`/bootstrap; it starts the function with the first invocation."""

    def __init__(self, folder, timeout=30, **environment):
        self.folder, self.process = folder, None
        self.log = folder.parent / f"{folder.name}.log"
        # Lambda's own environment is not this process's.
        self.environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
                            "LAMBDA_TASK_ROOT": str(folder), **environment}

    def start(self):
        self.port, api = ports.free(2)
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            [PROGRAM, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
             "--runtime-api-address", f"127.0.0.1:{api}", self.folder / "bootstrap"],
            env=self.environment, stdout=out, stderr=out, start_new_session=True)
        tailrace.started.append(self.process)
        tailrace.wait_until(self.listens, "the emulator")
        return self

    def listens(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return False
        return True

    def invoke(self, event, timeout=60):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations", body)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:  # a function that did not start: 502 and what it said
            return json.loads(e.read())

    def functions(self):
        """Process ids of what it has started."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(words[1]) == self.process.pid:
                found.append(int(entry))
        return found

    def memory_kb(self, what="VmHWM"):
        lines = open(f"/proc/{self.functions()[0]}/status").read().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what))

    def kill(self):
        """The emulator and what it has started, at once."""
        for one in [self.process.pid, *self.functions()]:
            try:
                os.kill(one, 9)
            except ProcessLookupError:
                pass
        self.process.wait()
