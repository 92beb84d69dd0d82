"""The control centre's HTTP API, as an Airflow hook."""
from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException

PORT = 9021
MOST_ROWS = 100_000


class TailraceHook(BaseHook):
    """
    Asks a running ``tailrace run``.

    :param tailrace_conn_id: a connection of type ``tailrace``
    """

    conn_name_attr = "tailrace_conn_id"
    default_conn_name = "tailrace_default"
    conn_type = "tailrace"
    hook_name = "Tailrace"

    def __init__(self, tailrace_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tailrace_conn_id = tailrace_conn_id
        self._url: str | None = None
        self._headers: dict[str, str] = {}
        self._timeout = 60.0
        self._tls: ssl.SSLContext | None = None

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """What the page of connections shows."""
        return {"hidden_fields": [], "relabeling": {"schema": "http or https"},
                "placeholders": {"host": "127.0.0.1", "port": str(PORT)}}

    def get_conn(self) -> str:
        """The address of the control centre, without an end slash."""
        if self._url is not None:
            return self._url
        given = self.get_connection(self.tailrace_conn_id)
        extra = given.extra_dejson
        scheme = given.schema or "http"
        if scheme not in ("http", "https"):
            raise AirflowException(f"{self.tailrace_conn_id}: schema is http or https, not {scheme}")
        host = given.host or "127.0.0.1"
        host = f"[{host}]" if ":" in host else host
        self._url = f"{scheme}://{host}:{given.port or PORT}"
        self._timeout = float(extra.get("timeout", self._timeout))
        if given.login:
            word = base64.b64encode(f"{given.login}:{given.password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {word}"
        if scheme == "https":
            self._tls = ssl.create_default_context(cafile=extra.get("ca_file"))
        return self._url

    def test_connection(self) -> tuple[bool, str]:
        """Whether it answers, for the page of connections."""
        try:
            status = self.ask("GET", "/api/status")
        except Exception as problem:
            return False, str(problem)
        return True, f"Tailrace {status['version']}: {status['project']}, {status['state']}"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; a refusal is an AirflowException with what the control centre says."""
        url = self.get_conn() + path
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._headers}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout, context=self._tls) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise AirflowException(_sentence(refused)) from None
        except urllib.error.URLError as problem:
            raise AirflowException(f"{url}: {problem.reason}") from None

    def query(self, sql: str) -> list[dict[str, Any]]:
        """
        The rows of a query over the tables, as dicts. Decimals, dates and times are text.

        :param sql: one SELECT; what it gives is for a task to look at, 100,000 rows at most
        """
        page = self.ask("POST", "/api/sql", {"query": sql, "limit": MOST_ROWS})
        names = [column["name"] for column in page["columns"]]
        rows = list(page["rows"])
        while page.get("next"):
            page = self.ask("POST", "/api/sql", {"next": page["next"]})
            rows += page["rows"]
        if page.get("truncated"):
            raise AirflowException("over 100,000 rows: a task's query is for few")
        return [dict(zip(names, row)) for row in rows]

    def start_ingest(self, source: str, seconds: float | None = None) -> str:
        """Lets a source emit, for so long or until nothing more is there; the operation's id."""
        body = {} if seconds is None else {"seconds": seconds}
        return self.ask("POST", f"/api/ingest/{urllib.parse.quote(source, safe='')}/run", body)["id"]

    def start_refresh(self) -> str:
        """Asks for everything that is in the topics now to be in the tables; the operation's id."""
        return self.ask("POST", "/api/refresh", {})["id"]

    def stop(self, operation: str) -> None:
        """Asks an operation to end."""
        self.ask("POST", f"/api/operations/{operation}/stop", {})

    def wait(self, operation: str, look: Callable[[float], None] = time.sleep) -> dict[str, Any]:
        """An operation when it is over; one that failed is an AirflowException."""
        pause = 0.05
        while True:
            now = self.ask("GET", f"/api/operations/{operation}")
            if now["state"] != "running":
                break
            look(pause)
            pause = min(2 * pause, 2.0)
        if now["state"] != "succeeded":
            raise AirflowException(now["why"] or now["state"])
        return now


def _sentence(refused: urllib.error.HTTPError) -> str:
    text = refused.read(65536).decode(errors="replace")
    try:
        return json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {refused.code}: {text[:500]}"
