"""What Jinja, as Airflow builds its environments, makes of the templates in tests/jinja: records expected.jsonl.

`jinja_side.py FOLDER` runs in Airflow's venv. The names of the templates are context.json's, in the form of Airflow's
serialisation of XComs, so that datetimes keep their types.
"""
import json
import pathlib
import sys

import jinja2
from airflow.sdk.definitions._internal.templater import create_template_env
from airflow.sdk.definitions.context import render_template
from airflow.sdk.serde import deserialize


def templates(path):
    """(template, native) of each line."""
    for line in path.read_text().splitlines():
        if line.startswith("# ") or not line:
            continue
        native = line.startswith("native: ")
        yield line.removeprefix("native: ").replace("⏎", "\n"), native


def kind_of(value):
    return type(value).__name__


def outcome(environment, template, context, native):
    """What a template gives: its text, or the repr of a native value, or the exception."""
    try:
        made = render_template(environment.from_string(template), context, native=native)
        if native:
            if isinstance(made, jinja2.Undefined):
                str(made)
            if kind_of(made) == "generator":
                return {"native": True, "kind": "generator", "out": None}
            return {"native": True, "kind": kind_of(made), "out": repr(made)}
        return {"out": made}
    except Exception as error:  # what it raises is what is recorded
        failed = {"error": kind_of(error), "message": str(error)}
        if native:
            failed["native"] = True
        if isinstance(error, jinja2.TemplateSyntaxError):
            failed["message"] = error.message
            failed["line"] = error.lineno
        return failed


def main(folder):
    text = (folder / "context.json").read_text()
    sandboxed = create_template_env()
    natural = create_template_env(native=True)
    with open(folder / "expected.jsonl", "w") as out:
        for template, native in templates(folder / "templates.txt"):
            context = deserialize(json.loads(text))
            environment = natural if native else sandboxed
            result = outcome(environment, template, context, native)
            out.write(json.dumps({"template": template} | result, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
