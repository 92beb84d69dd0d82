"""Random DAGs for Airflow and for the scheduler's tests: a description as plain data, and Airflow's DAG of it.

A description: {"id", "max_active_tasks", "fail_fast", "groups": [...], "tasks": [...]}.
A task: "id", "up" (ids), "kind" (python, empty, branch, short, list), "rule", "retries", "outcomes" (by try, then by
map index where it is mapped: ok, fail, skip, for_good), "weight", "weight_rule", "pool_slots", "group", "setup",
"teardown" and "fail_run"; "choice" of a branch (ids), "value" of a short circuit, "length" of a list; "expand": a
number of instances, or the id of a list. A group: "id", "expand" as of a task, or none.
"""
import datetime
import random

RULES = ["all_failed", "all_done", "one_failed", "one_success", "one_done", "none_failed",
         "none_failed_min_one_success", "none_skipped", "always", "all_skipped", "all_done_min_one_success"]


def describe(seed):
    """A description from a seed."""
    dice = random.Random(seed)
    fail_fast = dice.random() < 0.06
    dag = {"id": f"random_{seed}", "max_active_tasks": dice.choice([1, 2, 3, 16]), "fail_fast": fail_fast, "groups": [],
           "tasks": []}
    if dice.random() < 0.35 and not fail_fast:
        dag["groups"].append({"id": "g", "expand": dice.choice([1, 2, 3, None, "first"])})
    if any(group["expand"] == "first" for group in dag["groups"]) or dice.random() < 0.25:
        dag["tasks"].append(plain(dice, "first", kind="list", length=dice.choice([0, 1, 2, 3]),
                                  outcomes=[dice.choice(["ok", "ok", "ok", "ok", "fail", "skip"])]))
    for number in range(dice.randint(3, 9)):
        dag["tasks"].append(random_task(dice, dag, f"t{number}", fail_fast))
    if dice.random() < 0.3 and not fail_fast:
        add_setup(dice, dag)
    return dag


def is_decided(dag):
    """Whether Airflow's answer is its scheduler's. A task with many instances below a branch, whose rule does not wait
    for the branch, may wait for a slot when the branch skips it: then the order of rows decides whether it runs."""
    fast = {"one_success", "one_failed", "one_done", "always"}
    chooses = {t["id"] for t in dag["tasks"] if t["kind"] in ("branch", "short")}
    mapped = {g["id"] for g in dag["groups"] if g["expand"] is not None}
    return not any(t["rule"] in fast and chooses & set(t["up"]) and (t.get("expand") or t["group"] in mapped)
                   for t in dag["tasks"])


def plain(dice, name, **more):
    return {"id": name, "up": [], "kind": "python", "rule": "all_success", "retries": 0, "outcomes": ["ok"],
            "weight": 1, "weight_rule": "downstream", "pool_slots": 1, "group": None, **more}


def random_task(dice, dag, name, fail_fast):
    before = [task["id"] for task in dag["tasks"]]
    task = plain(dice, name, up=sorted(dice.sample(before, min(len(before), dice.choice([0, 1, 1, 2, 2, 3])))))
    task["kind"] = dice.choice(["python"] * 6 + ["empty", "branch", "short"])
    if task["up"] and dice.random() < 0.6 and not fail_fast:
        task["rule"] = dice.choice(RULES)
    task["weight"] = dice.choice([1, 1, 1, 2, 5, 10])
    task["weight_rule"] = dice.choice(["downstream", "downstream", "upstream", "absolute"])
    task["retries"] = dice.choice([0, 0, 0, 1, 2])
    if task["kind"] == "python":
        task["outcomes"] = [dice.choice(["ok"] * 5 + ["fail", "fail", "skip", "for_good"])
                            for _ in range(task["retries"] + 1)]
        if dice.random() < 0.2:
            lists = [t["id"] for t in dag["tasks"] if t["kind"] == "list"]
            task["expand"] = dice.choice([1, 2, 3, *lists])
            if task["expand"] in lists and task["expand"] not in task["up"]:
                task["up"] = sorted([*task["up"], task["expand"]])
            task["outcomes"] = [[dice.choice(["ok"] * 4 + ["fail", "skip"]) for _ in range(4)]
                                for _ in task["outcomes"]]
    if dag["groups"] and dice.random() < 0.5 and not task.get("expand"):
        task["group"] = "g"
        if dag["groups"][0]["expand"]:
            task["kind"] = "python"
            task["outcomes"] = [[dice.choice(["ok"] * 4 + ["fail", "skip"]) for _ in range(4)]
                                for _ in range(task["retries"] + 1)]
    if task["kind"] == "short":
        task |= {"value": dice.random() < 0.4, "ignore_rules": dice.random() < 0.6}
    return task


