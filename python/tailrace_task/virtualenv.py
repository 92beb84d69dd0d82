"""A task's function in another Python: what PythonVirtualenvOperator and ExternalPythonOperator do.

As in Airflow the function's source alone is run there, so that nothing else of its module is known to it; its arguments
and what it returns are files of pickle, dill or cloudpickle. Module `tailrace_virtualenv` of the worker. Where the
other Python is to have Airflow's names and has no Airflow, it gets the worker's own (`modules`), and asks as it does.
"""
import fcntl
import hashlib
import importlib
import inspect
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import types
import urllib.parse

from tailrace_worker import Connection, Variable

ALWAYS = {"ds", "ds_nodash", "inlets", "outlets", "run_id", "task_instance_key_str", "test_mode", "ts", "ts_nodash",
          "ts_nodash_with_tz", "task_reschedule_count", "partition_key", "templates_dict"}
WITH_PENDULUM = {"data_interval_end", "data_interval_start", "logical_date", "prev_data_interval_end_success",
                 "prev_data_interval_start_success", "prev_start_date_success", "prev_end_date_success",
                 "partition_date"}
WITH_AIRFLOW = {"macros", "dag", "dag_run", "task", "params", "triggering_asset_events"}
SERIALIZERS = ("pickle", "dill", "cloudpickle")
MARK = "TAILRACE_TASKS_OF"  # by which what a killed program left is found
# Any Python says what it is, 2 as well.
PROBE = """
import json, sys
def has(name):
    try:
        from importlib.util import find_spec
        return find_spec(name) is not None
    except ImportError:
        return False
print(json.dumps([sys.version_info[0], has("airflow"), has("pendulum")]))
"""
# Here as there.
TIMES = """
def changed(value, change):
    if type(value) is dict:
        return {key: changed(one, change) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(changed(one, change) for one in value)
    return change(value)


def without_pendulum(value):
    import datetime
    if not isinstance(value, datetime.datetime) or type(value) is datetime.datetime:
        return value
    zone = value.tzinfo
    if zone is not None:
        try:
            from zoneinfo import ZoneInfo
            zone = ZoneInfo(value.timezone_name)
        except Exception:  # it has an offset and no name, or is of a Python before zoneinfo
            zone = datetime.timezone(value.utcoffset())
    return datetime.datetime(value.year, value.month, value.day, value.hour, value.minute, value.second,
                             value.microsecond, tzinfo=zone, fold=value.fold)
"""
SCRIPT = """
from __future__ import annotations

import {serializer}
import sys
import os
os.environ["PYTHON_OPERATORS_VIRTUAL_ENV_MODE"] = "1"
{provide}

# Script
{source}

with open(sys.argv[3], "r") as file:
    virtualenv_string_args = [line.strip() for line in file]


def _call(function, given):
    times = {{}}
    exec({times!r}, times)

    def as_pendulum(value):
        import datetime
        try:
            import pendulum
        except ImportError:
            return value
        return pendulum.instance(value) if isinstance(value, datetime.datetime) else value

    given = times["changed"](given, as_pendulum)
    return times["changed"](function(*given["args"], **given["kwargs"]), times["without_pendulum"])


with open(sys.argv[1], "rb") as file:
    _given = {serializer}.load(file)
try:
    _value = _call({name}, _given)
except Exception as problem:
    with open(sys.argv[4], "w") as file:
        file.write(str(problem))
    raise
with open(sys.argv[2], "wb") as file:
    if _value is not None:
        {serializer}.dump(_value, file)
"""


exec(TIMES)


def failure(text):
    from airflow.exceptions import AirflowException

    return AirflowException(text)


