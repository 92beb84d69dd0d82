"""What operators talk to in tests: an HTTP server and an SMTP server that note what they are told, a spark-submit that
notes its arguments, connections to them. Standard library only; each server on a free port of this machine.
"""
import base64
import contextlib
import email
import http.server
import json
import os
import pathlib
import re
import socketserver
import stat
import threading
import venv
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# What differs between clients without meaning anything to the server.
OF_THE_CLIENT = {"host", "user-agent", "accept-encoding", "accept", "connection", "content-length"}


class Web(http.server.BaseHTTPRequestHandler):
    """Answers by its path, and notes each request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        with self.server.lock:
            count = self.server.counts[path] = self.server.counts.get(path, 0) + 1
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.noted.append({
                "method": self.command, "target": self.path, "body": body.decode(errors="backslashreplace"),
                "headers": {name: value for name, value in headers.items() if name not in OF_THE_CLIENT}})
        status, kind, text = 200, "application/json", json.dumps({"method": self.command, "target": self.path})
        more = {}
        if path == "/slow":  # until the client hangs up
            self.rfile.read(1)
            self.close_connection = True
            return
        if path.startswith("/status/"):
            status, kind, text = int(path.rsplit("/", 1)[1]), "text/plain; charset=utf-8", f"this is {path}"
        elif path == "/latin":
            kind, text = "text/plain", "café"
        elif path == "/moved":
            status, text, more = 302, "", {"Location": "/echo?moved=1"}
        elif path.startswith("/ready/") and count < 3:
            status, text = 404, "not yet"
        elif path.startswith("/count/"):
            text = json.dumps({"count": count})
        elif path.startswith("/services/"):
            kind, text = "text/html", "ok"
            if "refused" in path:
                status, text = 403, "invalid_token"
        elif path.startswith("/slack/"):  # the Web API: a token, and its answers
            well = headers.get("authorization") == "Bearer xoxb-hush"
            text = json.dumps({"ok": True, "channel": "C1", "ts": "1503435956.000247"} if well else
                              {"ok": False, "error": "invalid_auth"})
        data = text.encode("latin-1" if path == "/latin" else "utf-8")
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(data))} | more).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer


class Smtp(socketserver.StreamRequestHandler):
    """Takes mail of whoever logs in as the connections say, and notes it."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 here")
        user, sender, to = None, None, []
        while line := self.rfile.readline(10_000):
            word, _, rest = line.decode().strip().partition(" ")
            word = word.upper()
            if word in ("EHLO", "HELO"):
                self.say("250-here")
                self.say("250-AUTH PLAIN LOGIN")
                self.say("250 8BITMIME")
            elif word == "AUTH":
                user = self.log_in(rest)
                self.say("235 come in" if user == "me:hush-hush" else "535 5.7.8 who are you?")
            elif word == "MAIL":
                sender, to = re.search("<(.*?)>", rest).group(1), []
                self.say("250 ok")
            elif word == "RCPT":
                to.append(re.search("<(.*?)>", rest).group(1))
                if to[-1].startswith("refused"):
                    self.say("550 5.1.1 nobody of that name")
                else:
                    self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                self.note(user, sender, to)
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def log_in(self, rest):
        kind, _, first = rest.partition(" ")
        if kind.upper() == "PLAIN":
            if not first:
                self.say("334 ")
                first = self.rfile.readline().decode().strip()
            return ":".join(base64.b64decode(first).decode().split("\0")[1:])
        parts = [first] if first else []
        while len(parts) < 2:
            self.say("334 " + base64.b64encode(b"Password:" if parts else b"Username:").decode())
            parts.append(self.rfile.readline().decode().strip())
        return ":".join(base64.b64decode(part).decode() for part in parts)

    def note(self, user, sender, to):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert line.endswith(b"\r\n") and len(line) <= 1000, line
            lines.append(line[1:] if line.startswith(b".") else line)
        text = b"".join(lines)
        assert text.isascii(), "8 bits were not offered for headers"
        found = email.message_from_bytes(text)
        parts = [{"type": part.get_content_type(), "charset": part.get_content_charset(), "file": part.get_filename(),
                  "disposition": part.get_content_disposition(), "id": part["Content-ID"],
                  "content": part.get_payload(decode=True).decode()}
                 for part in found.walk() if not part.is_multipart()]
        words = {name.lower(): str(email.header.make_header(email.header.decode_header(re.sub(r"\r?\n", "", value))))
                 for name, value in found.items() if name.lower() not in ("date", "content-type", "mime-version")}
        assert email.utils.parsedate_to_datetime(found["Date"])
        with self.server.lock:
            self.server.noted.append({"user": user, "from": sender, "to": to, "type": found.get_content_type(),
                                      "headers": words, "parts": parts})


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.lock, self.noted, self.counts = threading.Lock(), [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


SPARK_SUBMIT = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["SPARK_CONF_DIR"] + "/noted", "a") as out:
    out.write(json.dumps({"arguments": sys.argv[1:], "variable": os.environ.get("A_VARIABLE")}) + "\\n")
