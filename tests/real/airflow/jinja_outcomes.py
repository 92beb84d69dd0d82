"""What Jinja, as Airflow builds its environments, makes of templates: records the outcomes.

`jinja_outcomes.py FOLDER` runs in Airflow's Python and writes into FOLDER, tests/jinja or a copy of it. expected.jsonl:
the names are context.json's, in the form of Airflow's serialisation of XComs, so that datetimes keep their types.
airflow_expected.jsonl: the names are those that a worker gives a task; variables and connections come from the
environment, XComs from a dict here. serde.jsonl: values in the JSON of XComs. With SEED and COUNT instead random.jsonl,
of templates that nobody chose.
"""
import datetime
import enum
import json
import os
import pathlib
import random
import sys
import uuid

os.environ |= {
    "TZ": "UTC", "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW_VAR_GREETING": "hello", "AIRFLOW_VAR_SETTINGS": '{"size": 3, "names": ["a", "b"]}',
    "AIRFLOW_CONN_WAREHOUSE": '{"conn_type": "postgres", "host": "db.example.com", "port": 5432, "login": "me",'
                              ' "password": "p@ss/w", "schema": "main", "extra": {"sslmode": "require"}}',
    "AIRFLOW_CONN_PLAIN": '{"conn_type": "http", "host": "https://example.com"}',
}

import jinja2
import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.api.datamodels import _generated as api
from airflow.sdk.execution_time import task_runner
from airflow.sdk.definitions._internal.templater import create_template_env
from airflow.sdk.definitions.context import render_template
from airflow.sdk.serde import deserialize, serialize


def templates(path):
    """(template, native) of each line."""
    for line in path.read_text().splitlines():
        if line.startswith("# ") or not line:
            continue
        native = line.startswith("native: ")
        yield line.removeprefix("native: ").replace("⏎", "\n"), native


def kind_of(value):
    return type(value).__name__


def outcome(environment, template, context, native):
    """What a template gives: its text, or the repr of a native value, or the exception."""
    try:
        made = render_template(environment.from_string(template), context, native=native)
        if native:
            if isinstance(made, jinja2.Undefined):
                str(made)
            if kind_of(made) == "generator":
                return {"native": True, "kind": "generator", "out": None}
            if isinstance(made, enum.IntEnum):  # pendulum's WeekDay
                made = int(made)
            if isinstance(made, str):  # Markup of a constant is str, of others it is Markup: str here
                made = str(made)
            return {"native": True, "kind": kind_of(made), "out": repr(made)}
        return {"out": made}
    except Exception as error:  # what it raises is what is recorded
        failed = {"error": kind_of(error), "message": str(error)}
        if native:
            failed["native"] = True
        if isinstance(error, jinja2.TemplateSyntaxError):
            failed["message"] = error.message
            failed["line"] = error.lineno
        return failed


XCOMS = {
    ("extract", "return_value"): [{"rows": 5, "files": ["a", "b"]}], ("extract", "path"): ["/tmp/x"],
    ("other", "return_value"): ["o"], ("mapped", "return_value"): [10, 20, 30],
}


class Pulled:
    """XCom as the task runner asks for it."""

    @staticmethod
    def get_all(run_id, key, task_id, dag_id, include_prior_dates):
        there = run_id == "scheduled__2026-01-01T00:00:00+00:00" and dag_id == "shop"
        return XCOMS.get((task_id, key)) if there else None

    @staticmethod
    def get_one(run_id, key, task_id, dag_id, map_index, include_prior_dates):
        values = Pulled.get_all(run_id, key, task_id, dag_id, include_prior_dates) or []
        return values[map_index] if map_index is not None and map_index < len(values) else None


def task_context():
    """What a worker gives the templates of one task."""
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    with DAG("shop", schedule="@daily", start_date=day, params={"table": "orders", "limit": 10}):
        task = EmptyOperator(task_id="load", retries=2)
    run = api.DagRun(
        dag_id="shop", run_id="scheduled__2026-01-01T00:00:00+00:00", logical_date=day, data_interval_start=day,
        data_interval_end=day + 24 * hour, run_after=day + 24 * hour, start_date=day + 25 * hour, end_date=None,
        run_type="scheduled", state="running", conf={"tables": ["a", "b"], "day": "2025-12-31"},
        consumed_asset_events=[], partition_key=None)
    server = api.TIRunContext(dag_run=run, max_tries=2, task_reschedule_count=0)
    instance = task_runner.RuntimeTaskInstance.model_construct(
        id=uuid.UUID(int=1), task=task, dag_id="shop", task_id="load", run_id=run.run_id, try_number=1, map_index=-1,
        hostname="host", start_date=day + 25 * hour, max_tries=2, _ti_context_from_server=server)
    task_runner.XCom = Pulled
    before = api.PrevSuccessfulDagRunResponse(
        data_interval_start=day - 24 * hour, data_interval_end=day, start_date=day + hour, end_date=day + 2 * hour)
    task_runner.get_previous_dagrun_success = lambda ti_id: before
    return instance.get_template_context()


