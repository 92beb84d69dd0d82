"""Airflow's secrets backend over a project's tailrace.yml: its `connections` and `variables`.

    AIRFLOW__SECRETS__BACKEND=tailrace_provider.secrets.ProjectSecrets
    AIRFLOW__SECRETS__BACKEND_KWARGS={"project": "/path/of/the/project"}

The file is read at each look, with `${NAME}` from Airflow's own environment and `file:PATH` from beside it: no secret
is written anywhere else. What Airflow's environment has itself (AIRFLOW_CONN_NAME, AIRFLOW_VAR_NAME) goes first, as it
does in `tailrace run`.
"""
from __future__ import annotations

import json
import os
import pathlib
import re
from typing import Any

import yaml
from airflow.secrets import BaseSecretsBackend

_NAMED = re.compile(r"\$\{([^}]*)\}")
_WORD = re.compile(r"true|false|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # what JSON makes no text of


class ProjectSecrets(BaseSecretsBackend):
    """:param project: the project's folder, as this machine has it."""

    def __init__(self, project: str, **kwargs: Any) -> None:
        super().__init__()
        self._file = pathlib.Path(project) / "tailrace.yml"

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        if f"AIRFLOW_CONN_{conn_id.upper()}" in os.environ:
            return None
        node = self._find("connections", conn_id)
        if node is None:
            return None
        if isinstance(node, yaml.MappingNode):
            return json.dumps({name.value: self._value(field) if name.value == "extra" else self._text(field)
                               for name, field in node.value if not _is_null(field)})
        return self._text(node)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        if f"AIRFLOW_VAR_{key.upper()}" in os.environ:
            return None
        node = self._find("variables", key)
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._text(node)
        return json.dumps(self._value(node))

    def _find(self, part: str, name: str) -> yaml.Node | None:
        node: yaml.Node | None = yaml.compose(self._file.read_text(), Loader=yaml.SafeLoader)
        for key in (part, name):
            if not isinstance(node, yaml.MappingNode):
                return None
            node = next((value for word, value in node.value if word.value == key), None)
        return node

    def _value(self, node: yaml.Node) -> Any:
        """As JSON: what stands in quotes is a text, other words are what JSON makes of them."""
        if isinstance(node, yaml.MappingNode):
            return {name.value: self._value(value) for name, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self._value(one) for one in node.value]
        if _is_null(node):
            return None
        if node.style is None and _WORD.fullmatch(node.value):
            return json.loads(node.value)
        return self._text(node)

    def _text(self, node: yaml.Node) -> str:
        place = f"{self._file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
        if not isinstance(node, yaml.ScalarNode):
            raise ValueError(f"{place}: one value is expected here")

        def named(found: re.Match[str]) -> str:
            if found[1] not in os.environ:
                raise ValueError(f"{place}: Airflow's environment has no variable {found[1]}")
            return os.environ[found[1]]

        text = _NAMED.sub(named, node.value)
        if not text.startswith("file:"):
            return text
        return (self._file.parent / text.removeprefix("file:")).read_text().rstrip("\r\n")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