def add_setup(dice, dag):
    """A setup before some tasks and its teardown after some; tasks behind a setup have the default rule."""
    if not dag["tasks"]:
        return
    free = [t for t in dag["tasks"] if t["rule"] == "all_success" and not t["group"] and t["kind"] != "list"]
    if not free:
        return
    work = dice.sample(free, min(len(free), dice.randint(1, 2)))
    setup = plain(dice, "setup", setup=True, outcomes=[dice.choice(["ok", "ok", "ok", "fail", "skip"])])
    for task in work:
        task["up"] = sorted([*task["up"], "setup"])
    dag["tasks"].insert(0, setup)
    dag["tasks"].append(plain(dice, "teardown", up=sorted({"setup", *(t["id"] for t in work)}), teardown=True,
                              rule="all_done_setup_success", fail_run=dice.random() < 0.3,
                              outcomes=[dice.choice(["ok", "ok", "fail"])]))


def finish(dag):
    """What needs the tasks downstream: the choices of branches."""
    dice = random.Random(dag["id"])
    for task in dag["tasks"]:
        if task["kind"] == "branch":
            after = [t["id"] for t in dag["tasks"] if task["id"] in t["up"]]
            task["choice"] = sorted(dice.sample(after, dice.randint(0, len(after))))
    return dag


def build(dag):
    """Airflow's DAG of a description."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.operators.python import (
        BranchPythonOperator,
        PythonOperator,
        ShortCircuitOperator,
    )
    from airflow.sdk import DAG, TaskGroup
    from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput
    from airflow.sdk.definitions.taskgroup import MappedTaskGroup

    with DAG(dag["id"], schedule=None, start_date=datetime.datetime(2026, 1, 1), fail_fast=dag["fail_fast"],
             max_active_tasks=dag["max_active_tasks"]) as made:
        tasks, groups = {}, {}

        def group_of(description):
            expand = description["expand"]
            if expand is None:
                return TaskGroup(description["id"])
            value = tasks[expand].output if isinstance(expand, str) else list(range(expand))
            return MappedTaskGroup(expand_input=DictOfListsExpandInput({"x": value}), group_id=description["id"])

        for task in dag["tasks"]:
            if task["group"] and task["group"] not in groups:
                groups[task["group"]] = group_of(next(g for g in dag["groups"] if g["id"] == task["group"]))
            common = {"task_id": task["id"], "trigger_rule": task["rule"], "retries": task["retries"],
                      "retry_delay": datetime.timedelta(seconds=1), "priority_weight": task["weight"],
                      "weight_rule": task["weight_rule"], "pool_slots": task["pool_slots"],
                      "task_group": groups.get(task["group"], made.task_group)}
            if task["kind"] == "empty":
                one = EmptyOperator(**common)
            elif task["kind"] == "branch":
                names = [qualified(dag, name) for name in task["choice"]]
                one = BranchPythonOperator(python_callable=lambda names=names: names, **common)
            elif task["kind"] == "short":
                one = ShortCircuitOperator(python_callable=lambda value=task["value"]: value,
                                           ignore_downstream_trigger_rules=task["ignore_rules"], **common)
            else:
                call = outcome(task)
                if task.get("expand"):
                    over = task["expand"]
                    value = tasks[over].output if isinstance(over, str) else [{"x": i} for i in range(over)]
                    one = PythonOperator.partial(python_callable=call, **common).expand(op_kwargs=value)
                else:
                    one = PythonOperator(python_callable=call, **common)
            tasks[task["id"]] = one
        for task in dag["tasks"]:
            for other in task["up"]:
                tasks[task["id"]].set_upstream(tasks[other])
        for task in dag["tasks"]:
            if task.get("setup"):
                tasks[task["id"]].is_setup = True
            if task.get("teardown"):
                tasks[task["id"]].as_teardown(setups=tasks["setup"], on_failure_fail_dagrun=task["fail_run"])
    return made


def qualified(dag, name):
    group = next(t for t in dag["tasks"] if t["id"] == name)["group"]
    return f"{group}.{name}" if group else name


def outcome(task):
    def call(x=None, **context):
        from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

        ti = context["ti"]
        of_try = task["outcomes"][min(ti.try_number, len(task["outcomes"])) - 1]
        what = of_try if isinstance(of_try, str) else of_try[max(ti.map_index, 0) % len(of_try)]
        if what == "fail":
            raise ValueError("as asked")
        if what == "skip":
            raise AirflowSkipException("as asked")
        if what == "for_good":
            raise AirflowFailException("as asked")
        return [{"x": i} for i in range(task["length"])] if task["kind"] == "list" else 1

    return call
