"""RefreshOperator: waits until the tables have what the topics have."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator

from tailrace_provider.hooks.tailrace import TailraceHook


class RefreshOperator(BaseOperator):
    """
    Returns when every record that was appended before it began is in the tables.

    :param tailrace_conn_id: which Tailrace
    """

    template_fields: Sequence[str] = ("tailrace_conn_id",)
    ui_color = "#d7ecf3"

    def __init__(self, *, tailrace_conn_id: str = TailraceHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tailrace_conn_id = tailrace_conn_id
        self._operation: str | None = None

    @property
    def hook(self) -> TailraceHook:
        return TailraceHook(tailrace_conn_id=self.tailrace_conn_id)

    def execute(self, context: Any) -> None:
        hook = self.hook
        self._operation = hook.start_refresh()
        hook.wait(self._operation)
        self._operation = None

    def on_kill(self) -> None:
        if self._operation is not None:
            self.hook.stop(self._operation)
