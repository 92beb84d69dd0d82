"""What the tasks of pythons.yml call in other Pythons; each has the imports that it needs inside."""

OF_THE_MODULE = "not known elsewhere"


def add(x, y=1):
    return {"sum": x + y, "pair": (x, y), "set": {y}}


def nothing():
    return None


def texts():
    return virtualenv_string_args  # noqa: F821


def of_module():
    return OF_THE_MODULE


def dates(ds, ts_nodash):
    return [ds, ts_nodash]


def interval(data_interval_start):
    return data_interval_start.isoformat()


def all_names(**context):
    return sorted(context)


def templates(templates_dict):
    return templates_dict


def leave(code):
    os._exit(code)  # noqa: F821


def variables():
    return [os.environ.get("A_VARIABLE"), "HOME" in os.environ, "AIRFLOW_CTX_DAG_ID" in os.environ]  # noqa: F821


def fail(x):
    raise ValueError(f"{x}, as asked")


def left():
    return "left"


def given(task):
    return task


def a_class():
    class Own:
        pass

    return Own()


def where():
    return os.path.basename(sys.prefix)  # noqa: F821


def of_wheel():
    import tiny

    return tiny.NAME


def variable(key):
    from airflow.sdk import Variable

    return Variable.get(key)