def record(folder, source, target, context_of):
    sandboxed, natural = create_template_env(), create_template_env(native=True)
    with open(folder / target, "w") as out:
        for template, native in templates(folder / source):
            result = outcome(natural if native else sandboxed, template, context_of(), native)
            out.write(json.dumps({"template": template} | result, ensure_ascii=False) + "\n")


def record_values(folder):
    """The JSON that XComs are kept as."""
    moment = pendulum.datetime(2026, 1, 2, 3, 4, 5, 123456, tz="Europe/Berlin")
    values = [
        None, True, 1, -1.5, "é", [1, [2]], {"a": 1, 2: "b"}, (1, "x", (2,)), moment, moment.in_timezone("UTC"),
        moment.in_timezone(pendulum.FixedTimezone(19800)), datetime.datetime(2026, 1, 2, 3, 4, 5),
        datetime.timedelta(days=1, microseconds=5), datetime.date(2026, 1, 2), {"at": [moment]},
    ]
    with open(folder / "serde.jsonl", "w") as out:
        for value in values:
            out.write(json.dumps(serialize(value)) + "\n")


# What Jinja finds out while it compiles differs from what it finds when it renders: no slices of constants.
LEAVES = [
    "number", "name", "items", "user", "users", "ratio", "flag", "nothing", "missing", "when", "berlin", "span",
    "plain_time", "0", "1", "-3", "2.5", "'a'", "''", "'Some text, here'", "'%s'", "'{}'", "none", "true",
    "false", "[]", "{}", "(1, 2)", "[3, 1, 2]", "['b', 'A']", "{'b': 1, 'a': 2}", "range(4)", "matrix", "'12'",
    "'<b>&'", "1e10", "items[1:]", "name[::-1]", "user[:1]", "number[1:]", "'é☃'", "config", "tree",
    "[none, 1]", "'2.50'", "'a-b c'", "10**6", "[[1, 'x'], [2, 'y']]",
]
OPERATORS = [
    "+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or",
]
FILTERS = [
    "abs", "batch(2)|list", "capitalize", "center(9)", "count", "default('d')", "default('d', true)",
    "dictsort", "e", "filesizeformat", "first", "last", "float", "float(1.5)", "format(1)", "indent",
    "indent(2, true)", "int", "int(5)", "items|list", "join", "join(', ')", "length", "list", "lower",
    "map('string')|list", "map(attribute='name')|list", "map('upper')|list", "max", "min", "pprint",
    "reject|list", "select|list", "reject('odd')|list", "select('string')|list", "selectattr('name')|list",
    "replace('a', 'b')", "reverse|list", "round", "round(1)", "round(1, 'floor')", "slice(2)|list", "sort",
    "sort(reverse=true)", "sort(attribute='name')", "string", "striptags", "sum", "title", "tojson",
    "tojson(2)", "trim", "truncate(5)", "truncate(5, true, '..', 0)", "unique|list", "upper", "urlencode",
    "urlize", "wordcount", "wordwrap(5)", "xmlattr", "ds", "ts", "ts_nodash", "ds_nodash", "attr('name')",
    "safe", "groupby('team')", "sum(attribute='age')", "forceescape", "trim('a')",
]
METHODS = [
    ".upper()", ".split()", ".split(',')", ".replace('a', 'x')", ".format(1, 2)", ".items()|list",
    ".keys()|list", ".get('name')", ".get('x', 5)", ".strftime('%Y-%m-%d %H')", ".add(months=1)",
    ".subtract(days=40)", ".isoformat()", ".format('YYYY-MM-DD Do')", ".end_of('month')", ".start_of('week')",
    ".name", "[0]", "[-1]", "['name']", ".date()", ".year", ".days",
    ".total_seconds()", ".zfill(5)", ".strip()", ".title()", ".count('a')", ".index(1)", ".index('a')",
    ".find('e')", ".startswith('a')", ".join(['x', 'y'])", ".timestamp()", ".to_date_string()",
    ".in_timezone('Asia/Tokyo')", ".isdigit()", ".splitlines()", ".partition(' ')", ".tables", ".children",
    "()", ".weekday()", ".day_of_year", ".replace(day=1)", ".ljust(8, '.')", ".rjust(4)", ".lower()",
    ".capitalize()",
]
TESTS = [
    "defined", "undefined", "even", "odd", "none", "string", "number", "integer", "float", "boolean",
    "iterable", "sequence", "mapping", "callable", "upper", "lower", "in [1, 'a']", "eq 1", "gt 1",
    "divisibleby 2", "true", "false", "sameas none", "escaped", "not defined", "ge 'a'",
]


