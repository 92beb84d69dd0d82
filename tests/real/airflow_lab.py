"""Airflow's own scheduler, step by step in this process: what the scheduler's tests are measured against.

The scheduler's code is Airflow's (SchedulerJobRunner._do_scheduling on a SQLite metadata database); the clock stands
still and is moved by hand; its executor runs one task after the other, in this process, in the order in which the
scheduler queued them, and the scheduler looks at everything between two tasks. So a recording says exactly what
Airflow decides, and in which order, whatever the machine does.

    tests/real/airflow_lab.py corpus [--into=FOLDER] [FILE…]   records tests/dags/*.yml to tests/dags/expected/
    tests/real/airflow_lab.py random SEED COUNT FILE   records random DAGs, a line each
    tests/real/airflow_lab.py rules               records every trigger rule to src/sched/testdata/trigger_rules.txt

Run it with the Python of tests/real/airflow_env.sh.
"""
import contextlib
import datetime
import json
import logging
import os
import pathlib
import re
import sys
import tempfile
import traceback
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAGS = ROOT / "tests/dags"
START = datetime.datetime(2026, 2, 1, 12, tzinfo=datetime.timezone.utc)
MAX_STEPS = 400


def set_up(home):
    """Airflow's environment; before its first import."""
    os.environ.update({
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__PARALLELISM": "64",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of thirty-two bytes, and more",
        "AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "100",
        "DAGS_DIR": str(DAGS),
        "AIRFLOW_CONN_FS_DEFAULT": "fs://",  # of FileSensor
    })
    sys.path[:0] = [str(DAGS), str(ROOT / "python")]
    (home / "dags").mkdir(parents=True, exist_ok=True)
    os.chdir(home)
    from airflow.utils import db

    db.initdb()
    logging.disable(logging.CRITICAL)


def word(state):
    """A state's name."""
    return "none" if state is None else str(getattr(state, "value", state))


class Clock:
    """A clock that stands still until it is moved, for Python and for SQL."""

    def __init__(self):
        import time_machine
        from airflow import settings
        from sqlalchemy import event

        self.traveller = time_machine.travel(START, tick=False)
        self.coordinates = self.traveller.start()
        event.listen(settings.engine, "before_cursor_execute", self._rewrite, retval=True)

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc)

    def move_to(self, instant):
        self.coordinates.move_to(instant)

    def _rewrite(self, connection, cursor, statement, parameters, context, many):
        return statement.replace("CURRENT_TIMESTAMP", f"'{self.now():%Y-%m-%d %H:%M:%S.%f}'"), parameters


