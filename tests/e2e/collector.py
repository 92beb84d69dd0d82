"""A collector of traces: takes OTLP/HTTP as OpenTelemetry's Protobuf messages decode it, and can refuse."""
import gzip
import http.server
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


class Collector:
    """Listens from the constructor on; `spans` has what was sent, `requests` path and headers of each request."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests, self.sent = [], []  # of `sent`: (resource attributes, span)
        self.statuses = []  # to answer with before 200s
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(self, body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server.server_port

    def take(self, handler, body):
        with self.lock:
            self.requests.append((handler.path, dict(handler.headers)))
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.read(handler.headers, body)
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def read(self, headers, body):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        message = trace_service_pb2.ExportTraceServiceRequest()
        if headers["Content-Type"] == "application/json":
            # OTLP's JSON has ids in hex where Protobuf's has base64: as such they are read, and turned back below.
            json_format.Parse(body, message)
            turn = True
        else:
            message.ParseFromString(body)
            turn = False
        for of_resource in message.resource_spans:
            resource = attributes(of_resource.resource)
            for scoped in of_resource.scope_spans:
                for span in scoped.spans:
                    self.sent.append((resource, Span(span, turn)))

    def spans(self, name=None):
        with self.lock:
            return [span for _, span in self.sent if name is None or span.name == name]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def value_of(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes(message):
    return {one.key: value_of(one.value) for one in message.attributes}


class Span:
    """One span with its ids in hex."""

    def __init__(self, message, turn):
        import base64

        def identity(raw):
            return base64.b64encode(raw).decode() if turn else raw.hex()

        self.message = message
        self.name, self.kind = message.name, message.kind
        self.trace, self.id = identity(message.trace_id), identity(message.span_id)
        self.parent = identity(message.parent_span_id)
        self.links = [(identity(link.trace_id), identity(link.span_id)) for link in message.links]
        self.attributes = attributes(message)
        self.begun, self.ended = message.start_time_unix_nano, message.end_time_unix_nano
        assert len(self.trace) == 32 and len(self.id) == 16 and self.begun <= self.ended
