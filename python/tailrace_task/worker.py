"""One try of a Python task: asks its parent for the work, calls the function, and says how it ended.

Requests are lines of JSON to file descriptor 3, each answered by a line on 4 (src/tasks/process.h). Where Airflow is
installed its own classes are used; where it is not, the names of it that tasks' functions import are provided here:
exceptions, Variable, Connection, get_current_context, Asset. Standard library only.
"""
import asyncio
import base64
import datetime
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import sys
import traceback
import types

REQUESTS = os.fdopen(3, "w", encoding="utf-8")
ANSWERS = os.fdopen(4, "r", encoding="utf-8")
MOMENTS = ("pendulum.datetime.DateTime", "datetime.datetime")
CONTEXT = {}
PROVIDED_CONTEXT = set()  # the names that were there before the function


def ask(**request):
    """The parent's answer; an `error` in it is raised as {kind, what}."""
    REQUESTS.write(json.dumps(request) + "\n")
    REQUESTS.flush()
    line = ANSWERS.readline()
    if not line:
        os._exit(1)  # the parent is gone
    answer = json.loads(line)
    if "error" in answer:
        raise {"missing": KeyError, "not_found": AirflowNotFoundException}.get(answer.get("kind"), RuntimeError)(
            answer["error"])
    return decoded(answer.get("value"))


# --- values --------------------------------------------------------------------------------------

def zone_of(name):
    if name in ("UTC", "Etc/UTC", None):
        return datetime.timezone.utc
    if isinstance(name, int):
        return datetime.timezone(datetime.timedelta(seconds=name))
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def moment(seconds, zone):
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    at = datetime.datetime.fromtimestamp(whole, zone_of(zone)) + datetime.timedelta(microseconds=micros)
    try:
        import pendulum
    except ImportError:
        return at
    return pendulum.instance(at)


def decoded(value):
    """JSON with Airflow's tags of classes to Python."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    name = value.get("__classname__")
    if name is None:
        return {key: decoded(one) for key, one in value.items()}
    data = value.get("__data__")
    if name in MOMENTS:
        zone = data.get("tz")
        if isinstance(zone, dict):
            zone = zone["__data__"][0]
        elif isinstance(zone, list):
            zone = zone[0]
        return moment(data["timestamp"], zone)
    if name == "datetime.timedelta":
        return datetime.timedelta(seconds=data)
    if name == "builtins.tuple":
        return tuple(decoded(data))
    if name in ("builtins.set", "builtins.frozenset"):
        return set(decoded(data))
    if name == "tailrace.http_response":
        return http_response(data)
    if name == "tailrace.kafka_message":
        return KafkaMessage(data)
    raise ValueError(f"a value of class {name} cannot be read here")


class HttpResponse:
    """What functions ask of an answer, by the names of requests.Response."""

    def __init__(self, status, reason, url, headers, body, encoding):
        self.status_code, self.reason, self.url, self.content, self.encoding = status, reason, url, body, encoding
        self.headers = HttpHeaders(headers)

    @property
    def ok(self):
        return self.status_code < 400

    @property
    def text(self):
        try:
            return self.content.decode(self.encoding or "utf-8", errors="replace")
        except LookupError:
            return self.content.decode(errors="replace")

    def json(self, **options):
        return json.loads(self.content, **options)

    def raise_for_status(self):
        if not self.ok:
            raise RuntimeError(f"{self.status_code} {'Client' if self.status_code < 500 else 'Server'} Error: "
                               f"{self.reason} for url: {self.url}")

    def __bool__(self):
        return self.ok


class HttpHeaders(dict):
    """Headers by their names in any case."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class KafkaMessage:
    """A record, by the names of confluent_kafka.Message."""

    def __init__(self, data):
        self._data = data

    def _bytes(self, text):
        return None if text is None else base64.b64decode(text)

    def error(self):
        return None

    def topic(self):
        return self._data["topic"]

    def partition(self):
        return self._data["partition"]

    def offset(self):
        return self._data["offset"]

    def key(self):
        return self._bytes(self._data["key"])

    def value(self):
        return self._bytes(self._data["value"])

    def timestamp(self):
        return tuple(self._data["timestamp"])

    def headers(self):
        return [(name, self._bytes(value)) for name, value in self._data["headers"]] or None

    def __len__(self):
        return len(self.value() or b"")


def http_response(data):
    """An answer as requests.Response where that is installed, and as its likeness where it is not."""
    body = base64.b64decode(data["body"])
    try:
        import requests
    except ImportError:
        return HttpResponse(data["status"], data["reason"], data["url"], data["headers"], body, data["encoding"])
    made = requests.Response()
    made._content, made.status_code, made.reason, made.url = body, data["status"], data["reason"], data["url"]
    made.headers.update(data["headers"])
    made.encoding = data["encoding"]
    return made


