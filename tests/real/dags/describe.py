"""Records what dag-factory and Airflow make of the DAG corpus: `describe.py DAGS_FOLDER >DAGS_FOLDER/described.json`.

One line a DAG, in the form of dags::describe: what differs from Airflow's defaults. `beyond/` is loaded by
python/tailrace_airflow/loader.py, the rest by dag-factory alone. Functions of Python tasks are recorded by their names,
since Airflow keeps nothing else of them.
"""
import datetime
import json
import logging
import os
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

ROOT = pathlib.Path(__file__).resolve().parents[3]
MONTHS = ("years", "months")


def main(folder, out=sys.stdout):
    folder = pathlib.Path(folder).resolve()
    os.environ.update(DAGS_DIR=str(folder), AIRFLOW__CORE__LOAD_EXAMPLES="False",
                      AIRFLOW__CORE__DAGS_FOLDER=str(folder), AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY="False")
    sys.path[:0] = [str(folder), str(ROOT / "python")]
    for file in sorted(folder.rglob("*.yml")):
        if file.name == "defaults.yml" or "broken" in file.parts:
            continue
        for dag in load(file, folder).values():
            text = json.dumps({"file": str(file.relative_to(folder)), "dag": describe(dag)}, ensure_ascii=False)
            print(text.replace(str(folder), "$DAGS_DIR"), file=out)


def load(file, folder):
    from dagfactory.dagfactory import _DagFactory
    from tailrace_airflow import loader

    if "beyond" in file.parts:
        names = {}
        loader.load(names, str(folder), str(file))
        return names
    return _DagFactory(str(file), defaults_config_path=str(folder)).build_dags()


def kept(values, defaults=()):
    """Without what says nothing: None, empty texts and lists, False, and the defaults named."""
    defaults = dict(defaults)
    return {name: value for name, value in values.items()
            if not (value is None or value == "" or value == [] or value == {} or
                    (value is False and name not in defaults) or
                    (name in defaults and value == defaults[name]))}


def seconds(delta):
    if delta is None:
        return None
    if any(getattr(delta, unit, 0) for unit in MONTHS):
        days = datetime.timedelta(days=delta.days, hours=delta.hours, minutes=delta.minutes, seconds=delta.seconds,
                                  microseconds=delta.microseconds)
        return [delta.years, delta.months, days.total_seconds()]
    if not isinstance(delta, datetime.timedelta):
        delta = datetime.timedelta(days=delta.days, hours=delta.hours, minutes=delta.minutes, seconds=delta.seconds)
    return delta.total_seconds()


def date(moment):
    return moment and moment.astimezone(datetime.timezone.utc).isoformat()


def plain(value):
    from airflow.sdk.definitions._internal.expandinput import MappedArgument
    from airflow.sdk.definitions.asset import Asset, AssetAlias
    from airflow.sdk.definitions.xcom_arg import PlainXComArg

    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime.timedelta):
        return {"timedelta": value.total_seconds()}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat() if value.tzinfo else str(value)}
    if isinstance(value, datetime.date):
        return {"datetime": str(value)}
    if isinstance(value, PlainXComArg):
        return {"xcom": [value.operator.task_id, value.key]}
    if isinstance(value, MappedArgument):
        return {"mapped": value._key}
    if isinstance(value, (Asset, AssetAlias)):
        return asset(value)
    if type(value).__name__ in ("SetDuringExecution", "ArgNotSet"):
        return None  # what a decorator fills in when the task runs
    if callable(value):
        return {"function": getattr(value, "__name__", type(value).__name__)}
    return value


def asset(of):
    from airflow.sdk.definitions.asset import AssetAlias

    if isinstance(of, AssetAlias):
        return {"alias": of.name}
    return kept({"name": of.name, "uri": of.uri, "group": of.group, "extra": of.extra}, {"group": "asset"})


def condition(of):
    from airflow.sdk.definitions.asset import AssetAll, AssetAny

    if isinstance(of, AssetAll):
        return {"all": [condition(part) for part in of.objects]}
    if isinstance(of, AssetAny):
        return {"any": [condition(part) for part in of.objects]}
    return asset(of)