class Lab:
    """One metadata database, its DAGs, its scheduler."""

    def __init__(self, home):
        set_up(home)
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.executors.base_executor import BaseExecutor
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.utils.session import create_session

        class OneByOne(BaseExecutor):
            """Keeps what is queued, in order; Lab runs it."""

            def sync(self):
                pass

        self.create_session = create_session
        self.nowhere = open(os.devnull, "w")  # open as long as the loggers that keep it
        self.clock = Clock()
        self.executor = OneByOne(parallelism=64)
        self.executor.name = __import__("airflow.executors.executor_utils", fromlist=["ExecutorName"]).ExecutorName(
            module_path="lab.OneByOne", alias="LocalExecutor")
        with create_session() as session:
            DagBundlesManager().sync_bundles_to_db(session=session)
        job = Job()
        self.runner = SchedulerJobRunner(job=job, executors=[self.executor])
        self.runner._try_to_load_executor = lambda *args, **kwargs: self.executor
        with create_session() as session:
            session.add(job)
        self.dags = {}

    def add(self, dags):
        """Writes DAGs to the database as the DAG processor does, paused."""
        from airflow.dag_processing.collection import update_dag_parsing_results_in_db
        from airflow.serialization.serialized_objects import LazyDeserializedDAG

        self.dags.update({dag.dag_id: dag for dag in dags})
        with self.create_session() as session:
            update_dag_parsing_results_in_db(
                "dags-folder", None, [LazyDeserializedDAG.from_dag(dag) for dag in dags], {}, None, set(),
                session=session)

    def unpause(self, *dag_ids, paused=False):
        from airflow.models.dag import DagModel

        with self.create_session() as session:
            for dag_id in dag_ids:
                session.get(DagModel, dag_id).is_paused = paused

    def forget_failure(self):
        """After an error in the middle: no DAG goes on, and no transaction is open."""
        from airflow import settings
        from airflow.models.dag import DagModel
        from sqlalchemy import update

        settings.Session.remove()
        self.executor.queued_tasks.clear()
        with self.create_session() as session:
            session.execute(update(DagModel).values(is_paused=True))

    def trigger(self, dag_id, conf=None):
        from airflow.api.common.trigger_dag import trigger_dag
        from airflow.utils.types import DagRunTriggeredByType

        run = trigger_dag(dag_id, triggered_by=DagRunTriggeredByType.TEST, run_id=f"manual__{dag_id}", conf=conf or {})
        return run.run_id

    # --- the scheduler's loop --------------------------------------------------------------------

    def schedule(self):
        """Lets the scheduler look until it finds nothing to do."""
        before = None
        for _ in range(60):
            with self.create_session() as session:
                self.runner._do_scheduling(session)
            with self.create_session() as session:
                self.runner._update_dag_run_state_for_paused_dags(session=session)
                self.runner._mark_backfills_complete(session=session)
            state = self.states()
            if state == before:
                return
            before = state
        raise RuntimeError("the scheduler does not come to rest")

    def states(self):
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance as TI
        from sqlalchemy import select

        with self.create_session() as session:
            tasks = session.execute(select(TI.dag_id, TI.run_id, TI.task_id, TI.map_index, TI.state, TI.try_number)
                                    .order_by(TI.dag_id, TI.run_id, TI.task_id, TI.map_index)).all()
            runs = session.execute(select(DagRun.dag_id, DagRun.run_id, DagRun.state).order_by(DagRun.id)).all()
        return tasks, runs

    def run_next(self):
        """Runs the task that was queued first; what became of it, or None where none is queued."""
        from airflow.models.taskinstance import TaskInstance as TI
        from airflow.sdk.api.datamodels._generated import TaskInstance as SdkTI
        from airflow.sdk.execution_time.supervisor import run_task_in_process

        if not self.executor.queued_tasks:
            return None
        key = next(iter(self.executor.queued_tasks))
        workload = self.executor.queued_tasks.pop(key)
        with self.create_session() as session:
            ti = session.get(TI, workload.ti.id)
            if ti is None or ti.state != "queued":  # skipped or cleared meanwhile
                return {"task": [key.dag_id, key.run_id, key.task_id, key.map_index], "gone": True}
            sdk = SdkTI(id=ti.id, task_id=ti.task_id, dag_id=ti.dag_id, run_id=ti.run_id, try_number=ti.try_number,
                        map_index=ti.map_index, dag_version_id=ti.dag_version_id)
        task = self.dags[key.dag_id].task_dict[key.task_id]
        with contextlib.redirect_stdout(self.nowhere):
            run_task_in_process(ti=sdk, task=task)
        return self.outcome(key, sdk.try_number)

    def outcome(self, key, try_number):
        from airflow.models.asset import AssetEvent
        from airflow.models.taskinstance import TaskInstance as TI
        from airflow.models.taskmap import TaskMap
        from airflow.models.taskreschedule import TaskReschedule
        from airflow.models.xcom import XComModel
        from sqlalchemy import select

        of = {"dag_id": key.dag_id, "run_id": key.run_id, "task_id": key.task_id, "map_index": key.map_index}
        with self.create_session() as session:
            ti = session.scalars(select(TI).filter_by(**of)).one()
            found = {"task": list(of.values()), "try": try_number, "state": word(ti.state)}
            xcoms = {x.key: x.value for x in session.scalars(select(XComModel).filter_by(**of))}
            if ti.state == "success":
                if xcoms.get("return_value") is not None:
                    found["returned"] = True
                length = session.scalar(select(TaskMap.length).filter_by(**of))
                if length is not None:
                    found["mapped_length"] = length
                skips = xcoms.get("skipmixin_key")
                skips = json.loads(skips) if isinstance(skips, str) else skips
                if skips:
                    downstream = sorted(self.dags[key.dag_id].task_dict[key.task_id].downstream_task_ids)
                    found["skip"] = (skips["skipped"] if "skipped" in skips else
                                     [x for x in downstream if x not in skips["followed"]])
                outlets = session.scalars(select(AssetEvent).filter_by(
                    source_dag_id=key.dag_id, source_run_id=key.run_id, source_task_id=key.task_id,
                    source_map_index=key.map_index).order_by(AssetEvent.id)).all()
                if outlets:
                    found["events"] = [event.asset.uri for event in outlets]
                    found["aliases"] = sorted({alias.name for event in outlets for alias in event.source_aliases})
            elif ti.state == "up_for_reschedule":
                due = session.scalars(select(TaskReschedule.reschedule_date).filter_by(ti_id=ti.id)
                                      .order_by(TaskReschedule.id.desc())).first()
                found["at"] = due.timestamp()
            elif ti.state == "up_for_retry":
                ti.task = self.serialized(session, ti)
                found["at"] = ti.next_retry_datetime().timestamp()
            elif ti.state == "failed":
                found["tries_left"] = ti.max_tries != 0 and try_number <= ti.max_tries
            return found

    def serialized(self, session, ti):
        return self.runner.scheduler_dag_bag.get_latest_version_of_dag(ti.dag_id, session=session).get_task(ti.task_id)

    def next_due(self):
        """When a retry or a look of a sensor is due."""
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance as TI
        from airflow.models.taskreschedule import TaskReschedule
        from sqlalchemy import select

        due = []
        with self.create_session() as session:
            waiting = session.scalars(select(TI).join(TI.dag_run).where(
                DagRun.state == "running", TI.state.in_(["up_for_retry", "up_for_reschedule"]))).all()
            for ti in waiting:
                if ti.state == "up_for_retry":
                    ti.task = self.serialized(session, ti)
                    due.append(ti.next_retry_datetime() + datetime.timedelta(milliseconds=1))
                else:
                    due.append(session.scalars(select(TaskReschedule.reschedule_date).filter_by(ti_id=ti.id)
                                               .order_by(TaskReschedule.id.desc())).first())
        return min(due, default=None)

    def play(self, resume=None):
        """Runs everything to its end; the outcomes in order. Deferred tasks go on by `resume`."""
        trace = []
        for _ in range(MAX_STEPS):
            self.schedule()
            done = self.run_next()
            if done is not None:
                if not done.get("gone"):
                    trace.append(done)
                if done.get("state") == "deferred":
                    self.resume(done)
                continue
            due = self.next_due()
            if due is None:
                return trace
            self.clock.move_to(max(due, self.clock.now()))
            trace.append({"now": self.clock.now().timestamp()})
        trace.append({"cut": True})
        return trace

    def resume(self, done):
        """Runs the trigger that a task waits for, until it fires."""
        import asyncio

        from airflow.models.taskinstance import TaskInstance as TI
        from airflow.models.trigger import Trigger
        from airflow.sdk._shared.module_loading import import_string
        from sqlalchemy import select

        dag_id, run_id, task_id, map_index = done["task"]
        with self.create_session() as session:
            ti = session.scalars(select(TI).filter_by(
                dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)).one()
            row = session.get(Trigger, ti.trigger_id)
            trigger = import_string(row.classpath)(**row.kwargs)
            row_id = row.id

        moment = getattr(trigger, "moment", None)
        if moment is not None:
            self.clock.move_to(max(moment, self.clock.now()) + datetime.timedelta(seconds=1))
            done["resumed_at"] = self.clock.now().timestamp()

        async def first():
            async for event in trigger.run():
                return event

        event = asyncio.run(asyncio.wait_for(first(), 30))
        with self.create_session() as session:
            Trigger.submit_event(row_id, event, session=session)

    def result(self, dag_ids):
        """The runs of these DAGs, as they ended."""
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance as TI
        from sqlalchemy import select

        runs = []
        with self.create_session() as session:
            for run in session.scalars(select(DagRun).where(DagRun.dag_id.in_(dag_ids)).order_by(DagRun.id)):
                tasks = session.execute(
                    select(TI.task_id, TI.map_index, TI.state, TI.try_number)
                    .filter_by(dag_id=run.dag_id, run_id=run.run_id).order_by(TI.task_id, TI.map_index)).all()
                runs.append({
                    "dag": run.dag_id, "run": run.run_id, "type": word(run.run_type), "state": word(run.state),
                    "logical_date": run.logical_date and run.logical_date.timestamp(),
                    "tasks": [[t, m, word(s), n] for t, m, s, n in tasks]})
        return runs


