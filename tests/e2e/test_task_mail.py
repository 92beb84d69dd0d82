"""The mail of a task's `email` about tries that failed, as Airflow 3 sends it (task_runner.py)."""
import email
import email.policy
import json
import subprocess

import ports
import pytest
import tailrace

controller = pytest.importorskip("aiosmtpd.controller")
BASH = "airflow.providers.standard.operators.bash.BashOperator"


class Inbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos,
                           email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 kept"


@pytest.fixture
def inbox(monkeypatch):
    kept = Inbox()
    server = controller.Controller(kept, hostname="127.0.0.1", port=ports.free(1)[0])
    server.start()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({
        "conn_type": "smtp", "host": "127.0.0.1", "port": server.port,
        "extra": {"disable_ssl": True, "disable_tls": True}}))
    yield kept
    server.stop()


def tried(tmp_path, dag):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "one.yml").write_text(dag)
    return subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", tmp_path], capture_output=True,
                          text=True, timeout=120, check=False)


def test_a_task_that_fails_is_told_by_mail(tmp_path, inbox):
    told = tried(tmp_path, f"""
one:
  start_date: 2026-01-01
  default_args: {{email: [ops@example.com, b@example.com]}}
  tasks:
    bad: {{operator: {BASH}, bash_command: "exit 7", retries: 1, retry_delay: 0, email_on_retry: false}}
    mute: {{operator: {BASH}, bash_command: "exit 7", email_on_failure: false}}
    good: {{operator: {BASH}, bash_command: "true"}}
""")
    assert told.returncode == 1
    (sender, recipients, mail), = inbox.mails
    assert (sender, recipients) == ("airflow@airflow", ["ops@example.com", "b@example.com"])
    assert mail["Subject"].startswith("Airflow alert: ") and "one.bad" in mail["Subject"]
    text = mail.get_body(("html",)).get_content()
    assert text.startswith("Try 2 out of 2<br>Exception:<br>") and "exit code 7" in text
    assert 'Log: <a href="http://localhost:8080/dags/one/runs/' in text
    assert "Host: localhost<br>" in text and "/tasks/bad?try_number=2" in text


def test_a_retry_is_told_unless_the_task_says_no(tmp_path, inbox):
    tried(tmp_path, f"""
one:
  start_date: 2026-01-01
  tasks:
    bad:
      operator: {BASH}
      bash_command: "exit 7"
      retries: 1
      retry_delay: 0
      email: a@example.com, b@example.com
""")
    tries = [mail.get_body(("html",)).get_content()[:14] for _, _, mail in inbox.mails]
    assert tries == ["Try 1 out of 2", "Try 2 out of 2"]
    assert inbox.mails[0][1] == ["a@example.com", "b@example.com"]


def test_a_mail_that_cannot_be_sent_is_a_line_of_the_log(tmp_path):
    told = tried(tmp_path, f"""
one:
  start_date: 2026-01-01
  tasks:
    bad: {{operator: {BASH}, bash_command: "exit 7", email: a@example.com}}
""")
    assert told.returncode == 1 and "email_on_failure failed: SMTP connection is not found" in told.stdout
