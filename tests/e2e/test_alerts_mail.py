"""Alerts by e-mail to aiosmtpd: plain with nothing, and by STARTTLS with a login; HTML beside plain text."""
import email
import email.policy
import json
import ssl

import ports
import pytest
import tailrace
from certificates import Authority

controller = pytest.importorskip("aiosmtpd.controller")
smtp = pytest.importorskip("aiosmtpd.smtp")


class Inbox:
    def __init__(self):
        self.mails = []
        self.refusals = []

    async def handle_DATA(self, server, session, envelope):
        if self.refusals:
            return self.refusals.pop(0)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((session.ssl is not None, session.auth_data, envelope.rcpt_tos, message))
        return "250 kept"


def project_for(folder, settings):
    channel = {"mail": {"email": {"from": "Tailrace <tailrace@example.com>", "to": ["ops@example.com", "b@example.com"]}
                                 | settings}}
    project = tailrace.Project(folder, settings=json.dumps({"alerts": {"channels": channel}}))
    return project, ("--project", project.folder, "--data", project.data)


def test_a_mail_has_plain_text_and_html(tmp_path):
    inbox = Inbox()
    server = controller.Controller(inbox, hostname="127.0.0.1", port=ports.free(1)[0])
    server.start()
    project, at = project_for(tmp_path, {"smtp": f"smtp+plain://127.0.0.1:{server.port}"})
    done = project.command("alerts", "test", "mail", *at)
    assert done.returncode == 0, done.stdout + done.stderr
    _, _, to, mail = inbox.mails[0]
    assert to == ["ops@example.com", "b@example.com"]
    assert mail["Subject"] == "[random_users] Test: a test of the channels"
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content_type() == "text/plain" and "nothing is wrong" in plain.get_content()
    assert html.get_content_type() == "text/html" and "<h2" in html.get_content()
    assert mail["References"] and mail["Message-ID"] and mail["Auto-Submitted"] == "auto-generated"
    inbox.refusals = ["554 no"]
    done = project.command("alerts", "test", "mail", *at)
    assert done.returncode == 1 and "554 no" in done.stdout
    server.stop()


def test_a_password_goes_by_starttls_only(tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate, key, _ = authority.sign("mail", "/CN=127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def login(_server, _session, _envelope, _mechanism, data):
        # Not `handled`: the server has yet to refuse the others.
        return smtp.AuthResult(success=(data.login, data.password) == (b"me", b"sesame"), handled=False, auth_data=data)

    inbox = Inbox()
    server = controller.Controller(inbox, hostname="127.0.0.1", port=ports.free(1)[0], tls_context=context,
                                   require_starttls=True, authenticator=login, auth_required=True)
    server.start()
    settings = {"smtp": f"smtp://127.0.0.1:{server.port}", "user": "me", "ca_file": str(authority.certificate)}
    project, at = project_for(tmp_path, settings | {"password": "sesame"})
    done = project.command("alerts", "test", "mail", *at)
    assert done.returncode == 0, done.stdout + done.stderr
    secured, data, _, _ = inbox.mails[0]
    assert secured and data.password == b"sesame"
    wrong, at = project_for(tmp_path / "wrong", settings | {"password": "other-secret"})
    done = wrong.command("alerts", "test", "mail", *at)
    assert done.returncode == 1 and "535" in done.stdout and "other-secret" not in done.stdout + done.stderr
    assert len(inbox.mails) == 1
    server.stop()