class Elsewhere:
    """One call. `settings` are the operator's arguments, rendered; `has_arguments`: of the function."""

    def __init__(self, function, settings, has_arguments):
        self.function, self.settings, self.has_arguments = function, settings, has_arguments
        self.external, self.operator = "python" in settings, settings["operator"]
        self.serializer = settings.get("serializer") or "pickle"
        self.airflow = self.pendulum = False
        if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
            raise ValueError(f"{self.operator} only supports functions for python_callable arg")
        if inspect.isgeneratorfunction(function):
            raise ValueError(f"{self.operator} does not support using 'yield' in python_callable")
        if self.serializer not in SERIALIZERS:
            raise failure(f"Unsupported serializer {self.serializer!r}. Expected one of "
                          + ", ".join(map(repr, SERIALIZERS)))
        if self.external:
            self.probe()
        else:
            self.check_versions()

    # --- what is there ---

    def other_major(self, major, said):
        if major != sys.version_info.major and self.has_arguments:
            raise failure("Passing op_args or op_kwargs is not supported across different Python major versions for "
                          f"{self.operator}. Please use string_args.Sys version: {sys.version_info}. Virtual "
                          f"environment version: {said}")

    def probe(self):
        path = pathlib.Path(self.settings["python"])
        if not path.exists():
            raise ValueError(f"Python Path '{path}' must exists")
        if not path.is_file():
            raise ValueError(f"Python Path '{path}' must be a file")
        if not path.is_absolute():
            raise ValueError(f"Python Path '{path}' must be an absolute path.")
        major, self.airflow, self.pendulum = json.loads(subprocess.check_output([path, "-c", PROBE]))
        self.other_major(major, major)
        expected = self.settings.get("expect_airflow", True)
        if expected and not self.airflow:
            print(f"{path} has no Airflow: the function gets none of the context that is made of Airflow's objects")
        self.airflow = self.airflow and expected
        self.pendulum = self.pendulum or self.airflow
        if self.settings.get("expect_pendulum") and not self.pendulum:
            print(f"{path} has no pendulum: the function gets none of the context's times")

    def check_versions(self):
        version = self.settings.get("python_version")
        if version is not None and not isinstance(version, str):
            raise failure("Passing non-string types (e.g. int or float) as python_version not supported")
        if version:
            self.other_major(int(version.partition(".")[0]), version)
        if self.settings.get("system_site_packages", True):
            self.airflow = self.pendulum = True
            return
        for line in "\n".join(self.texts("requirements")).splitlines():
            line = line.partition("#")[0].strip()
            if not line:
                continue
            found = re.match(r"[A-Za-z0-9][\w.-]*", line)
            if not found:
                raise ValueError(f"Invalid requirement '{line}': it begins with no package's name")
            name = found[0].lower().replace("_", "-")
            self.airflow = self.airflow or name == "apache-airflow"
            self.pendulum = self.pendulum or self.airflow or name == "pendulum"

    def context(self, context):
        """The part of a task's context that goes to the other Python."""
        names = ALWAYS | (WITH_PENDULUM if self.pendulum else set()) | (WITH_AIRFLOW if self.airflow else set())
        return {"templates_dict": None, **{name: value for name, value in context.items() if name in names}}

    # --- the environment that is made ---

    def texts(self, name):
        given = self.settings.get(name) or []
        return [given] if isinstance(given, str) else [str(one) for one in given]

    def requirements(self):
        wanted = self.texts("requirements")
        if not self.settings.get("system_site_packages", True) and self.serializer != "pickle":
            wanted += [self.serializer] if self.serializer not in wanted else []
        return sorted(wanted)

    def index_urls(self):
        """None: pip's own settings hold; none of a list: no index."""
        if self.settings.get("index_urls") is None and not self.settings.get("index_urls_from_connection_ids"):
            return None
        return self.texts("index_urls") + [index_url(one) for one in self.texts("index_urls_from_connection_ids")]

    def prepare(self, path):
        """A new environment in this folder, with uv where that is installed."""
        urls, environment = self.index_urls(), dict(os.environ)
        if urls is not None:
            lines = ["index-url = " + urls[0]] if urls else ["no-index = true"]
            if urls[1:]:
                lines.append("extra-index-url = " + " ".join(urls[1:]))
            (path / "pip.conf").write_text("\n".join(["[global]", *lines]))
        if urls:
            environment |= {"UV_DEFAULT_INDEX": urls[0]} | ({"UV_INDEX": " ".join(urls[1:])} if urls[1:] else {})
        version, uv = self.settings.get("python_version"), shutil.which("uv")
        python = f"python{version}" if version else sys.executable
        command = ([uv, "venv", "--allow-existing", "--seed", "--python", python] if uv else
                   [python, "-m", "venv"]) + [str(path)]
        if self.settings.get("system_site_packages", True):
            command.append("--system-site-packages")
        execute(command, environment)
        wanted = path / "requirements.txt"
        wanted.write_text("\n".join(self.requirements()))
        if self.requirements():
            install = [uv, "pip", "install", "--python", f"{path}/bin/python"] if uv else [f"{path}/bin/pip", "install"]
            execute([*install, *self.texts("pip_install_options"), "-r", str(wanted)], environment)

    def cached(self, folder):
        """An environment that is kept for the next try that wants the same, made by one try at a time."""
        same = {"requirements_list": self.requirements(),
                "pip_install_options": self.settings.get("pip_install_options"),
                "index_urls": self.settings.get("index_urls"),
                "cache_key": str(Variable.get("python_virtualenv_operator_cache_key", "")),
                "python_version": self.settings.get("python_version"),
                "system_site_packages": self.settings.get("system_site_packages", True)}
        text = json.dumps(same, sort_keys=True)
        path = folder / ("venv-" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8])
        marker = path / "install_complete_marker.json"
        print(f"Python virtual environment will be cached in {path}")
        folder.mkdir(parents=True, exist_ok=True)
        with open(f"{path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if marker.exists() and marker.read_text(encoding="utf8") == text:
                print(f"Reusing cached Python virtual environment in {path}")
                return path
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            try:
                self.prepare(path)
                marker.write_text(text, encoding="utf8")
            except Exception as problem:
                shutil.rmtree(path)
                raise failure(f"Unable to create new virtual environment in {path}") from problem
        return path

    # --- the call ---

    def run(self, args, kwargs):
        if self.external:
            return self.call(self.settings["python"], args, kwargs)
        if self.settings.get("venv_cache_path"):
            kept = self.cached(pathlib.Path(self.settings["venv_cache_path"]))
            return self.call(kept / "bin" / "python", args, kwargs)
        with tempfile.TemporaryDirectory(prefix="venv") as made:
            self.prepare(pathlib.Path(made))
            return self.call(pathlib.Path(made) / "bin" / "python", args, kwargs)

    def environment(self):
        settings = self.settings
        made = dict(os.environ) if settings.get("inherit_env", True) else {}
        if MARK in os.environ:
            made[MARK] = os.environ[MARK]
        made.update({name: str(value) for name, value in (settings.get("env_vars") or {}).items()})
        made["PYTHONPATH"] = os.pathsep.join(filter(None, [made.get("PYTHONPATH"), settings["dags_folder"]]))
        return made

    def call(self, python, args, kwargs):
        library = importlib.import_module(self.serializer)
        with tempfile.TemporaryDirectory(prefix="venv-call") as made:
            folder = pathlib.Path(made)
            names = ("script.py", "script.in", "script.out", "string_args.txt", "termination.log")
            script, given, result, texts, said = paths = [folder / name for name in names]
            given.write_bytes(dumped(library, args, kwargs))
            texts.write_text("\n".join(map(str, self.settings.get("string_args") or [])))
            if self.airflow:
                for name, text in self.settings["modules"].items():
                    (folder / f"{name}.py").write_text(text)
            script.write_text(SCRIPT.format(
                serializer=self.serializer, name=self.function.__name__,
                times=TIMES, source=textwrap.dedent(inspect.getsource(self.function)),
                provide="import tailrace_worker; tailrace_worker.provide()" if self.airflow else ""))
            command = [str(python), *map(str, paths)]
            try:
                execute(command, self.environment(), (3, 4) if self.airflow else ())
            except subprocess.CalledProcessError as problem:
                self.skip_on(problem.returncode)
                if said.exists() and said.stat().st_size > 0:
                    raise failure(f"Process returned non-zero exit status {problem.returncode}.\n"
                                  + said.read_text()) from None
                raise
            self.skip_on(0)
            return library.loads(result.read_bytes()) if result.stat().st_size > 0 else None

    def skip_on(self, code):
        from airflow.exceptions import AirflowSkipException

        codes = self.settings.get("skip_on_exit_code")
        if code in (codes if isinstance(codes, list) else [codes]):
            raise AirflowSkipException(f"Process exited with code {code}. Skipping.")


def dumped(library, args, kwargs):
    args, kwargs = plain(args), plain(kwargs)
    try:
        return library.dumps({"args": args, "kwargs": kwargs})
    except Exception:
        bad = [name for name, value in kwargs.items() if not can_go(library, value)]
        if bad:
            raise failure("Failed to serialize op_kwargs. The following keys contain objects that cannot be pickled: "
                          f"{bad}.") from None
        raise


def can_go(library, value):
    try:
        library.dumps(value)
        return True
    except Exception:
        return False


def plain(value):
    """Times as the standard library's, in the worker's own objects, too: the other Python may have no pendulum, or
    another."""
    def of_object(one):
        if type(one).__module__ != "tailrace_worker":
            return without_pendulum(one)
        made = object.__new__(type(one))
        made.__dict__.update(plain(one.__dict__))
        return made

    return changed(value, of_object)


def index_url(connection):
    """A connection's address with who asks there."""
    one = Connection.get(connection)
    if not one.host:
        raise ValueError("Please provide an index URL.")
    url = urllib.parse.urlparse(one.host)
    host = url.netloc.rpartition("@")[2]
    if one.login:
        word = ":" + urllib.parse.quote(one.password) if one.password else ""
        host = f"{urllib.parse.quote(one.login)}{word}@{host}"
    return url._replace(netloc=host).geturl()


def execute(command, environment, descriptors=()):
    """What it says goes to the try's log."""
    print("Executing cmd: " + shlex.join(map(str, command)), flush=True)
    sys.stderr.flush()
    subprocess.run(command, env=environment, pass_fds=descriptors, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                   check=True)
