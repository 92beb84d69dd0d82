"""A local API of users: pages, or everything since a number; now and then it is busy, broken or slow."""
import http.server
import json
import random
import threading
import urllib.parse

from records import user

PER_PAGE = 100


class UsersApi:
    """Serves `total` users so far; add() makes more of them appear."""

    def __init__(self, seed):
        self.total = 0
        self.choose = random.Random(seed)
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                if api.choose.random() < 0.1:
                    return self.send_error(api.choose.choice([429, 500, 503]))
                body = json.dumps({"results": api.answer(asked)}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # who asked was killed

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/users"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, asked):
        total = self.total
        if "page" in asked:
            first = (int(asked["page"][0]) - 1) * PER_PAGE
        else:
            first = int((asked.get("since") or ["-1"])[0]) + 1
        return [user(n) | {"number": n} for n in range(first, min(total, first + PER_PAGE))]

    def add(self, pages):
        self.total += pages * PER_PAGE

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
