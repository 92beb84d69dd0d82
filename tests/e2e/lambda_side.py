"""A function beside its tests: its package unpacked, and Lambda's runtime API as a server of the test's own."""
import http.server
import json
import os
import pathlib
import queue
import select
import socket
import subprocess
import threading
import time
import uuid
import zipfile

import tailrace


def package(folder, *words):
    """The zip that the program writes."""
    out = pathlib.Path(folder) / "function.zip"
    done = subprocess.run([tailrace.PROGRAM, "lambda", "package", *map(str, words), "-o", out], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return out


def unpack(zipped, folder):
    """As Lambda does it: files with the modes that the zip gives them."""
    with zipfile.ZipFile(zipped) as archive:
        for info in archive.infolist():
            path = pathlib.Path(archive.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)
    return pathlib.Path(folder)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def gone(self):
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def do_GET(self):
        api = self.server.api
        api.asked.put(time.monotonic())
        if self.path != "/2018-06-01/runtime/invocation/next":
            self.answer(404)
            return
        while not api.closed:
            try:
                invocation = api.waiting.get(timeout=0.05)
            except queue.Empty:
                continue
            if self.gone():  # the next process gets it
                api.waiting.put(invocation)
                break
            request, deadline_ms, body = invocation
            self.answer(200, body, [("Lambda-Runtime-Aws-Request-Id", request),
                                    ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
                                    ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
                                    ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-2:1:function:f")])
            return
        self.close_connection = True

    def do_POST(self):
        api = self.server.api
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type")
        words = self.path.removeprefix("/2018-06-01/runtime/").split("/")
        with api.changed:
            api.answers["init" if words[0] == "init" else words[1]] = (words[-1], body, kind)
            api.changed.notify_all()
        self.answer(202, b'{"status":"OK"}', [("Content-Type", "application/json")])


class RuntimeApi:
    """Gives invocations one after the other, and keeps what was answered."""

    def __init__(self):
        self.waiting, self.asked = queue.Queue(), queue.Queue()
        self.answers, self.changed, self.closed = {}, threading.Condition(), False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.api = self
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def begin(self, event, seconds=30):
        request = str(uuid.uuid4())
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.waiting.put((request, int((time.time() + seconds) * 1000), body))
        return request

    def answer(self, request, seconds=60):
        with self.changed:
            assert self.changed.wait_for(lambda: request in self.answers, seconds), "no answer"
            return self.answers[request]

    def invoke(self, event, seconds=30):
        """What the function answered; an error is an AssertionError."""
        kind, body, error = self.answer(self.begin(event, seconds))
        assert kind == "response", (body, error)
        return body

    def close(self):
        self.closed = True
        self.server.shutdown()
        self.server.server_close()


class Function:
    """The unpacked package, as a process."""

    def __init__(self, folder, api, root="/", words=None, **environment):
        self.api = api
        self.log = pathlib.Path(folder) / "function.log"
        # Nothing of this process's environment: Lambda gives none of it either.
        self.environment = {"AWS_LAMBDA_RUNTIME_API": api.address, "LAMBDA_TASK_ROOT": str(folder),
                            "LANG": "en_US.UTF-8", **environment}
        self.words = words or [f"{folder}/bootstrap"]
        self.root, self.process = root, None

    def start(self):
        out = open(self.log, "ab")
        enter = (lambda: (os.chroot(self.root), os.chdir("/"))) if self.root != "/" else None
        self.process = subprocess.Popen(self.words, env=self.environment, stdout=out, stderr=out, preexec_fn=enter)
        tailrace.started.append(self.process)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()


def s3(bucket="b", key="k", **more):
    return {"eventSource": "aws:s3", "awsRegion": "us-east-2", "eventTime": "2019-09-03T19:37:27.192Z",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": bucket},
                   "object": {"key": key, "size": 3, "eTag": "e", "sequencer": "0C", **more}}}


def sqs(identifier, body, queue_name="my-queue", **attributes):
    return {"messageId": identifier, "body": body, "attributes": attributes, "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-2:123456789012:{queue_name}"}


def kinesis(number, data, key="p"):
    return {"kinesis": {"partitionKey": key, "sequenceNumber": number, "data": data}, "eventSource": "aws:kinesis",
            "eventID": f"shardId-000000000006:{number}",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/my-stream"}


def sns(identifier, message):
    return {"EventSource": "aws:sns", "Sns": {"MessageId": identifier, "Message": message, "Type": "Notification",
                                              "TopicArn": "arn:aws:sns:us-east-2:123456789012:my-topic"}}


def event_bridge(identifier, detail):
    return {"version": "0", "id": identifier, "detail-type": "Order placed", "source": "my.shop",
            "time": "2020-04-28T07:20:20Z", "region": "us-east-2", "resources": [], "detail": detail}


def api_v2(body, **headers):
    return {"version": "2.0", "rawPath": "/events", "headers": headers, "body": body, "isBase64Encoded": False,
            "requestContext": {"requestId": "q", "http": {"method": "POST", "path": "/events"}}}


def records(*all_of_them):
    return {"Records": list(all_of_them)}


def consume(address, topics, count, seconds=30, distinct=False):
    """(topic, key, value, headers) of the first `count` records, or values, read by a foreign client."""
    import confluent_kafka

    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": str(uuid.uuid4()),
                                         "auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 200,
                                         "allow.auto.create.topics": False})
    consumer.subscribe(topics)
    found, end = [], time.monotonic() + seconds

    def number():
        return len({value for _, _, value, _ in found}) if distinct else len(found)

    while number() < count and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            found.append((message.topic(), message.key(), message.value(), dict(message.headers() or [])))
    consumer.close()
    assert number() >= count, found
    return found
