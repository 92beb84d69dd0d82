"""A look-alike of randomuser.me's API on loopback, which can be told to fail in every way an API does.

    api = Api()                        # or Api(tls=(certificate, key))
    api.fail("500", "slow_body")       # the next requests fail so, one each, then all is well again
    api.url                            # http://127.0.0.1:PORT/api/
    api.requests                       # (path and query, headers) of each request, in order

`/api/?results=N&seed=S&page=P` answers as randomuser.me does: {"results": […], "info": {…}}, the same records for the
same seed and page. `/feed` has the records that `publish()` added: by `page` and `size`, `cursor`, or `since`.
"""
import datetime
import email.utils
import gzip
import http.server
import json
import random
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import uuid
import zlib

FIRST = ["Ana", "Björn", "Chloé", "Dmitri", "Émile", "Fatma", "Łukasz", "María", "Şule", "Ömer"]
LAST = ["Nuñez", "Sørensen", "Müller", "O'Neill", "Özdemir", "Lefèvre", "Smith", "Van Dijk"]
PLACES = [("Germany", "DE", "Berlin", 10115), ("France", "FR", "Lyon", 69001), ("Norway", "NO", "Bergen", "5003"),
          ("United Kingdom", "GB", "Leeds", "LS1 4AP"), ("Iran", "IR", "تهران", 13345),
          ("Turkey", "TR", "İzmir", 35000)]


def user(rng):
    """One record in the API's real shape."""
    country, nat, city, postcode = rng.choice(PLACES)
    gender, age, since = rng.choice(["female", "male"]), rng.randint(18, 80), rng.randint(1, 20)
    first, last, number = rng.choice(FIRST), rng.choice(LAST), rng.randint(0, 99)
    day = lambda years: (datetime.datetime(2026, 1, 1) - datetime.timedelta(days=365.25 * years)).isoformat(
        timespec="milliseconds") + "Z"
    text = lambda digits: "%0*x" % (digits, rng.getrandbits(4 * digits))
    folder = "women" if gender == "female" else "men"
    return {
        "gender": gender,
        "name": {"title": "Ms" if gender == "female" else "Mr", "first": first, "last": last},
        "location": {
            "street": {"number": rng.randint(1, 9999), "name": "Main \"St\" \\ 5"}, "city": city, "state": "State",
            "country": country, "postcode": postcode,
            "coordinates": {"latitude": f"{rng.uniform(-90, 90):.4f}", "longitude": f"{rng.uniform(-180, 180):.4f}"},
            "timezone": {"offset": "+1:00", "description": "Brussels, Copenhagen, Madrid, Paris"}},
        "email": f"{first.lower()}.{last.lower()}@example.com",
        "login": {"uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "username": f"lazypeacock{number}",
                  "password": "tester", "salt": text(8), "md5": text(32), "sha1": text(40), "sha256": text(64)},
        "dob": {"date": day(age), "age": age}, "registered": {"date": day(since), "age": since},
        "phone": "0171-1234567", "cell": "0172-7654321", "id": {"name": "", "value": None},
        "picture": {"large": f"https://randomuser.me/api/portraits/{folder}/{number}.jpg",
                    "medium": f"https://randomuser.me/api/portraits/med/{folder}/{number}.jpg",
                    "thumbnail": f"https://randomuser.me/api/portraits/thumb/{folder}/{number}.jpg"},
        "nat": nat,
    }


