"""One try of a Python task: asks its parent for the work, calls the function, and says how it ended.

Requests are lines of JSON to file descriptor 3, each answered by a line on 4 (src/tasks/process.h). Where Airflow is
installed its own classes are used; where it is not, the names of it that tasks' functions import are provided here:
exceptions, Variable, Connection, BaseHook, get_current_context, Asset, timezone, and decorators and DAG, which do
nothing here. Standard library only.
"""
import asyncio
import base64
import collections.abc
import datetime
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import logging
import os
import random
import sys
import time
import traceback
import types
import uuid

from tailrace_values import decoded, encoded, moment  # values.py, beside this file

REQUESTS = os.fdopen(3, "w", encoding="utf-8")
ANSWERS = os.fdopen(4, "r", encoding="utf-8")
NOTSET = object()
NO_XCOM = "__tailrace_no_xcom__"  # a default may be what JSON cannot say
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

    def xcom_pull(self, task_ids=None, dag_id=None, key="return_value", include_prior_dates=False, *,
                  map_indexes=NOTSET, default=None, run_id=None):
        said = {"task_ids": task_ids if task_ids is None or isinstance(task_ids, str) else list(task_ids),
                "dag_id": dag_id, "key": key, "include_prior_dates": include_prior_dates, "run_id": run_id}
        if map_indexes is not NOTSET:
            said["map_indexes"] = map_indexes if map_indexes is None or isinstance(map_indexes, int) else [*map_indexes]
        found = ask(do="xcom_pull", arguments={**said, "default": NO_XCOM})
        if isinstance(found, list):
            return [default if one == NO_XCOM else one for one in found]
        return default if found == NO_XCOM else found


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


def asset_of(said):
    if isinstance(said, str):
        return Asset(said)
    return AssetAlias(said["alias"]) if "alias" in said else Asset(**said)


def event_of(said):
    """An asset event, by the names of Airflow's AssetEventDagRunReferenceResult."""
    none = dict.fromkeys(("source_dag_id", "source_run_id", "source_task_id", "source_map_index"))
    return Named("asset event", {**none, "source_aliases": [], **said, "asset": asset_of(said["asset"])})


class TriggeringAssetEvents(collections.abc.Mapping):
    """By asset, its URI or its name."""

    def __init__(self, events):
        self._events = {uri: [event_of(one) for one in each] for uri, each in events.items()}

    def __getitem__(self, key):
        names = (key,) if isinstance(key, str) else (key.uri, key.name)
        for name in names:
            if name in self._events:
                return self._events[name]
        raise KeyError(key)

    def __iter__(self):
        return (each[0].asset for each in self._events.values())

    def __len__(self):
        return len(self._events)


class Macros:
    """airflow.sdk.execution_time.macros, for functions; dateutil and yaml where they are installed."""

    datetime, timedelta, json, time, uuid = datetime.datetime, datetime.timedelta, json, time, uuid
    random = staticmethod(random.random)

    def __getattr__(self, name):
        if name not in ("dateutil", "yaml"):
            raise AttributeError(f"macros have no {name!r}")
        if name == "dateutil":
            importlib.import_module("dateutil.parser")
        return importlib.import_module(name)

    @staticmethod
    def ds_add(ds, days):
        return (datetime.datetime.strptime(ds, "%Y-%m-%d") + datetime.timedelta(days)).strftime("%Y-%m-%d")

    @staticmethod
    def ds_format(ds, input_format, output_format):
        return datetime.datetime.strptime(str(ds), input_format).strftime(output_format)

    @staticmethod
    def datetime_diff_for_humans(dt, since=None):
        import pendulum

        return pendulum.instance(dt).diff_for_humans(since)


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


class BaseHook:
    """Of the author's own hooks, and of Airflow's name for a look at a connection."""

    log = logging.getLogger("airflow.task")

    @classmethod
    def get_connection(cls, conn_id):
        return Connection.get(conn_id)


class Context(dict):
    """The type's name alone: what a function gets is a dict."""


class Param:
    def __init__(self, default=None, description=None, **schema):
        self.value, self.description, self.schema = default, description, schema

    def resolve(self, value=NOTSET):
        return self.value if value is NOTSET else value


class Metadata:
    """What a function yields: more of an asset's event."""

    def __init__(self, asset, extra=None, alias=None):
        self.asset, self.extra, self.alias = asset, extra or {}, alias


class Nothing:
    """A DAG, or a task of one, of a file that is imported for its functions: DAGs are YAML here."""

    def __init__(self, *_given, **_named):
        pass

    def __call__(self, *_given, **_named):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _key):
        return self

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *_problem):
        return None

    def _joined(self, other):
        return other

    __rshift__ = __lshift__ = __rrshift__ = __rlshift__ = _joined