def timetable(of):
    name = type(of).__name__
    if name in ("NullTimetable", "AssetTriggeredTimetable"):
        return {}
    found = {"kind": name}
    if hasattr(of, "timetables"):
        found["crons"] = [each.expression for each in of.timetables]
        of = of.timetables[0]
    elif hasattr(of, "expression"):
        found["crons"] = [of.expression]
    if hasattr(of, "timezone"):
        found["timezone"] = getattr(of.timezone, "name", str(of.timezone))
    if hasattr(of, "delta"):
        found["delta"] = seconds(of.delta)
    if hasattr(of, "interval"):
        found["interval"] = seconds(of.interval) or None
    immediately = getattr(of, "run_immediately", None)
    if isinstance(immediately, datetime.timedelta):
        found["run_immediately_within"] = seconds(immediately)
    elif immediately:
        found["run_immediately"] = True
    if hasattr(of, "event_dates"):
        found.update(dates=[date(each) for each in sorted(of.event_dates)],
                     restrict_to_events=of.restrict_to_events, description=of.description)
    return kept(found)


def callback(of):
    from functools import partial

    if not of:
        return None
    of = of[0] if isinstance(of, list) else of
    if isinstance(of, partial):
        return kept({"function": of.func.__name__, "kwargs": plain(of.keywords)})
    return {"function": of.__name__}


def params(of, source):
    found = {}
    for name in of:
        param = of.get_param(name)
        if source is not None and param.source != source:
            continue
        found[name] = {"value": plain(param.value), **kept({"description": param.description,
                                                             "schema": plain(param.schema)})}
        if str(param.value) == "NOTSET":
            del found[name]["value"]
    return found


def deadline(of):
    reference = of.reference
    return kept({"reference": type(reference).__name__, "interval": seconds(of.interval),
                 "fixed": date(getattr(reference, "_datetime", None)), "name": of.name,
                 "max_runs": getattr(reference, "max_runs", None), "min_runs": getattr(reference, "min_runs", None),
                 "callback": {"callback": of.callback.path, "kwargs": of.callback.kwargs or {},
                              "async": type(of.callback).__name__ == "AsyncCallback"}})


def mapped_input(of):
    from airflow.sdk.definitions._internal.expandinput import ListOfDictsExpandInput

    return {"kwargs": plain(of.value)} if isinstance(of, ListOfDictsExpandInput) else plain(dict(of.value))


def arguments(task, base):
    given = task.partial_kwargs if task.is_mapped else task._BaseOperator__init_kwargs
    found = {name: plain(value) for name, value in given.items() if name not in base}
    found.pop("kwargs_to_upstream", None)
    decorated = "Decorated" in type(task).__name__ or hasattr(task, "custom_operator_name")
    return kept(found) if decorated or task.is_mapped else found


# Beside FIELDS: what describe_task records under another name, and what has no meaning here.
OTHER_FIELDS = {"task_id", "dag", "task_group", "default_args", "python_callable", "trigger_rule", "weight_rule",
                "inlets", "outlets", "params", "task_display_name", "retry_policy", "sla", "email_on_failure",
                "email_on_retry", "allow_nested_operators",
                *(f"on_{word}_callback" for word in ("execute", "failure", "retry", "skipped", "success"))}
FIELDS = ("owner retries retry_delay retry_exponential_backoff max_retry_delay execution_timeout start_date end_date "
          "depends_on_past wait_for_downstream wait_for_past_depends_before_skipping ignore_first_depends_on_past pool "
          "pool_slots priority_weight queue max_active_tis_per_dag max_active_tis_per_dagrun do_xcom_push "
          "multiple_outputs doc_md").split()
DEFAULTS = {"trigger_rule": "all_success", "owner": "airflow", "retries": 0, "retry_delay": 300.0,
            "retry_exponential_backoff": 0, "pool": "default_pool", "pool_slots": 1, "priority_weight": 1,
            "weight_rule": "downstream", "queue": "default", "do_xcom_push": True}


def field(task, name):
    value = getattr(task, name, DEFAULTS.get(name))
    if task.is_mapped:
        value = task.partial_kwargs.get(name, value)
    if isinstance(value, datetime.datetime):
        return date(value)
    if isinstance(value, datetime.timedelta):
        return seconds(value)
    return value


