"""Values of tasks as JSON with Airflow's tags of classes, and back: module `tailrace_values` of the worker."""
import base64
import datetime
import inspect
import json

MOMENTS = ("pendulum.datetime.DateTime", "datetime.datetime")


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
