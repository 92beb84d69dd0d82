"""Records what Airflow's operators take: `operators.py >spec/airflow_operators.yml`, where Airflow and providers are.

The classes that the embedded scheduler runs, and those beside them that DAG files name most. Arguments are those of the
constructors of a class and of its bases down to BaseOperator, whose own stand once, under `base`.
"""
import inspect
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "python"))

from airflow.sdk.bases.operator import BaseOperator  # noqa: E402
from airflow.sdk.bases.sensor import BaseSensorOperator  # noqa: E402
from airflow.sdk.module_loading import import_string  # noqa: E402

OPERATORS = """
standard.operators.bash.BashOperator standard.operators.empty.EmptyOperator standard.operators.smooth.SmoothOperator
standard.operators.python.PythonOperator standard.operators.python.BranchPythonOperator
standard.operators.python.ShortCircuitOperator standard.operators.python.PythonVirtualenvOperator
standard.operators.python.ExternalPythonOperator standard.operators.python.BranchPythonVirtualenvOperator
standard.operators.python.BranchExternalPythonOperator
standard.operators.latest_only.LatestOnlyOperator standard.operators.trigger_dagrun.TriggerDagRunOperator
standard.operators.datetime.BranchDateTimeOperator standard.operators.weekday.BranchDayOfWeekOperator
standard.sensors.bash.BashSensor standard.sensors.python.PythonSensor standard.sensors.filesystem.FileSensor
standard.sensors.external_task.ExternalTaskSensor standard.sensors.date_time.DateTimeSensor
standard.sensors.date_time.DateTimeSensorAsync standard.sensors.time.TimeSensor
standard.sensors.time_delta.TimeDeltaSensor standard.sensors.time_delta.WaitSensor
standard.sensors.weekday.DayOfWeekSensor
http.operators.http.HttpOperator http.sensors.http.HttpSensor
common.sql.operators.sql.SQLExecuteQueryOperator common.sql.operators.sql.SQLColumnCheckOperator
common.sql.operators.sql.SQLTableCheckOperator common.sql.operators.sql.SQLCheckOperator
common.sql.operators.sql.SQLValueCheckOperator common.sql.operators.sql.SQLThresholdCheckOperator
common.sql.operators.sql.SQLIntervalCheckOperator
common.sql.operators.sql.BranchSQLOperator common.sql.sensors.sql.SqlSensor
apache.kafka.operators.produce.ProduceToTopicOperator apache.kafka.operators.consume.ConsumeFromTopicOperator
apache.kafka.sensors.kafka.AwaitMessageSensor apache.kafka.sensors.kafka.AwaitMessageTriggerFunctionSensor
apache.spark.operators.spark_submit.SparkSubmitOperator apache.spark.operators.spark_sql.SparkSqlOperator
apache.cassandra.sensors.record.CassandraRecordSensor apache.cassandra.sensors.table.CassandraTableSensor
amazon.aws.sensors.s3.S3KeySensor amazon.aws.operators.s3.S3CreateObjectOperator
amazon.aws.operators.s3.S3DeleteObjectsOperator amazon.aws.operators.s3.S3CopyObjectOperator
slack.operators.slack_webhook.SlackWebhookOperator slack.operators.slack.SlackAPIPostOperator
smtp.operators.smtp.EmailOperator
"""
# What a class gives its base itself: from outside it is one argument too many.
GIVEN = {"airflow.providers.slack.operators.slack.SlackAPIPostOperator": ["method"]}
# Of python/tailrace_provider, which is found beside this file.
TAILRACE = """
tailrace_provider.operators.ingest.IngestOperator tailrace_provider.operators.refresh.RefreshOperator
tailrace_provider.operators.expect.ExpectOperator tailrace_provider.sensors.table.TableSensor
"""
DECORATORS = """
airflow.sdk.task airflow.sdk.definitions.decorators.task airflow.decorators.task
airflow.providers.standard.decorators.python.python_task
airflow.providers.standard.decorators.branch_python.branch_task
airflow.providers.standard.decorators.short_circuit.short_circuit_task
airflow.providers.standard.decorators.bash.bash_task airflow.providers.standard.decorators.sensor.sensor_task
airflow.providers.standard.decorators.python_virtualenv.virtualenv_task
airflow.providers.standard.decorators.external_python.external_python_task
airflow.providers.standard.decorators.branch_virtualenv.branch_virtualenv_task
airflow.providers.standard.decorators.branch_external_python.branch_external_python_task
"""
HEAD = """\
# What Airflow's operators take: the reader of DAG files checks names and required arguments by it, and the scheduler
# knows by it which arguments are templates. Recorded by tests/real/dags/operators.py from the versions named below, so
# that a file that passes here passes there; nobody edits it by hand.
# `aliases` are older paths that Airflow 3 still imports. `kinds`: what dag-factory does for a class and its
# subclasses: python (python_callable_name and _file), http, http_sensor, sql_sensor; and sensor, skips (may skip
# what is below it).
"""