print("one line of spark-submit with key_password=hush in it")
sys.exit(3 if "fail.py" in sys.argv else 0)
"""


class Stage:
    """Servers and connections; `noted()` is what was said, in an order that does not depend on the tasks'."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.web, self.smtp = Server(Web), Server(Smtp)
        (self.folder / "bin").mkdir(parents=True)
        program = self.folder / "bin" / "spark-submit"
        program.write_text(SPARK_SUBMIT)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        for name, text in (("subject", "about {{ ti.task_id }}\n"), ("content", "<i>\n{{ ds }}\n</i>\n")):
            (self.folder / f"{name}.html").write_text(text)
        venv.create(self.folder / "other", symlinks=True)
        with zipfile.ZipFile(self.folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
            about = "tiny-1.0.dist-info"
            wheel.writestr("tiny.py", 'NAME = "tiny"\n')
            wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")

    def close(self):
        for server in (self.web, self.smtp):
            server.shutdown()
            server.server_close()

    def environment(self):
        here, hooks = f"127.0.0.1:{self.web.port}", f"http://127.0.0.1:{self.web.port}/services"
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.smtp.port, "login": "me",
                "password": "hush-hush"}
        plain = {"disable_ssl": True, "disable_tls": True, "retry_limit": 0}
        templates = {"subject_template": f"{self.folder}/subject.html",
                     "html_content_template": f"{self.folder}/content.html"}
        connections = {
            "web": {"conn_type": "http", "host": "127.0.0.1", "port": self.web.port, "login": "me", "password": "hush",
                    "extra": {"X-Of-Connection": "yes", "timeout": 30}},
            "web_whole": {"conn_type": "http", "host": f"http://{here}/"},
            "slack": {"conn_type": "slackwebhook", "host": hooks, "password": "T1/B2/hush"},
            "slack_url": {"conn_type": "slackwebhook", "password": f"{hooks}/T1/B2/whole"},
            "slack_refused": {"conn_type": "slackwebhook", "host": hooks, "password": "refused"},
            "slack_api": {"conn_type": "slack", "password": "xoxb-hush",
                          "extra": {"base_url": f"http://{here}/slack", "timeout": 30}},
            "slack_api_other": {"conn_type": "slack", "password": "xoxb-wrong",
                                "extra": {"base_url": f"http://{here}/slack/"}},
            "slack_empty": {"conn_type": "slackwebhook", "host": hooks},
            "mail": mail | {"extra": plain | {"from_email": "conn@example.org"}},
            "mail_templates": mail | {"extra": plain | templates | {"from_email": "The Robot <robot@example.org>"}},
            "mail_bare": mail | {"extra": plain},
            "db": {"conn_type": "sqlite", "host": f"{self.folder}/a.db"},
            "spark_url": {"conn_type": "spark", "host": "spark://somewhere", "port": 7077},
            "spark_more": {"conn_type": "spark", "host": "yarn",
                           "extra": {"queue": "slow", "deploy-mode": "client", "principal": "p"}},
        }
        variables = {"other_python": "other/bin/python", "wheel": "tiny-1.0-py3-none-any.whl", "venvs": "venvs"}
        paths = {f"AIRFLOW_VAR_{name.upper()}": f"{self.folder}/{path}" for name, path in variables.items()}
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(given) for name, given in connections.items()} | paths | {
            "DAGS_DIR": str(HERE), "SPARK_CONF_DIR": str(self.folder),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    @staticmethod
    def kafka(address):
        """The default connection to a Kafka, as it is embedded."""
        extra = {"bootstrap.servers": address, "group.id": "workflows", "auto.offset.reset": "earliest",
                 "enable.auto.commit": False}
        return {"AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"conn_type": "kafka", "extra": extra})}

    def noted(self):
        told = {"web": self.web.noted, "mail": self.smtp.noted, "spark": []}
        if (self.folder / "noted").exists():
            told["spark"] = [json.loads(line) for line in (self.folder / "noted").read_text().splitlines()]
        # How often a sensor looks in vain is a matter of time.
        vain = [one for one in told["web"] if one["target"] == "/status/404"]
        told["web"] = [one for one in told["web"] if one not in vain] + vain[:1]
        return {name: sorted(one, key=json.dumps) for name, one in told.items() if one}

    def scrubbed(self, told):
        """Without what is another in each run: ports and the folder."""
        text = json.dumps(told)
        for port in (self.web.port, self.smtp.port):
            text = text.replace(f":{port}", ":PORT")
        text = re.sub(r"Command '\[.*?\]' ", "Command ", text)
        text = re.sub(r"run duration of [0-9.]+ seconds", "run duration of SOME seconds", text)
        return json.loads(text.replace(str(self.folder), "FOLDER"))


@contextlib.contextmanager
def stage(folder):
    made = Stage(folder)
    try:
        yield made
    finally:
        made.close()