class TaskFunction(Nothing):
    """A function under @task: called while its file is imported it is a task of a DAG, later it is the function."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *given, **named):
        return self.function(*given, **named) if CONTEXT else Nothing()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class TaskDecorator:
    """@task, @task(…), @task.bash and its kin."""

    def __call__(self, function=None, **_settings):
        return TaskFunction(function) if callable(function) else TaskFunction

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self


def dag_decorator(function=None, **_settings):
    """@dag, @task_group: what it makes does nothing."""
    return Nothing() if callable(function) else lambda _function: Nothing()


def parsed_time(text, timezone=datetime.timezone.utc):
    at = datetime.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=timezone)


def in_utc(value):
    if value is None:
        return None
    return aware(value).astimezone(datetime.timezone.utc)


def aware(value, timezone=datetime.timezone.utc):
    return value if value is None or value.tzinfo else value.replace(tzinfo=timezone)


TIMEZONE = {
    "utc": datetime.timezone.utc, "parse": parsed_time, "convert_to_utc": in_utc, "make_aware": aware,
    "coerce_datetime": aware,
    "utcnow": lambda: moment(time.time(), "UTC"),
    "datetime": lambda *parts, **named: datetime.datetime(*parts, **{"tzinfo": datetime.timezone.utc, **named}),
    "from_timestamp": lambda seconds, tz=datetime.timezone.utc: datetime.datetime.fromtimestamp(seconds, tz),
    "is_localized": lambda value: value.utcoffset() is not None,
    "is_naive": lambda value: value.utcoffset() is None,
    "make_naive": lambda value, timezone=datetime.timezone.utc: value.astimezone(timezone).replace(tzinfo=None),
}
task = TaskDecorator()
DECORATORS = {"task": task, "dag": dag_decorator, "task_group": dag_decorator, "setup": task, "teardown": task}
PROVIDED = {
    "airflow": {"DAG": Nothing},
    "airflow.exceptions": {name: value for name, value in globals().items() if name.startswith("Airflow")},
    "airflow.sdk": {"Asset": Asset, "AssetAlias": AssetAlias, "Variable": Variable, "Connection": Connection,
                    "get_current_context": get_current_context, "PokeReturnValue": PokeReturnValue,
                    "BaseNotifier": BaseNotifier, "BaseHook": BaseHook, "Context": Context, "Param": Param,
                    "Metadata": Metadata, "DAG": Nothing, "timezone": types.SimpleNamespace(**TIMEZONE), **DECORATORS},
    "airflow.sdk.timezone": TIMEZONE,
    "airflow.sdk.definitions": {},
    "airflow.sdk.definitions.context": {"Context": Context, "get_current_context": get_current_context},
    "airflow.sdk.definitions.decorators": DECORATORS,
    "airflow.sdk.definitions.param": {"Param": Param},
    "airflow.sdk.bases.hook": {"BaseHook": BaseHook},
    "airflow.decorators": DECORATORS,
    "airflow.utils.context": {"Context": Context, "get_current_context": get_current_context},
    "airflow.utils.timezone": TIMEZONE,
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
    "airflow.hooks.base": {"BaseHook": BaseHook},
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


def provide():
    if importlib.util.find_spec("airflow") is None:
        sys.meta_path.append(Provider())


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
    for name in ("inlets", "outlets"):
        context[name] = [asset_of(one) for one in context.get(name) or []]
    context["task"].__dict__.update(dag=context["dag"], inlets=context["inlets"], outlets=context["outlets"])
    context["dag"].__dict__["tags"] = set(context["dag"].__dict__.get("tags", ()))
    events = context.get("triggering_asset_events") or {}
    context["triggering_asset_events"] = TriggeringAssetEvents(events)
    context["dag_run"].__dict__["consumed_asset_events"] = [event_of(one) for each in events.values() for one in each]
    context["ti"] = context["task_instance"] = TaskInstance("task instance", context.get("ti") or {})
    context["ti"].__dict__["task"] = context["task"]
    context["macros"] = Macros()
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


def elsewhere(job, function):
    """The function in another Python; the module that does it is there where it is needed only."""
    settings = job["virtualenv"]
    module = types.ModuleType("tailrace_virtualenv")
    exec(compile(settings["source"], "<tailrace_virtualenv>", "exec"), module.__dict__)
    return module.Elsewhere(function, settings, bool(job["args"] or job["kwargs"]))


def call(job):
    function = find_callable(job)
    CONTEXT.update(context_of(job))
    PROVIDED_CONTEXT.update(CONTEXT)
    other = elsewhere(job, function) if "virtualenv" in job else None
    context = other.context(CONTEXT) if other else CONTEXT
    args, kwargs = decoded(job.get("args") or []), decoded(job.get("kwargs") or {})
    clash = set(kwargs) & set(CONTEXT) if not (other or job.get("decorated", job.get("context_free"))) else set()
    if clash - {"params", "conf"}:
        raise ValueError(f"The key {sorted(clash)[0]!r} in args is a part of kwargs and therefore reserved.")
    bound = kwargs if job.get("context_free") else taken(function, context, kwargs)
    for position, parameter in enumerate(list(inspect.signature(function).parameters)[:len(args)]):
        if parameter not in kwargs:
            bound.pop(parameter, None)
    if other:
        return other.run(args, bound)
    if "each" in job:
        return [function(*args, message, **bound) for message in decoded(job["each"])]
    if "batch" in job:
        return function(*args, decoded(job["batch"]), **bound)
    value = function(*args, **bound)
    if job.get("result") == "records":
        return [[record_part(key), record_part(part)] for key, part in value]
    if inspect.isgenerator(value):
        value = run_through(value)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def run_through(values):
    """A generator's return value. What it yields is Metadata, which goes with the events of its asset."""
    while True:
        try:
            one = next(values)
        except StopIteration as end:
            return end.value
        if not all(hasattr(one, name) for name in ("asset", "extra", "alias")):
            print(f"Ignoring unknown data of {type(one)!r} received from task")
            continue
        CONTEXT["outlet_events"][one.asset].extra.update(one.extra)
        if one.alias:
            alias = one.alias if hasattr(one.alias, "name") else AssetAlias(one.alias)
            CONTEXT["outlet_events"][alias].add(one.asset, extra=one.extra)


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
    provide()
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
