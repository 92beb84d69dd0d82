"""IngestOperator: lets a source emit."""
from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator

from tailrace_provider.hooks.tailrace import TailraceHook


class IngestOperator(BaseOperator):
    """
    Lets a source of ``ingest`` in tailrace.yml emit; gives the number of records that it appended.

    :param source: its name
    :param run_for: for so long, a timedelta or seconds; without it until nothing more is there
    :param tailrace_conn_id: which Tailrace
    """

    template_fields: Sequence[str] = ("source", "tailrace_conn_id")
    ui_color = "#d7ecf3"

    def __init__(self, *, source: str, run_for: datetime.timedelta | float | None = None,
                 tailrace_conn_id: str = TailraceHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.run_for = run_for
        self.tailrace_conn_id = tailrace_conn_id
        self._operation: str | None = None

    @property
    def hook(self) -> TailraceHook:
        return TailraceHook(tailrace_conn_id=self.tailrace_conn_id)

    def execute(self, context: Any) -> int:
        seconds = self.run_for.total_seconds() if isinstance(self.run_for, datetime.timedelta) else self.run_for
        hook = self.hook
        self._operation = hook.start_ingest(self.source, seconds)
        records = hook.wait(self._operation)["records"]
        self._operation = None
        self.log.info("%s: %d records", self.source, records)
        return records

    def on_kill(self) -> None:
        if self._operation is not None:
            self.hook.stop(self._operation)