def expression(random, depth):
    if depth == 0:
        return random.choice(LEAVES)
    inner = expression(random, depth - 1)
    kind = random.randrange(8)
    if kind == 0:
        return f"({inner} {random.choice(OPERATORS)} {expression(random, random.randrange(depth))})"
    if kind == 1:
        return f"({inner} if {expression(random, 0)} else {expression(random, 0)})"
    if kind == 2:
        return f"({inner} is {random.choice(TESTS)})"
    if kind < 5:
        return f"({inner}){random.choice(METHODS)}"
    return f"({inner}|{random.choice(FILTERS)})"


UNITS = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"]
SPANS = ["second", "minute", "hour", "day", "week", "month", "year", "decade", "century"]
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
    "America/Santiago", "Africa/Casablanca",
]
SHOWN = [
    "", ".isoformat()", ".day_of_week", ".week_of_year", ".week_of_month", ".quarter", ".offset", ".timestamp()",
    ".to_date_string()", ".to_iso8601_string()", ".to_rfc822_string()", ".to_cookie_string()", "|ts_nodash_with_tz",
    ".strftime('%c %G-%V-%u %U %W %s %D %x')", ".format('dddd Do MMMM YYYY HH:mm:ss.SSSSSS ZZ zz [at] X')",
    ".format('YY M D H h A DDDo Qo E e d ddd dd MMM LLLL')", ".diff(when)", ".diff(berlin).in_words()",
    ".diff_for_humans(when)", ".diff(gap, false).in_days()", ".diff(gap, false).in_months()", "|string", ".ctime()",
]


def moment(random):
    """Steps through the calendar, then something that shows where they led."""
    made = random.choice(["when", "berlin", "gap"])
    for _ in range(random.randrange(1, 5)):
        count = random.choice([0, 1, 1, 2, 3, 11, 25, 40, 100, 500]) * random.choice([1, 1, -1])
        step = random.randrange(8)
        if step < 3:
            made += f".{random.choice(['add', 'subtract'])}({random.choice(UNITS)}={count})"
        elif step == 3:
            made += f".{random.choice(['start_of', 'end_of'])}('{random.choice(SPANS)}')"
        elif step == 4:
            made += f".in_timezone('{random.choice(ZONES)}')"
        elif step == 5:
            made += f".{random.choice(['next', 'previous'])}({random.randrange(7)})"
        elif step == 6:
            made += f".{random.choice(['first_of', 'last_of'])}('{random.choice(['month', 'quarter', 'year'])}')"
        else:
            made = f"({made} {random.choice('+-')} span * {count})"
    return made + random.choice(SHOWN)


def random_template(random):
    """An expression, sometimes within a statement."""
    if random.random() < 0.3:
        return f"{{{{ {moment(random)} }}}}"
    inner = expression(random, random.choice([1, 1, 1, 2, 2, 3]))
    kind = random.randrange(12)
    if kind == 0:
        return f"{{% for i in {inner} %}}{{{{ loop.index }}}}{{{{ i }}}};{{% else %}}none{{% endfor %}}"
    if kind == 1:
        return f"{{% if {inner} %}}yes{{% else %}}no{{% endif %}}"
    if kind == 2:
        return f"{{% set v = {inner} %}}{{{{ v }}}}{{{{ [v] }}}}"
    return f"{{{{ {inner} }}}}"


def record_random(folder, seed, count):
    """Templates that nobody chose."""
    source = random.Random(seed)
    names = json.loads((folder / "context.json").read_text())
    sandboxed, natural = create_template_env(), create_template_env(native=True)
    with open(folder / "random.jsonl", "w") as out:
        for _ in range(count):
            template, native = random_template(source), source.random() < 0.15
            result = outcome(natural if native else sandboxed, template, deserialize(names), native)
            text = result.get("out") or ""
            if " at 0x" in text or len(text) > 5000:
                continue
            out.write(json.dumps({"template": template} | result, ensure_ascii=False) + "\n")


def main(folder, seed=None, count=0):
    if seed is not None:
        record_random(folder, int(seed), int(count))
        return
    names = json.loads((folder / "context.json").read_text())
    record(folder, "templates.txt", "expected.jsonl", lambda: deserialize(names))
    record(folder, "airflow_templates.txt", "airflow_expected.jsonl", task_context)
    record_values(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *sys.argv[2:])
