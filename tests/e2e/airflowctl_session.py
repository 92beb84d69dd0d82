"""Runs commands of airflowctl as its own main() does, many in one process: starting it takes longer than what it does.

A command's words come as a JSON list a line on stdin; its exit code and what it printed go as a JSON list a line to
stdout.
"""
import contextlib
import io
import json
import sys


def run(words):
    from airflowctl.__main__ import main

    out, code = io.StringIO(), 0
    sys.argv = ["airflowctl", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except Exception as problem:
            code = 1
            print(f"{type(problem).__name__}: {problem}")
    return code, out.getvalue()


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
