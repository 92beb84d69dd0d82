#!/usr/bin/env python3
"""Writes web/src/api/types.gen.ts from the schemas of spec/console-api.yml (standard library only)."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec" / "console-api.yml"
OUT = ROOT / "web" / "src" / "api" / "types.gen.ts"
SCALARS = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "unknown": "unknown"}


def flow(text):
    """A one-line {map} or [list] of scalars, or a scalar."""
    text = text.strip()
    items = re.findall(r'(?:[^,"]|"[^"]*")+', text[1:-1]) if text[:1] in "{[" and text else []
    if text.startswith("["):
        return [flow(item) for item in items]
    if text.startswith("{"):
        pairs = (item.split(":", 1) for item in items)
        return {key.strip(): flow(value) for key, value in pairs}
    return text.strip('"')


def parse(text):
    """Nested block maps by indentation."""
    root = {}
    stack = [(-1, root)]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while stack[-1][0] >= indent:
            stack.pop()
        match = re.match(r"(\S+):(?:\s+(.*))?$", line.strip())
        if not match:
            raise SystemExit(f"{SPEC}:{number}: not understood: {line.strip()}")
        key, value = match.groups()
        child = flow(value) if value else {}
        stack[-1][1][key] = child
        if not value:
            stack.append((indent, child))
    return root


def type_of(schema):
    if isinstance(schema, str):
        return SCALARS.get(schema, schema)
    if "$ref" in schema:
        return schema["$ref"]
    if "enum" in schema:
        return " | ".join(f'"{word}"' for word in schema["enum"])
    if schema["type"] == "array":
        return type_of(schema["items"]) + "[]"
    if "additionalProperties" in schema:
        return f"Record<string, {type_of(schema['additionalProperties'])}>"
    return SCALARS[schema["type"]]


def declaration(name, schema):
    if "properties" not in schema:
        return f"export type {name} = {type_of(schema)};\n"
    mark = "?" if "optional" in schema else ""
    lines = [f"export interface {name} {{"]
    for field, inner in schema["properties"].items():
        if "description" in inner:
            lines.append(f"  /** {inner['description']} */")
        lines.append(f"  {field}{mark}: {type_of(inner)};")
    return "\n".join(lines) + "\n}\n"


def main():
    schemas = parse(SPEC.read_text())["components"]["schemas"]
    parts = ["// Generated from spec/console-api.yml by tools/gen_api_types.py.\n"]
    parts += [declaration(name, schema) for name, schema in schemas.items()]
    text = "\n".join(parts)
    if not OUT.exists() or OUT.read_text() != text:
        OUT.write_text(text)


main()
