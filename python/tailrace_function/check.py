"""Reads a function's module without running it: the line and the sentence of what is wrong, or nothing.

Called as `python3 -I -c TEXT FILE NAME`: the file is to compile and to have the name NAME at its top. Standard
library only.
"""
import ast
import sys


def names_of(target):
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for one in target.elts:
            yield from names_of(one)


def defined(body):
    """Every name that the module's top may define, in branches, too; None where it cannot be known."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield None if alias.name == "*" else alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from names_of(target)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            yield from names_of(node.target)
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from defined(getattr(node, part, []) or [])
        for handler in getattr(node, "handlers", []):
            yield from defined(handler.body)


def main(file, name):
    try:
        with open(file, "rb") as text:
            module = ast.parse(text.read(), file)
            compile(module, file, "exec")
    except SyntaxError as error:
        print(f"{error.lineno or 1}: {error.msg}")
        return
    except ValueError as error:  # a byte that is no text
        print(f"1: {error}")
        return
    names = set(defined(module.body))
    if name not in names and None not in names:
        print(f"1: it has no `{name}`: write def {name}(event, context)")


main(sys.argv[1], sys.argv[2])
