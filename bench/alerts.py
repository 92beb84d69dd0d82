"""From a cause to Slack's message, and what looking costs: `./dev bench alerts`.

A project polls an API that begins to fail and mends, COUNT times; a webhook on loopback notes when each message
comes. A cause is known to the program with its next poll (100 ms) and looked at each 250 ms. Then the processor time
of a while in which nothing happens, with fifty rules and with none.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from receivers import SlackWebhook  # noqa: E402
from tailrace import wait_until  # noqa: E402
from test_alerts import ERROR, Source, api_of, project_for, webhook_of  # noqa: E402


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def latencies(folder, count):
    source, slack = Source(), SlackWebhook()
    project = project_for(folder, {"channels": webhook_of(slack), "rules": [ERROR]}, api_of(source)).start()
    wait_until(lambda: project.hops()["served.by_name"]["count"], "rows")
    seconds = []
    for number in range(2 * count):
        time.sleep(1.1)  # Slack takes a message a second
        source.fail(number % 2 == 0)
        wait_until(lambda n=number: len(slack.requests) > n, "a message")
        seconds.append(slack.requests[number][0] - source.changed)
    project.stop()
    for one in (source, slack):
        one.stop()
    return sorted(seconds)


def idle(folder, rules, seconds):
    (folder / "in").mkdir(parents=True)
    ingest = {"name": "files", "use": "files", "files": {"path": str(folder / "in"), "every": "10s"}}
    project = project_for(folder, {"rules": rules}, ingest).start()
    time.sleep(3)
    before = cpu_seconds(project.process)
    time.sleep(seconds)
    used = cpu_seconds(project.process) - before
    project.stop()
    return used / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        found = latencies(folder / "latency", options.count)
        middle = found[len(found) // 2]
        print(f"cause to message: p50 {middle:.2f} s, worst of {len(found)} {found[-1]:.2f} s (bar: 2 s)")
        rules = [{"name": f"r{i}", "hop": "*", "lag": f"{i + 60}s"} for i in range(50)]
        without = idle(folder / "without", [], options.seconds)
        with_rules = idle(folder / "with", rules, options.seconds)
        print(f"idle: {100 * without:.2f} % of a core without rules, {100 * with_rules:.2f} % with fifty")
    print(json.dumps({"p50_s": middle, "worst_s": found[-1], "idle_rules": with_rules}))


if __name__ == "__main__":
    main()