def describe_task(task):
    base = set(FIELDS) | OTHER_FIELDS
    group = task.task_group
    found = {"id": task.task_id, "group": group.group_id if group and not group.is_root else None}
    found["upstream"] = sorted(task.upstream_task_ids)
    found.update({name: field(task, name) for name in FIELDS})
    if found["retry_exponential_backoff"] is True:
        found["retry_exponential_backoff"] = 2.0
    found["trigger_rule"] = str(getattr(task.trigger_rule, "value", task.trigger_rule))
    rule = task.weight_rule
    found["weight_rule"] = getattr(rule, "value", rule) if isinstance(rule, str) else type(rule).__name__
    found.update(is_setup=task.is_setup, is_teardown=task.is_teardown,
                 on_failure_fail_dagrun=task.on_failure_fail_dagrun)
    found["outlets"] = [plain(each) for each in task.outlets]
    found["inlets"] = [plain(each) for each in task.inlets]
    found["task_display_name"] = task.task_display_name if task.task_display_name != task.task_id else None
    found["params"] = params(task.params, "task")
    for word in ("execute", "failure", "retry", "skipped", "success"):
        found[f"on_{word}"] = callback(getattr(task, f"on_{word}_callback"))
    found["arguments"] = arguments(task, base)
    given = task.partial_kwargs if task.is_mapped else task._BaseOperator__init_kwargs
    function = given.get("python_callable") or getattr(task, "python_callable", None)
    if function:
        found["arguments"]["function"] = function.__name__
    if task.is_mapped:
        found["expand"] = mapped_input(task._get_specified_expand_input())
    return kept(found, DEFAULTS)


def describe_group(group):
    from airflow.sdk.definitions.taskgroup import MappedTaskGroup

    parent = group.parent_group
    found = {"id": group.group_id, "parent": parent.group_id if parent and not parent.is_root else None,
             "tooltip": group.tooltip, "group_display_name": group.group_display_name,
             "prefix_group_id": group.prefix_group_id}
    if isinstance(group, MappedTaskGroup):
        found["expand"] = mapped_input(group._expand_input)
    return kept(found, {"prefix_group_id": True})


def restriction(dag):
    """_time_restriction, which Airflow keeps with the serialised DAG."""
    starts = [task.start_date for task in dag.tasks if task.start_date] + [dag.start_date] * bool(dag.start_date)
    ends = [task.end_date for task in dag.tasks if task.end_date]
    latest = dag.end_date
    if len(ends) == len(dag.tasks):
        latest = max(ends + [dag.end_date] * bool(dag.end_date), default=None)
    return {"earliest": date(min(starts, default=None)), "latest": date(latest)}


def describe(dag):
    from airflow.sdk.definitions.timetables.assets import AssetTriggeredTimetable

    docs = dag.doc_md or ""
    words = dag.user_defined_macros or {}
    found = {
        "id": dag.dag_id, "description": dag.description,
        "dag_display_name": dag.dag_display_name if dag.dag_display_name != dag.dag_id else None,
        "doc_md": docs[:docs.find("## YML DAG")].removesuffix("\n"),
        "tags": sorted(set(dag.tags) - {"dagfactory"}),
        "owners": sorted({task.owner for task in dag.tasks}),
        "start_date": date(dag.start_date), "end_date": date(dag.end_date), "catchup": dag.catchup,
        **restriction(dag),
        "max_active_runs": dag.max_active_runs, "max_active_tasks": dag.max_active_tasks,
        "max_consecutive_failed_dag_runs": dag.max_consecutive_failed_dag_runs or None,
        "dagrun_timeout": seconds(dag.dagrun_timeout),
        "render_template_as_native_obj": dag.render_template_as_native_obj, "fail_fast": dag.fail_fast,
        "params": params(dag.params, None), "user_defined_macros": plain(words),
        "on_failure": callback(dag.on_failure_callback), "on_success": callback(dag.on_success_callback),
        "owner_links": dag.owner_links, "timetable": timetable(dag.timetable),
        "deadlines": [deadline(each) for each in dag.deadline or []],
        "tasks": [describe_task(task) for task in sorted(dag.tasks, key=lambda task: task.task_id)],
        "groups": [describe_group(group) for name, group in sorted(dag.task_group_dict.items(), key=str) if name],
        "order": [task.task_id for task in dag.topological_sort()],
    }
    if isinstance(dag.timetable, AssetTriggeredTimetable):
        found["assets"] = condition(dag.timetable.asset_condition)
        inner = getattr(dag.timetable, "timetable", None)
        found["timetable"] = timetable(inner) if inner else {}
    found = kept(found, {"max_active_runs": 16, "max_active_tasks": 16})
    if dag.is_paused_upon_creation is not None:
        found["is_paused_upon_creation"] = dag.is_paused_upon_creation
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
