"""The Lambda function: start to its first `next`, memory, invocations in AWS's emulator: `./dev bench lambda`."""
import base64
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
for room in ("e2e", "real"):
    sys.path.insert(0, str(ROOT / "tests" / room))
import emulator  # noqa: E402
import lambda_side  # noqa: E402
import tailrace  # noqa: E402
from broker import Broker  # noqa: E402

STARTS, CALLS = 40, 2000


def percentiles(seconds):
    ordered = sorted(seconds)
    return "p50 {:.2f}, p99 {:.2f}, most {:.2f} ms".format(
        *(1000 * ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99, 1)))


def cold_starts(folder, words, address):
    """Process start until the runtime API is asked for the first invocation; memory after six kinds of events."""
    taken, memory = [], []
    for _ in range(STARTS):
        api = lambda_side.RuntimeApi()
        function = lambda_side.Function(folder, api, words=words, TAILRACE_KAFKA=address, TAILRACE_TOPIC="events")
        begun = time.monotonic()
        function.start()
        taken.append(api.asked.get(timeout=30) - begun)
        if len(taken) == STARTS:
            for event in events():
                api.invoke(event)
            memory = [line.split()[1] for line in open(f"/proc/{function.process.pid}/status")
                      if line.startswith(("VmHWM", "VmRSS"))]
        function.kill()
        api.close()
    return taken, [int(kb) / 1024 for kb in memory]


def events():
    data = base64.b64encode(b"x" * 200).decode()
    records = lambda_side.records
    return [records(lambda_side.s3()), records(*(lambda_side.sqs(str(n), "x" * 200) for n in range(10))),
            records(*(lambda_side.kinesis(str(n), data) for n in range(100))), records(lambda_side.sns("1", "x" * 200)),
            lambda_side.event_bridge("1", {"a": "x" * 200}), lambda_side.api_v2("x" * 200)]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tailrace-lambda-"))
    zipped = lambda_side.package(folder)
    task = lambda_side.unpack(zipped, folder / "task")
    sizes = [path.stat().st_size / 2**20 for path in (zipped, task / "bootstrap")]
    print("package {:.1f} MB, unpacked {:.1f} MB".format(*sizes))
    broker = Broker(folder).start()
    empty = []
    for _ in range(STARTS):
        begun = time.monotonic()
        subprocess.run(["/bin/true"], check=True)
        empty.append(time.monotonic() - begun)
    print(f"an empty program, for comparison    {percentiles(empty)}")
    for name, words in (("the packaged function", [str(task / "bootstrap")]),
                        ("the whole program as a function", [str(tailrace.PROGRAM), "lambda", "run"])):
        taken, memory = cold_starts(task, words, broker.address)
        print(f"{name}: start → first `next`    {percentiles(taken)}; memory at most {memory[0]:.1f} MB, now "
              f"{memory[1]:.1f} MB")
    if not emulator.PROGRAM:
        print(emulator.SKIP)
    else:
        emulated = emulator.Emulator(task, TAILRACE_KAFKA=broker.address, TAILRACE_TOPIC="events").start()
        begun = time.monotonic()
        emulated.invoke({"first": True})
        print(f"in AWS's emulator: first invocation, with start    {1000 * (time.monotonic() - begun):.1f} ms")
        names = ("S3", "SQS, 10 messages", "Kinesis, 100 records", "SNS", "EventBridge", "HTTP")
        for name, event in zip(names, events()):
            taken = []
            for _ in range(CALLS // 6):
                begun = time.monotonic()
                emulated.invoke(event)
                taken.append(time.monotonic() - begun)
            print(f"  {name:22} {percentiles(taken)}, {statistics.mean(taken) * 1000:.2f} on average")
        print(f"  memory at most {emulated.memory_kb() / 1024:.1f} MB")
        emulated.kill()
    broker.stop()


if __name__ == "__main__":
    os.environ.setdefault("LANG", "C.UTF-8")
    main()