# --- what is recorded -------------------------------------------------------------------------------------------------

TRIGGER = re.compile(r"schedule: *(none|null|~)? *$", re.M)


def record_file(lab, path, module):
    """All DAGs of one corpus file: a run of each that has no schedule, and what the others' schedules make."""
    from tailrace_airflow import loader

    names = {}
    loader.load(names, str(DAGS) if path.parent == DAGS or path.parent.name == "beyond" else str(path.parent),
                str(path))
    from airflow.sdk import DAG

    dags = {name: dag for name, dag in names.items() if isinstance(dag, DAG)}
    lab.add(dags.values())
    lab.clock.move_to(START)
    lab.unpause(*dags)
    trace = []
    asset_or_none = [d for d in sorted(dags) if dags[d].timetable.__class__.__name__ in
                     ("NullTimetable", "AssetTriggeredTimetable")]
    triggers = [d for d in asset_or_none if dags[d].timetable.__class__.__name__ == "NullTimetable"]
    for dag_id in triggers:
        if dag_id.endswith("_target"):
            continue
        lab.trigger(dag_id)
        trace.append({"trigger": dag_id})
        trace += lab.play()
    if len(triggers) < len(dags):
        trace += lab.play()
    recorded = {"file": str(path.relative_to(DAGS)), "dags": sorted(dags), "now": START.timestamp(), "trace": trace,
                "runs": lab.result(sorted(dags))}
    lab.unpause(*dags, paused=True)
    return recorded