def encoded(value):
    """Python to JSON with Airflow's tags; TypeError for what has none."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [encoded(one) for one in value]
    if isinstance(value, tuple):
        return {"__classname__": "builtins.tuple", "__version__": 1, "__data__": [encoded(one) for one in value]}
    if isinstance(value, (set, frozenset)):
        return {"__classname__": "builtins." + type(value).__name__, "__version__": 1,
                "__data__": [encoded(one) for one in value]}
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not a str: XComs take dicts with keys of str only")
        return {key: encoded(one) for key, one in value.items()}
    if isinstance(value, datetime.datetime):
        zone = str(value.tzinfo) if value.tzinfo is not None else None
        return {"__classname__": "datetime.datetime", "__version__": 2,
                "__data__": {"timestamp": value.timestamp(), "tz": zone and (zone if "/" in zone else "UTC")}}
    if hasattr(value, "is_done") and hasattr(value, "xcom_value"):
        return {"is_done": bool(value), "xcom_value": encoded(value.xcom_value)}  # a PokeReturnValue
    if isinstance(value, datetime.timedelta):
        return {"__classname__": "datetime.timedelta", "__version__": 2, "__data__": value.total_seconds()}
    if hasattr(value, "item") and callable(value.item) and getattr(value, "shape", None) == ():
        return encoded(value.item())  # a number of numpy's
    if hasattr(value, "__await__") or inspect.isgenerator(value):
        raise TypeError(f"a {type(value).__name__} cannot be an XCom: return its values")
    raise TypeError(f"cannot serialize object of type {type(value)}: return JSON-like values, or write it to a file")


# --- what Airflow gives to a function --------------------------------------------------------------

class AirflowException(Exception):
    pass


class AirflowSkipException(AirflowException):
    pass


class AirflowFailException(AirflowException):
    pass


class AirflowNotFoundException(AirflowException):
    pass


class AirflowSensorTimeout(AirflowException):
    pass


class AirflowTaskTimeout(BaseException):
    pass


class AirflowRescheduleException(AirflowException):
    def __init__(self, reschedule_date):
        super().__init__(str(reschedule_date))
        self.reschedule_date = reschedule_date


class Named:
    """Attributes from a dict; missing ones are AttributeErrors that name the object."""

    def __init__(self, what, values):
        self.__dict__.update(values)
        self.__dict__["_what"] = what

    def __repr__(self):
        return f"<{self._what}>"


class TaskInstance(Named):
    def xcom_push(self, key, value):
        ask(do="xcom_push", key=key, value=encoded(value))

    def xcom_pull(self, task_ids=None, dag_id=None, key="return_value", include_prior_dates=False, *, map_indexes=None,
                  default=None, run_id=None):
        one = isinstance(task_ids, str)
        wanted = [task_ids] if one else [self.task_id] if task_ids is None else list(task_ids)
        found = [ask(do="xcom_pull", task=task, dag=dag_id, key=key, run=run_id, map_index=map_indexes)
                 for task in wanted]
        found = [default if value is None else value for value in found]
        return found[0] if one or task_ids is None else found


def mask_secret(secret, name=None):
    """Is *** in the try's log from now on; with a name, where that sounds secret."""
    if secret:
        ask(do="mask", value=encoded(secret), name=name or "")


class Connection:
    def __init__(self, **fields):
        self.__dict__.update(fields)
        self.conn_id = fields.get("id")
        self.conn_type = fields.get("type")

    @property
    def extra_dejson(self):
        return json.loads(self.extra) if self.extra else {}

    def get_uri(self):
        return self.uri

    @classmethod
    def get(cls, conn_id):
        return cls(**ask(do="connection", id=conn_id))

    get_connection_from_secrets = get


class Variable:
    _none = object()

    @classmethod
    def get(cls, key, default=_none, deserialize_json=False, default_var=_none):
        default = default if default is not cls._none else default_var
        try:
            value = ask(do="variable", key=key)
        except KeyError:
            if default is cls._none:
                raise
            mask_secret(default, key)
            return default
        return json.loads(value) if deserialize_json else value

    @classmethod
    def set(cls, key, value, description=None, serialize_json=False):
        ask(do="set_variable", key=key, value=json.dumps(value) if serialize_json else str(value),
            description=description or "")


class Asset:
    def __init__(self, name=None, uri=None, *, group="asset", extra=None, **_rest):
        self.name, self.uri, self.group, self.extra = name or uri, uri or name, group, extra or {}

    def __hash__(self):
        return hash((self.name, self.uri))

    def __eq__(self, other):
        return isinstance(other, Asset) and (self.name, self.uri) == (other.name, other.uri)


class AssetAlias:
    def __init__(self, name, *, group="asset"):
        self.name, self.group = name, group

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return isinstance(other, AssetAlias) and self.name == other.name


