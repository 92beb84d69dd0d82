"""ExpectOperator: what a query must give."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from tailrace_provider.hooks.tailrace import TailraceHook


class ExpectOperator(BaseOperator):
    """
    Fails when what a query gives is not what must be; gives its first row, a dict.

    Without ``empty``, ``equals``, ``at_least`` and ``at_most`` every value of the first row must be true.

    :param sql: a query over the tables
    :param empty: it must give no row
    :param equals: the first value of the first row must be this, or its text must be
    :param at_least: the first value of the first row, a number, must not be under this
    :param at_most: nor over this
    :param tailrace_conn_id: which Tailrace
    """

    template_fields: Sequence[str] = ("sql", "equals", "at_least", "at_most", "tailrace_conn_id")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql"}
    ui_color = "#e8f3d7"

    def __init__(self, *, sql: str, empty: bool = False, equals: Any = None, at_least: float | str | None = None,
                 at_most: float | str | None = None, tailrace_conn_id: str = TailraceHook.default_conn_name,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.empty = empty
        self.equals = equals
        self.at_least = at_least
        self.at_most = at_most
        self.tailrace_conn_id = tailrace_conn_id

    def execute(self, context: Any) -> dict[str, Any] | None:
        rows = TailraceHook(tailrace_conn_id=self.tailrace_conn_id).query(self.sql)
        why = self.wrong(rows)
        if why:
            raise AirflowException(why)
        return rows[0] if rows else None

    def wrong(self, rows: list[dict[str, Any]]) -> str:
        """Why it is not what must be; empty when it is."""
        if self.empty:
            return f"{len(rows)} rows where none should be; the first is {rows[0]!r}" if rows else ""
        if not rows:
            return "the query gave no row"
        if self.equals is None and self.at_least is None and self.at_most is None:
            for name, value in rows[0].items():
                if not value:
                    return f"{name} is {value!r}, not true"
            return ""
        name, value = next(iter(rows[0].items()))
        if self.equals is not None and value != self.equals and str(value) != str(self.equals):
            return f"{name} is {value!r}, not {self.equals!r}"
        if self.at_least is not None and not number(value) >= number(self.at_least):
            return f"{name} is {value!r}, under {self.at_least!r}"
        if self.at_most is not None and not number(value) <= number(self.at_most):
            return f"{name} is {value!r}, over {self.at_most!r}"
        return ""


def number(value: Any) -> float:
    """A number, or a text of one: decimals and templates are texts."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise AirflowException(f"{value!r} is no number") from None