def corpus(files):
    # @continuous needs a clock that goes on, and a task that waits for another DAG needs two hands; dag-factory's
    # EventsTimetable is refused by the serialisation of Airflow.
    into = [f for f in map(str, files) if f.startswith("--into=")]
    files = [f for f in files if not str(f).startswith("--into=")]
    left_out = {"schedule_continuous", "schedule_events", "trigger_dag_run"}
    paths = [pathlib.Path(f).resolve() for f in files] or sorted([*DAGS.glob("*.yml"), *DAGS.glob("beyond/*.yml")])
    out = pathlib.Path(into[0].removeprefix("--into=")).resolve() if into else DAGS / "expected"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(pathlib.Path(home))
        for path in paths:
            if path.stem in left_out:
                continue
            try:
                recorded = record_file(lab, path, None)
            except Exception as e:
                traceback.print_exc()
                print(f"{path.name}: {type(e).__name__}", file=sys.stderr, flush=True)
                lab.forget_failure()
                continue
            with open(out / (path.stem + ".json"), "w") as file:
                file.write(lines(recorded))
            print(path.name, len(recorded["trace"]), [(r["dag"], r["state"]) for r in recorded["runs"]][:6], flush=True)


def lines(recorded):
    """JSON with one line for each step and each run."""
    text = "{" + ",\n ".join(f"{json.dumps(k)}: {json.dumps(recorded[k])}" for k in ("file", "dags", "now"))
    text += ",\n \"trace\": [\n  " + ",\n  ".join(json.dumps(x) for x in recorded["trace"]) + "]"
    return text + ",\n \"runs\": [\n  " + ",\n  ".join(json.dumps(x) for x in recorded["runs"]) + "]}\n"