class PokeReturnValue:
    def __init__(self, is_done, xcom_value=None):
        self.is_done, self.xcom_value = is_done, xcom_value

    def __bool__(self):
        return bool(self.is_done)


class OutletEvent:
    def __init__(self):
        self.extra, self.added = {}, []

    def add(self, asset, extra=None):
        self.added.append((asset, extra or {}))


class OutletEvents(dict):
    """By asset or alias; what is put into `extra` or added goes with the asset's event."""

    def __missing__(self, key):
        self[key] = OutletEvent()
        return self[key]

    def told(self):
        events = []
        for key, event in self.items():
            if isinstance(key, AssetAlias) or hasattr(key, "resolve_assets"):
                events += [{"uri": asset.uri, "extra": encoded(extra), "alias": key.name}
                           for asset, extra in event.added]
            elif event.extra:
                events.append({"uri": key if isinstance(key, str) else key.uri, "extra": encoded(event.extra)})
        return events


class VariableAccessor:
    def __init__(self, from_json):
        self._from_json = from_json

    def __getattr__(self, key):
        if key.startswith("_"):
            raise AttributeError(key)
        return Variable.get(key, deserialize_json=self._from_json)

    def get(self, key, default=None):
        return Variable.get(key, default, deserialize_json=self._from_json)


class ConnectionAccessor:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Connection.get(name)

    def get(self, name, default=None):
        try:
            return Connection.get(name)
        except AirflowNotFoundException:
            return default


def get_current_context():
    if not CONTEXT:
        raise RuntimeError("get_current_context() outside a task")
    return CONTEXT


class BaseNotifier:
    """A message to somebody when something has happened: a callback whose texts are templates."""

    template_fields = ()

    def __init__(self, context=None, **_rest):
        self.context = context or {}

    def notify(self, context):
        raise NotImplementedError(f"{type(self).__name__} has no notify(context)")

    def __call__(self, context):
        for name in self.template_fields:
            setattr(self, name, ask(do="render", value=encoded(getattr(self, name))))
        self.notify(context)


PROVIDED = {
    "airflow": {},
    "airflow.exceptions": {name: value for name, value in globals().items() if name.startswith("Airflow")},
    "airflow.sdk": {"Asset": Asset, "AssetAlias": AssetAlias, "Variable": Variable, "Connection": Connection,
                    "get_current_context": get_current_context, "PokeReturnValue": PokeReturnValue,
                    "BaseNotifier": BaseNotifier},
    "airflow.sdk.log": {"mask_secret": mask_secret},
    "airflow.sdk.bases": {},
    "airflow.sdk.bases.notifier": {"BaseNotifier": BaseNotifier},
    "airflow.notifications": {},
    "airflow.notifications.basenotifier": {"BaseNotifier": BaseNotifier},
    "airflow.sdk.exceptions": {name: value for name, value in globals().items() if name.startswith("Airflow")},
    "airflow.models": {"Variable": Variable, "Connection": Connection},
    "airflow.models.variable": {"Variable": Variable},
    "airflow.models.connection": {"Connection": Connection},
    "airflow.utils": {},
    "airflow.utils.log": {},
    "airflow.utils.log.secrets_masker": {"mask_secret": mask_secret},
    "airflow.hooks": {},
    "airflow.hooks.base": {"BaseHook": type("BaseHook", (), {"get_connection": staticmethod(Connection.get)})},
    "airflow.providers": {},
    "airflow.providers.standard": {},
    "airflow.providers.standard.operators": {},
    "airflow.providers.standard.operators.python": {"get_current_context": get_current_context},
    "airflow.operators": {},
    "airflow.operators.python": {"get_current_context": get_current_context},
}


