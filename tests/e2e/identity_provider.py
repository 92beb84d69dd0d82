"""A small OpenID Connect provider for tests: keys by JSON Web Key Set, tokens by the client credentials grant."""
import base64
import http.server
import json
import threading
import time
import urllib.parse

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

SECRET = "opensesame-77"


def make_key(name, algorithm):
    parameters = {"kid": name, "alg": algorithm, "use": "sig"}
    if algorithm.startswith("ES"):
        return ECKey.generate_key("P-256", parameters=parameters)
    return RSAKey.generate_key(2048, parameters=parameters)


class IdentityProvider:
    """`keys` are published; `requests` is what came, as (path, form)."""

    def __init__(self):
        self.keys = {name: make_key(name, name) for name in ("RS256", "ES256")}
        self.lifetime = 3600
        self.audience = "kafka"  # of tokens that are granted
        self.requests = []
        self.key_fetches = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                provider.key_fetches += 1
                self.answer(200, {"keys": [key.as_dict(private=False) for key in provider.keys.values()]})

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                provider.requests.append((self.path, form))
                given = self.headers.get("Authorization", "").removeprefix("Basic ")
                name, _, secret = base64.b64decode(given).decode().partition(":")
                if secret != SECRET or form.get("grant_type") != "client_credentials":
                    return self.answer(401, {"error": "invalid_client"})
                self.answer(200, {"access_token": provider.token(name, scope=form.get("scope"), aud=provider.audience),
                                  "token_type": "Bearer", "expires_in": provider.lifetime})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, subject, key="RS256", signer=None, **claims):
        """Signed by a published key, or by `signer` in its name; a claim that is None is left out."""
        now = int(time.time())
        all_claims = {"sub": subject, "iat": now, "exp": now + self.lifetime, "iss": "https://id.example",
                      "aud": "kafka", **claims}
        signer = signer or self.keys[key]
        return jwt.encode({"alg": signer.dict_value["alg"], "kid": key},
                          {name: value for name, value in all_claims.items() if value is not None}, signer)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
