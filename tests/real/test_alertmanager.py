"""A real Alertmanager gets alerts, groups them, and passes them on; its web API shows them firing, then ended."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import ports  # noqa: E402
import tailrace  # noqa: E402
from receivers import Receiver  # noqa: E402
from tailrace import wait_until  # noqa: E402
from test_alerts import ERROR, Source, api_of, project_for  # noqa: E402

PROGRAM = os.environ.get("ALERTMANAGER") or shutil.which("prometheus-alertmanager")


@pytest.mark.skipif(not PROGRAM, reason="apt-get install prometheus-alertmanager")
def test_a_real_alertmanager_takes_alerts_and_their_ends(tmp_path):
    passed_on, source = Receiver(), Source()
    (tmp_path / "am.yml").write_text(json.dumps({
        "route": {"receiver": "r", "group_wait": "0s", "group_interval": "1s", "group_by": ["alertname"]},
        "receivers": [{"name": "r", "webhook_configs": [{"url": passed_on.url, "send_resolved": True}]}]}))
    [port] = ports.free(1)
    process = subprocess.Popen(
        [PROGRAM, f"--config.file={tmp_path}/am.yml", f"--storage.path={tmp_path}/am", "--cluster.listen-address=",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tailrace.started.append(process)
    url = f"http://127.0.0.1:{port}"

    def alerts():
        try:
            with urllib.request.urlopen(url + "/api/v2/alerts", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    wait_until(lambda: alerts() == [], "Alertmanager")
    project = project_for(tmp_path, {"channels": {"router": {"alertmanager": {"url": url}}}, "rules": [ERROR]},
                          api_of(source)).start()
    source.fail(True)
    alert = wait_until(alerts, "the alert")[0]
    assert alert["labels"] == {"alertname": "source down", "hop": "fetched.api", "severity": "critical",
                               "project": project.get("/api/status")["project"]}
    assert "answered 500" in alert["annotations"]["summary"] and alert["generatorURL"].startswith(project.url())
    assert alert["status"]["state"] == "active"
    wait_until(lambda: passed_on.requests, "what it passes on")
    # Our own webhooks have the same shape.
    theirs = passed_on.bodies()[0]
    source.fail(False)
    wait_until(lambda: alerts() == [], "the end")
    wait_until(lambda: passed_on.bodies()[-1]["status"] == "resolved", "the end, passed on")
    ours = Receiver()
    other = project_for(tmp_path / "other", {"channels": {"hook": {"webhook": {"url": ours.url}}}, "rules": [ERROR]},
                        api_of(source)).start()
    source.fail(True)
    wait_until(lambda: ours.requests, "our webhook")
    mine = ours.bodies()[0]
    assert set(theirs) <= set(mine) and set(theirs["alerts"][0]) == set(mine["alerts"][0])
    project.stop()
    other.stop()
    process.terminate()
    process.wait()
    for one in (passed_on, ours, source):
        one.stop()