def parameters(function):
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield name, parameter


def record(path, klass, base):
    arguments, required = [], []
    classes = klass.mro()
    for owner in classes[:classes.index(BaseOperator)]:
        init = owner.__dict__.get("__init__")
        if init is None:
            continue
        for name, parameter in parameters(init):
            if name in base or name in arguments or name in GIVEN.get(path, ()):
                continue
            arguments.append(name)
            if parameter.default is parameter.empty:
                required.append(name)
    return {"arguments": arguments, "required": required, "templates": sorted(klass.template_fields),
            "files": list(klass.template_ext), "kinds": kinds(klass),
            "aliases": aliases(path, klass)}


def kinds(klass):
    from airflow.providers.common.sql.sensors.sql import SqlSensor
    from airflow.providers.http.operators.http import HttpOperator
    from airflow.providers.http.sensors.http import HttpSensor
    from airflow.sdk.bases.skipmixin import SkipMixin
    from dagfactory.dagbuilder import PYTHON_CALLABLE_CLASSES

    found = {"python": PYTHON_CALLABLE_CLASSES, "http": HttpOperator, "http_sensor": HttpSensor,
             "sql_sensor": SqlSensor, "sensor": BaseSensorOperator, "skips": SkipMixin}
    return [kind for kind, of in found.items() if issubclass(klass, of)]


def aliases(path, klass):
    module, name = path.rsplit(".", 1)
    last = module.rsplit(".", 1)[1]
    folder = "sensors" if ".sensors." in module else "operators"
    found = []
    for candidate in (f"airflow.{folder}.{last}.{name}", f"airflow.{folder}.{last}_{folder[:-1]}.{name}",
                      f"airflow.operators.email.{name}"):
        try:
            if candidate != path and import_string(candidate) is klass:
                found.append(candidate)
        except ImportError:
            pass
    return found


def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value + '"' if value.startswith(".") or not value.isidentifier() and "." not in value else value
    return str(value)


def section(title, records, out):
    print(f"{title}:", file=out)
    for path, found in records:
        print(f"  {path}:", file=out)
        for word, value in found.items():
            if value:
                lines = fold(f"    {word}: {flow(value)}")
                print("\n".join(lines), file=out)


def fold(text, width=118):
    lines = []
    while len(text) > width:
        cut = text.rfind(" ", 0, width)
        lines.append(text[:cut])
        text = "      " + text[cut + 1:]
    return lines + [text]


def versions():
    from importlib.metadata import distributions

    named = sorted({(found.metadata["Name"], found.version) for found in distributions()
                    if found.metadata["Name"].startswith(("apache-airflow", "dag-factory"))})
    return fold("# " + " ".join(f"{name} {version}," for name, version in named).rstrip(","))


def main(out=sys.stdout):
    base = [name for name, _ in parameters(inspect.unwrap(BaseOperator.__init__))]
    hidden = {"dag", "task_group", "task_id"}
    print(HEAD + "\n".join(versions()).replace("\n      ", "\n#   "), file=out)
    print("\n".join(fold("base: " + flow([name for name in base if name not in hidden]))), file=out)
    paths = ["airflow.providers." + short for short in OPERATORS.split()] + TAILRACE.split()
    section("operators", [(path, record(path, import_string(path), base)) for path in paths], out)
    section("decorators", [(path, decorator(path, base)) for path in DECORATORS.split()], out)


def decorator(path, base):
    made = import_string(path)
    klass = None
    if not inspect.isfunction(made):
        klass = import_string("airflow.providers.standard.decorators.python._PythonDecoratedOperator")
    else:
        source = {"branch_task": "branch_python._BranchPythonDecoratedOperator",
                  "short_circuit_task": "short_circuit._ShortCircuitDecoratedOperator",
                  "bash_task": "bash._BashDecoratedOperator", "sensor_task": "sensor.DecoratedSensorOperator",
                  "python_task": "python._PythonDecoratedOperator",
                  "virtualenv_task": "python_virtualenv._PythonVirtualenvDecoratedOperator",
                  "external_python_task": "external_python._PythonExternalDecoratedOperator",
                  "branch_virtualenv_task": "branch_virtualenv._BranchPythonVirtualenvDecoratedOperator",
                  "branch_external_python_task": "branch_external_python._BranchExternalPythonDecoratedOperator"}
        klass = import_string("airflow.providers.standard.decorators." + source[path.rsplit(".", 1)[1]])
    found = record(path, klass, base)
    found["required"] = []  # what the function gives, or what the decorator fills in
    found["aliases"] = []
    return found


if __name__ == "__main__":
    main()