def random_dags(arguments):
    """COUNT random DAGs from SEED on, a line each: the description, Airflow's trace, the run."""
    import airflow_random

    seed, count, out = int(arguments[0]), int(arguments[1]), pathlib.Path(arguments[2])
    with tempfile.TemporaryDirectory() as home, open(out, "w") as file:
        lab = Lab(pathlib.Path(home))
        for number in range(seed, seed + count):
            description = airflow_random.finish(airflow_random.describe(number))
            if not airflow_random.is_decided(description):
                continue
            try:
                dag = airflow_random.build(description)
                lab.add([dag])
                lab.clock.move_to(START)
                lab.unpause(dag.dag_id)
                lab.trigger(dag.dag_id)
                trace = [{"trigger": dag.dag_id}, *lab.play()]
            except Exception as e:
                print(f"{number}: {type(e).__name__}: {e}", file=sys.stderr, flush=True)
                lab.forget_failure()
                continue
            [run] = lab.result([dag.dag_id])
            lab.unpause(dag.dag_id, paused=True)
            file.write(json.dumps({"dag": description, "now": START.timestamp(), "trace": trace, "run": run},
                                  separators=(",", ":")) + "\n")
            file.flush()


STATES = [None, "running", "success", "failed", "skipped", "upstream_failed", "removed"]
LETTERS = {"skipped": "s", "upstream_failed": "f", "removed": "x"}


def rules(arguments):
    """Every trigger rule on every combination of up to three upstream states, some of them setups', on both kinds of
    task instance: what TriggerRuleDep decides. No database: the task instances upstream are given."""
    with tempfile.TemporaryDirectory() as home:
        set_up(pathlib.Path(home))
        from airflow.task.trigger_rule import TriggerRule
        from airflow.ti_deps.dep_context import DepContext
        from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep

        def decide(rule, states, setups, map_index):
            upstream = [types.SimpleNamespace(task_id=f"u{i}", is_setup=i < setups, get_needs_expansion=lambda: False)
                        for i in range(len(states))]
            finished = [types.SimpleNamespace(task_id=task.task_id, state=state, task=task, map_index=-1)
                        for task, state in zip(upstream, states) if state not in (None, "running")]
            task = types.SimpleNamespace(
                upstream_task_ids={t.task_id for t in upstream}, upstream_list=upstream, is_teardown=False,
                trigger_rule=rule, task_id="t", get_upstreams_only_setups=lambda: [],
                get_closest_mapped_task_group=lambda: None)
            became = []
            ti = types.SimpleNamespace(task=task, map_index=map_index, get_dagrun=lambda session: None,
                                       set_state=lambda state, session: became.append(state) or True)
            context = DepContext(flag_upstream_failed=True, finished_tis=finished)
            met = all([s.passed for s in TriggerRuleDep()._get_dep_statuses(ti, context, session=None)])
            return LETTERS[str(became[-1].value)] if became else "r" if met else "w"

        with open(ROOT / "src/sched/testdata/trigger_rules.txt", "w") as out:
            out.write(
                "# Airflow 3.3.2's TriggerRuleDep (tests/real/airflow_lab.py rules): rule, tasks upstream, setups "
                "among them (the first),\n"
                "# map index, then a letter for each combination of states, the first task's changing fastest:\n"
                "# none, running, success, failed, skipped, upstream_failed, removed. r: runs, w: waits, s, f, x: "
                "becomes skipped,\n# upstream_failed, removed.\n")
            for rule in TriggerRule:
                for count in (1, 2, 3):
                    for setups in range(count + 1):
                        for map_index in (-1, 2):
                            line = "".join(
                                decide(rule, [STATES[n // 7 ** i % 7] for i in range(count)], setups, map_index)
                                for n in range(7 ** count))
                            out.write(f"{rule.value} {count} {setups} {map_index} {line}\n")


if __name__ == "__main__":
    {"corpus": corpus, "random": random_dags, "rules": rules}[sys.argv[1]](sys.argv[2:])
