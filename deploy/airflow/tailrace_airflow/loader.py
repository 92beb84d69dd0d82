"""DAG files on Airflow: dag-factory, and the few words of Airflow that dag-factory 1.1 cannot say.

`load(globals(), folder)` does what `dagfactory.load_yaml_dags` does. Beside that it takes, where Airflow has a feature
and dag-factory has no key for it:

  of a DAG    deadline, fail_fast, max_consecutive_failed_dag_runs, owner_links, allowed_run_types
  of a task   is_setup, is_teardown, on_failure_fail_dagrun (of a teardown), expand_kwargs (beside partial)
  of a group  expand: a mapped group; its tasks name a value of it as `+group['argument']`

Files of templates (`bash_command: script.sh`, `include`) are looked for in that folder first, where Airflow would look
beside the module that calls this; a relative `template_searchpath` is of the folder above it. The rest of a file is
read by dag-factory alone, unchanged.
"""
import functools
import pathlib
import re
from unittest import mock

from airflow.sdk import DAG, TaskGroup
from airflow.sdk.bases.decorator import _TaskDecorator
from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput, MappedArgument
from airflow.sdk.definitions.mappedoperator import OperatorPartial
from airflow.sdk.definitions.taskgroup import MappedTaskGroup
from airflow.sdk.definitions.xcom_arg import XComArg
from dagfactory import dagbuilder, dagfactory

DAG_WORDS = ("deadline", "fail_fast", "max_consecutive_failed_dag_runs", "owner_links", "allowed_run_types")
TASK_WORDS = ("is_setup", "is_teardown", "on_failure_fail_dagrun")
ALL_AT_ONCE = "__expand_kwargs__"
OF_GROUP = re.compile(r"^\+(?P<group>\w+)\[['\"](?P<key>.*)['\"]\]$")

_Builder = dagbuilder.DagBuilder
_build, _make_task, _make_decorator = _Builder.build, _Builder.make_task, _Builder.make_decorator
_normalise_tasks, _as_xcom = _Builder._normalise_tasks_config, _Builder._replace_kwargs_values_as_xcom


def load(names, folder, file=None):
    """Puts the DAGs of a folder (or of one file below it) into `names`, a module's globals()."""
    with patched(pathlib.Path(folder)):
        dagfactory.load_yaml_dags(globals_dict=names, dags_folder=folder, config_filepath=file,
                                  defaults_config_path=folder)


def patched(folder):
    """dag-factory with the words above, as a context."""
    return mock.patch.multiple(
        _Builder, build=functools.partialmethod(build, folder), make_task=staticmethod(make_task),
        make_decorator=staticmethod(make_decorator),
        _normalise_tasks_config=staticmethod(normalise_tasks), _replace_kwargs_values_as_xcom=staticmethod(as_xcom))


def build(builder, folder):
    given = {**builder.default_config, **builder.dag_config}
    extra = {word: given[word] for word in DAG_WORDS if given.get(word) is not None}
    path = given.get("template_searchpath") or []
    path = [folder.parent / one for one in ([path] if isinstance(path, str) else path)]
    builder.dag_config = {**builder.dag_config, "template_searchpath": [str(one) for one in (folder, *path)]}
    groups = []

    def make_group(**arguments):
        if not arguments.get("expand"):
            return TaskGroup(**arguments)
        groups.append(MappedTaskGroup(expand_input=DictOfListsExpandInput(arguments.pop("expand")), **arguments))
        return groups[-1]

    with mock.patch.object(dagbuilder, "DAG", functools.partial(DAG, **extra)), \
            mock.patch.object(dagbuilder, "TaskGroup", make_group), \
            mock.patch.object(OperatorPartial, "expand", expand_of(OperatorPartial.expand)), \
            mock.patch.object(_TaskDecorator, "expand", expand_of(_TaskDecorator.expand)):
        made = _build(builder)
    for group in groups:
        resolve(group, made["dag"])
    return made


def expand_of(plain):
    def expand(self, **arguments):
        if set(arguments) == {ALL_AT_ONCE}:
            return self.expand_kwargs(arguments[ALL_AT_ONCE])
        return plain(self, **arguments)

    return expand


def normalise_tasks(tasks):
    tasks = _normalise_tasks(tasks)
    for task in tasks.values():
        if "expand_kwargs" in task:
            task["expand"] = {ALL_AT_ONCE: task.pop("expand_kwargs")}
    return tasks


def make_task(operator, task_params):
    words = {word: task_params.pop(word) for word in TASK_WORDS if word in task_params}
    for key, value in task_params.items():
        task_params[key] = of_group(value, task_params.get("task_group"))
    return marked(_make_task(operator, task_params), words)


def make_decorator(decorator_import_path, task_params, tasks_dict):
    words = {word: task_params.pop(word) for word in TASK_WORDS if word in task_params}
    for key, value in task_params.items():
        task_params[key] = of_group(value, task_params.get("task_group"))
    return marked(_make_decorator(decorator_import_path, task_params, tasks_dict), words)


def marked(task, words):
    operator = task.operator if isinstance(task, XComArg) else task
    if words.get("is_setup"):
        operator.as_setup()
    if words.get("is_teardown"):
        operator.as_teardown(on_failure_fail_dagrun=words.get("on_failure_fail_dagrun", False))
    return task


def of_group(value, group):
    """`+group['argument']` inside a mapped group: that argument; anything else: itself."""
    match = OF_GROUP.match(value) if isinstance(value, str) else None
    while match and group is not None:
        if isinstance(group, MappedTaskGroup) and group._group_id == match["group"]:
            return MappedArgument(input=group._expand_input, key=match["key"])
        group = group.parent_group
    return value


def as_xcom(arguments, key, value, tasks):
    match = OF_GROUP.match(value) if isinstance(value, str) else None
    if match and match["group"] not in tasks:
        return False
    return _as_xcom(arguments, key, value, tasks)


def resolve(group, dag):
    """Lists that another task gives: `+task`, known only when the tasks are made."""
    values = group._expand_input.value
    for key, value in values.items():
        if isinstance(value, str) and re.fullmatch(r"\+[\w.]+", value):
            values[key] = dag.get_task(value[1:]).output
            group.set_upstream(dag.get_task(value[1:]))
