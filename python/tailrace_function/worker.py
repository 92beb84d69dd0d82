"""A warm process of a function: asks its parent for one event after the other and calls the handler, as Lambda does.

Requests are lines of JSON to file descriptor 3, each answered by a line on 4 (src/tasks/process.h). What the handler
prints is its log. Standard library only.
"""
import base64
import importlib.util
import json
import os
import pathlib
import resource
import sys
import time
import traceback

REQUESTS = os.fdopen(3, "w", encoding="utf-8")
ANSWERS = os.fdopen(4, "r", encoding="utf-8")


def ask(**request):
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    REQUESTS.write(json.dumps(request) + "\n")
    REQUESTS.flush()
    line = ANSWERS.readline()
    if not line:
        os._exit(1)  # the parent is gone
    return json.loads(line)


class Fields:
    def __init__(self, fields):
        self.__dict__.update(fields)

    def __repr__(self):
        return f"{type(self).__name__}({self.__dict__})"


class LambdaContext(Fields):
    """What a handler gets beside the event; the names are AWS's."""

    identity = None

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))


def client_context(packed):
    if not packed:
        return None
    said = json.loads(base64.b64decode(packed))
    context = Fields(said)
    context.client, context.env = Fields(said.get("client") or {}), said.get("env")
    context.custom = said.get("custom")
    return context


def failure(kind, message, trace=()):
    return {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": list(trace)}


def of_exception(error):
    """As the runtime of AWS says it: the frames of the handler's own code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != "<string>"]
    return failure(type(error).__name__, str(error), traceback.format_list(frames))


def load(file, name):
    """The handler, or why there is none."""
    module_name = pathlib.Path(file).stem
    try:
        sys.path.insert(0, str(pathlib.Path(file).parent))
        spec = importlib.util.spec_from_file_location(module_name, file)
        module = sys.modules[module_name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except SyntaxError as error:
        return None, failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}")
    except ImportError as error:
        return None, failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except Exception as error:
        return None, of_exception(error)
    handler = getattr(module, name, None)
    if not callable(handler):
        return None, failure("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    return handler, None


def called(handler, job, context):
    try:
        result = handler(json.loads(job["event"]), context)
    except Exception as error:
        traceback.print_exc()
        return None, of_exception(error)
    try:
        return json.dumps(result), None
    except (TypeError, ValueError) as error:
        return None, failure("Runtime.MarshalError", f"Unable to marshal response: {error}")


def main():
    work = ask(do="begin")
    handler, broken = load(work["file"], work["handler"])
    while True:
        job = ask(do="next")
        if not job:
            return
        payload, error = None, broken
        if handler:
            context = LambdaContext(work["context"] | job["context"])
            context._deadline_ms = job["deadline_ms"]
            context.client_context = client_context(job.get("client_context"))
            payload, error = called(handler, job, context)
        if error:
            error = error | {"requestId": job["context"]["aws_request_id"]}
        ask(do="ended", payload=payload, error=error,
            max_memory_kb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        if broken:
            return


main()
