"""TableSensor: waits until a table has rows."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from tailrace_provider.hooks.tailrace import TailraceHook


class TableSensor(BaseSensorOperator):
    """
    Waits until a table has so many rows; gives their number.

    :param table: its name
    :param where: a condition: only rows count for which it holds
    :param at_least: how many; a template may take the number that an earlier task saw, and so wait for more
    :param tailrace_conn_id: which Tailrace
    """

    template_fields: Sequence[str] = ("table", "where", "at_least", "tailrace_conn_id")
    ui_color = "#d7ecf3"

    def __init__(self, *, table: str, where: str | None = None, at_least: int | str = 1,
                 tailrace_conn_id: str = TailraceHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.where = where
        self.at_least = at_least
        self.tailrace_conn_id = tailrace_conn_id

    def poke(self, context: Any) -> PokeReturnValue:
        sql = f"SELECT count(*) AS n FROM {self.table}" + (f" WHERE {self.where}" if self.where else "")
        found = TailraceHook(tailrace_conn_id=self.tailrace_conn_id).query(sql)[0]["n"]
        self.log.info("%s has %d rows of at least %s", self.table, found, self.at_least)
        return PokeReturnValue(is_done=found >= int(self.at_least), xcom_value=found)
