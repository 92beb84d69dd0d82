"""Apicurio Registry, by its Confluent API: the example with Avro runs on it as it is, and what it answers to requests
where it follows Confluent is what ours answers."""
import json

import pytest
import registry
import tailrace
from registry_side import APICURIO, Apicurio

AVRO_EXAMPLE = tailrace.ROOT / "examples" / "random_users_avro"


@pytest.fixture(scope="module")
def apicurio(tmp_path_factory):
    if not APICURIO:
        pytest.skip("TAILRACE_APICURIO is not set; tests/real/registry_env.sh prints it")
    one = Apicurio(tmp_path_factory.mktemp("apicurio")).start()
    yield one
    one.process.kill()
    one.process.wait()


def example_on(folder, url):
    folder.mkdir()
    project = tailrace.Project(folder, AVRO_EXAMPLE)
    settings = (project.folder / "tailrace.yml").read_text()
    settings = settings.replace("registry: embedded ", f"registry: {url} ")
    settings = settings.replace("first: 1000, rate: 50, limit: none", "limit: 3000")
    (project.folder / "tailrace.yml").write_text(settings)
    project.once()
    return project


def users(project):
    """But for when they came."""
    return project.sql("SELECT * EXCEPT (created_at) FROM users ORDER BY id")


@pytest.mark.smoke
def test_the_example_with_avro_gives_the_same_rows_on_apicurio(apicurio, tmp_path):
    real = example_on(tmp_path / "real", apicurio.url)
    ours = example_on(tmp_path / "ours", "embedded")
    assert len(users(ours)) == 3000
    assert users(real) == users(ours)
    query = "SELECT * FROM users_by_country_gender ORDER BY country, gender"
    assert real.sql(query) == ours.sql(query)
    assert apicurio.ask("GET", "/subjects/users_created-value/versions") == (200, [1])


def order(*fields):
    made = [{"name": name, "type": kind, **more} for name, kind, more in fields]
    return json.dumps({"type": "record", "name": "Order", "fields": made})


FIRST = order(("id", "long", {}), ("amount", "int", {}))
WIDER = order(("id", "long", {}), ("amount", "long", {}))
DEFAULTED = order(("id", "long", {}), ("amount", "long", {}), ("city", "string", {"default": "?"}))
MISSING = order(("id", "long", {}), ("amount", "long", {}), ("city", "string", {}))
TEXT = order(("id", "string", {}), ("amount", "long", {}))


KEPT = ("id", "subject", "version", "is_compatible")


def conversation(side):
    """Statuses, codes and what does not depend on the side: ids count on from those of others."""
    ids = {}
    versions = "/subjects/orders/versions"

    def ask(method, path, body=None):
        status, answer = side.ask(method, path, body)
        if isinstance(answer, dict):
            if "error_code" in answer:
                return status, answer["error_code"]
            if "id" in answer:
                answer["id"] = ids.setdefault(answer["id"], len(ids))
            # Confluent's answers to PUT /config and to a registration say more than Apicurio's.
            words = ["is_compatible"] if method == "PUT" else ["id"] if path == versions else KEPT
            return status, {k: answer[k] for k in words if k in answer}
        return status, answer

    yield ask("PUT", "/config", {"compatibility": "BACKWARD"})
    yield ask("GET", versions)
    yield ask("GET", "/subjects/orders/versions/1")
    for schema in (FIRST, FIRST, WIDER, DEFAULTED):
        yield ask("POST", versions, {"schema": schema})
    for schema in (MISSING, TEXT):
        yield ask("POST", versions, {"schema": schema})
        yield ask("POST", "/compatibility/subjects/orders/versions/latest", {"schema": schema})
    yield ask("POST", "/compatibility/subjects/orders/versions/latest", {"schema": DEFAULTED})
    yield ask("POST", "/compatibility/subjects/orders/versions/1", {"schema": WIDER})
    yield ask("GET", versions)
    yield ask("GET", versions + "/latest")
    yield ask("GET", versions + "/2")
    yield ask("GET", versions + "/9")
    yield ask("POST", "/subjects/orders", {"schema": WIDER})
    yield ask("POST", "/subjects/orders", {"schema": TEXT})
    yield ask("POST", "/subjects/none", {"schema": TEXT})
    yield ask("POST", versions, {"schema": "{"})
    yield ask("GET", "/schemas/ids/4711")
    yield ask("DELETE", versions + "/1")
    yield ask("GET", versions)
    yield ask("DELETE", "/subjects/orders")
    yield ask("GET", versions)


def test_requests_where_apicurio_follows_confluent_get_the_same_answers(apicurio, tmp_path):
    ours = registry.Registry(tmp_path).start()
    for number, (real, own) in enumerate(zip(conversation(apicurio), conversation(ours), strict=True)):
        assert own == real, number
    ours.stop()
