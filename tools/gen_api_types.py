#!/usr/bin/env python3
"""Writes web/src/api/types.gen.ts from the schemas of spec/console-api.yml (standard library only)."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec" / "console-api.yml"
OUT = ROOT / "web" / "src" / "api" / "types.gen.ts"
SCALARS = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean"}
TOKENS = re.compile(r'\s*("[^"]*"|[{}\[\],]|:(?=\s|$)|(?:[^\s{}\[\],:"]|:(?=\S))(?:[^{}\[\],:]|:(?=\S))*)')


def flow(text):
    """{maps} and [lists] of one line, or a scalar."""
    tokens = [token.strip() for token in TOKENS.findall(text)]
    value, rest = flow_value(tokens)
    if rest:
        raise SystemExit(f"{SPEC}: not understood: {text}")
    return value


def flow_value(tokens):
    head, tokens = tokens[0], tokens[1:]
    if head not in "{[":
        return head.strip('"'), tokens
    made = {} if head == "{" else []
    while tokens[0] not in "}]":
        if head == "{":
            key, tokens = tokens[0].strip('"'), tokens[2:]
            made[key], tokens = flow_value(tokens)
        else:
            item, tokens = flow_value(tokens)
            made.append(item)
        tokens = tokens[1:] if tokens[0] == "," else tokens
    return made, tokens[1:]


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
        stack[-1][1][key.strip('"')] = child
        if not value:
            stack.append((indent, child))
    return root


def type_of(schema):
    if not schema:
        return "unknown"
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
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
    required = schema.get("required", [])
    lines = [f"export interface {name} {{"]
    for field, inner in schema["properties"].items():
        if "description" in inner:
            lines.append(f"  /** {inner['description']} */")
        lines.append(f"  {field}{'' if field in required else '?'}: {type_of(inner)};")
    return "\n".join(lines) + "\n}\n"


def main():
    schemas = parse(SPEC.read_text())["components"]["schemas"]
    parts = ["// Generated from spec/console-api.yml by tools/gen_api_types.py.\n"]
    parts += [declaration(name, schema) for name, schema in schemas.items()]
    text = "\n".join(parts)
    if not OUT.exists() or OUT.read_text() != text:
        OUT.write_text(text)


main()