class Provider(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules of Airflow's names that PROVIDED has; others of them say what to do."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname in PROVIDED:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        module.__dict__.update(PROVIDED[module.__name__])
        module.__path__ = []

        def __getattr__(name, where=module.__name__):
            raise AttributeError(f"module {where!r} has no {name!r} here: Airflow is not installed for this Python "
                                 f"({sys.executable}); install apache-airflow into it, or do without")

        module.__getattr__ = __getattr__


# --- the work ------------------------------------------------------------------------------------

def find_callable(job):
    if job.get("lambda"):
        return eval(job["lambda"])  # the author's, as dag-factory's NAME_lambda
    if job.get("file"):
        path = os.path.abspath(job["file"])
        name = "tailrace_task_" + os.path.basename(path).removesuffix(".py")
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or not os.path.exists(path):
            raise FileNotFoundError(f"python_callable_file: {path} is not there")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        name, where = job["name"], path
    else:
        where, _, name = job["path"].rpartition(".")
        module = importlib.import_module(where)
    found = getattr(module, name, None)
    if found is None:
        raise AttributeError(f"{where} has no function {name}")
    return getattr(found, "function", found)  # of a @task


def context_of(job):
    context = {key: decoded(value) for key, value in job["context"].items()}
    for name in ("dag", "task", "dag_run"):
        context[name] = Named(name, context.get(name) or {})
    context["ti"] = context["task_instance"] = TaskInstance("task instance", context.get("ti") or {})
    context["outlet_events"] = OutletEvents()
    context["var"] = {"value": VariableAccessor(False), "json": VariableAccessor(True)}
    context["conn"] = ConnectionAccessor()
    return context


def taken(function, context, given):
    """Those names of the context that the function's signature takes, and what was given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return given
    if any(one.kind == one.VAR_KEYWORD for one in parameters):
        return {**context, **given}
    names = {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    return {**{key: value for key, value in context.items() if key in names}, **given}


def call(job):
    function = find_callable(job)
    CONTEXT.update(context_of(job))
    PROVIDED_CONTEXT.update(CONTEXT)
    args, kwargs = decoded(job.get("args") or []), decoded(job.get("kwargs") or {})
    clash = set(kwargs) & set(CONTEXT) if not job.get("decorated", job.get("context_free")) else set()
    if clash - {"params", "conf"}:
        raise ValueError(f"The key {sorted(clash)[0]!r} in args is a part of kwargs and therefore reserved.")
    bound = kwargs if job.get("context_free") else taken(function, CONTEXT, kwargs)
    for position, parameter in enumerate(list(inspect.signature(function).parameters)[:len(args)]):
        if parameter not in kwargs:
            bound.pop(parameter, None)
    if "each" in job:
        return [function(*args, message, **bound) for message in decoded(job["each"])]
    if "batch" in job:
        return function(*args, decoded(job["batch"]), **bound)
    value = function(*args, **bound)
    if job.get("result") == "records":
        return [[record_part(key), record_part(part)] for key, part in value]
    if inspect.isgenerator(value):
        value = list(value)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def call_back(job):
    """A function or a notifier that is told what became of a task or a run; of a deadline: that it has passed."""
    from airflow.exceptions import AirflowException as Failure

    function = find_callable(job)
    CONTEXT.update(context_of(job))
    context = {**CONTEXT, **{name: job[name] for name in ("reason", "deadline") if name in job}}
    if "exception" in job:
        context["exception"] = Failure(job["exception"])
    kwargs = decoded(job.get("kwargs") or {})
    if hasattr(function, "notify"):
        return function(**kwargs)(context)
    if "deadline" not in job:
        return function(context, **kwargs)
    parameters = inspect.signature(function).parameters.values()
    if any(one.name == "context" or one.kind == one.VAR_KEYWORD for one in parameters):
        kwargs["context"] = context
    value = function(**kwargs)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def record_part(value):
    """A key or a value for Kafka, as base64."""
    if value is None:
        return None
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"a key or value for Kafka is str or bytes, not {type(value).__name__}")
    return base64.b64encode(value).decode()


def added_to(context):
    """What the function has put into its context and JSON can say: map_index_template may name it."""
    said = {}
    for name, value in context.items():
        if name not in PROVIDED_CONTEXT:
            try:
                said[name] = encoded(value)
            except TypeError:
                pass
    return said


def kind_of(problem):
    names = {one.__name__ for one in type(problem).__mro__}
    for name, kind in (("AirflowSkipException", "skipped"), ("AirflowFailException", "failed_for_good"),
                       ("AirflowSensorTimeout", "failed_for_good"), ("AirflowRescheduleException", "reschedule")):
        if name in names:
            return kind
    return "failed"


def main():
    job = ask(do="work")
    sys.path[:0] = [one for one in job.get("sys_path", []) if one not in sys.path]
    if importlib.util.find_spec("airflow") is None:
        sys.meta_path.append(Provider())
    sys.stdout.reconfigure(line_buffering=True)
    try:
        value = call_back(job) if job.get("callback") else call(job)
        ended = {"how": "success", "value": encoded(value) if job.get("keep", True) else None,
                 "truth": bool(value), "events": CONTEXT["outlet_events"].told(), "context": added_to(CONTEXT)}
    except SystemExit as problem:
        ended = {"how": "success" if problem.code in (None, 0) else "failed", "why": f"sys.exit({problem.code})",
                 "value": None, "truth": False, "events": []}
    except BaseException as problem:
        traceback.print_exc()
        ended = {"how": kind_of(problem), "why": f"{type(problem).__name__}: {problem}".strip(": "), "value": None,
                 "truth": False, "events": []}
        if ended["how"] == "reschedule":
            ended["at"] = problem.reschedule_date.timestamp()
    sys.stdout.flush()
    sys.stderr.flush()
    ask(do="ended", **ended)


if __name__ == "__main__":
    main()