def page_of(seed, page, results):
    rng = random.Random(f"{seed}/{page}")
    return {"results": [user(rng) for _ in range(results)],
            "info": {"seed": seed, "results": results, "page": page, "version": "1.4"}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        api = self.server.api
        with api.lock:
            api.requests.append((self.path, dict(self.headers)))
            api.times.append(time.monotonic())
            failure = api.failures.pop(0) if api.failures else api.always
        url = urllib.parse.urlsplit(self.path)
        self.asked = {name: values[-1] for name, values in
                      urllib.parse.parse_qs(url.query, keep_blank_values=True).items()}
        try:
            if failure:
                getattr(self, "fail_" + failure)()
            elif url.path.startswith("/feed"):
                self.feed(api)
            else:
                self.answer(self.page())
        except OSError:
            pass  # the client has gone
        finally:
            if failure:
                self.close_connection = True

    def feed(self, api):
        document = api.feed(self.asked)
        tag = '"%08x"' % zlib.crc32(json.dumps(document).encode()) if api.with_etag else None
        if tag and self.headers.get("If-None-Match") == tag:
            api.unchanged += 1
            self.send_response(304)
            self.end_headers()
        else:
            self.answer(document, headers=[("ETag", tag)] if tag else [])

    def page(self):
        asked, api = self.asked, self.server.api
        seed = asked.get("seed") or str(len(api.requests))
        return page_of(seed, int(asked.get("page") or 1), int(asked.get("results") or 1))

    def answer(self, document, status=200, headers=()):
        self.send(json.dumps(document, ensure_ascii=False).encode(), status, headers)

    def send(self, body, status=200, headers=(), kind="application/json; charset=utf-8", length=None):
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(length or len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.dumps(self.page(), ensure_ascii=False).encode()

    def fail_429(self):
        self.answer({"error": "slow down"}, 429, [("Retry-After", "1")])

    def fail_429_date(self):
        at = email.utils.formatdate(time.time() + 2, usegmt=True)
        self.answer({"error": "slow down"}, 429, [("Retry-After", at)])

    def fail_500(self):
        self.send(b"oops", 500, kind="text/plain")

    def fail_503(self):
        self.send(b"", 503)

    def fail_slow_body(self):
        """Trickles past any timeout, until the client leaves."""
        body = self.body()
        self.send(body[:1], length=len(body))
        for i in range(1, len(body)):
            if self.server.api.stopping.wait(0.05):
                return
            self.wfile.write(body[i:i + 1])

    def fail_hang(self):
        """Says nothing at all, until the client leaves."""
        self.connection.settimeout(30)
        self.connection.recv(1)

    def fail_bad_json(self):
        self.send(self.body()[:-20] + b"}}}")

    def fail_html(self):
        self.send(b"<html><body>Maintenance</body></html>", kind="text/html")

    def fail_other_shape(self):
        self.answer({"error": "Uh oh, something has gone wrong. Please tweet us @randomapi about the issue."})

    def fail_truncated(self):
        body = self.body()
        self.send(body[:-100], length=len(body))

    def fail_huge(self):
        self.send(b'{"results": [' + b" " * (2 << 20) + b"]}")

    def fail_bomb(self):
        body = gzip.compress(b'{"results": [' + b" " * (4 << 20) + b"]}")
        self.send(body, headers=[("Content-Encoding", "gzip")])

    def fail_bad_gzip(self):
        self.send(gzip.compress(self.body())[:-30], headers=[("Content-Encoding", "gzip")])

    def fail_reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def fail_reset_in_body(self):
        body = self.body()
        self.send(body[:-200], length=len(body))
        self.wfile.flush()
        self.fail_reset()

    def fail_redirects(self):
        self.send(b"", 302, [("Location", self.path)])

    # What is no failure: other forms of a good answer.
    def fail_redirect(self):
        self.send(b"", 302, [("Location", self.path)])

    def fail_gzip(self):
        self.send(gzip.compress(self.body()), headers=[("Content-Encoding", "gzip")])

    def fail_chunked(self):
        body = self.body()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(body), 777):
            part = body[at:at + 777]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def fail_empty(self):
        self.answer({"results": [], "info": {}})

    def fail_no_content(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Api:
    def __init__(self, tls=None):
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.requests, self.failures, self.always, self.published = [], [], None, []
        self.times, self.with_etag, self.unchanged = [], False, 0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.api = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.url = self.origin + "/api/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def fail(self, *kinds):
        with self.lock:
            self.failures.extend(kinds)

    def publish(self, *records):
        with self.lock:
            self.published.extend(records)

    def feed(self, asked):
        """A page of what was published."""
        with self.lock:
            records = list(self.published)
        if asked.get("since"):
            records = [r for r in records if r["registered"]["date"] >= asked["since"]]
        size = int(asked.get("size") or 10)
        first = int(asked.get("cursor") or 0) if "cursor" in asked else size * (int(asked.get("page") or 1) - 1)
        page = records[first:first + size] if "cursor" in asked or "page" in asked else records
        more = first + size < len(records)
        return {"results": page, "info": {"next": str(first + size) if more else None}}

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
