"""What Airflow is told of this package."""
from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    named = {"integration-name": "Tailrace"}
    return {
        "package-name": "airflow-provider-tailrace",
        "name": "Tailrace",
        "description": "Tailrace: a whole real-time pipeline in one program",
        "integrations": [named | {"tags": ["software"]}],
        "hooks": [named | {"python-modules": ["tailrace_provider.hooks.tailrace"]}],
        "operators": [named | {"python-modules": ["tailrace_provider.operators.expect",
                                                  "tailrace_provider.operators.ingest",
                                                  "tailrace_provider.operators.refresh"]}],
        "sensors": [named | {"python-modules": ["tailrace_provider.sensors.table"]}],
        "secrets-backends": ["tailrace_provider.secrets.ProjectSecrets"],
        "connection-types": [{"connection-type": "tailrace",
                              "hook-class-name": "tailrace_provider.hooks.tailrace.TailraceHook"}],
    }
