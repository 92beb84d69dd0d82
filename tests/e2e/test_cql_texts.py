"""CQL's texts (tests/cql) are answered as real Cassandra answers them."""
import cql_server
import cql_texts
import pytest

FILES = sorted(cql_texts.TEXTS.glob("*.cql"))


def running(folder, *words):
    if not cql_server.there():
        pytest.skip("the program has no command `serve` yet")
    one = cql_server.CqlServer(folder, *words).start()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("serve"), "--materialized-views")


@pytest.fixture(scope="module")
def server_with_passwords(tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("passwords"), "--auth", "password", "--materialized-views")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_are_those_of_cassandra(server, server_with_passwords, path):
    needs = cql_texts.needs(path)
    if needs - {"passwords", "views"}:
        pytest.skip(f"not there: {', '.join(needs)}")
    server = server_with_passwords if "passwords" in needs else server
    other = cql_texts.differences(path, server.address)
    assert not other, f"{len(other)} of {len(cql_texts.steps_of(path))} answers differ\n" + "\n".join(other[:20])
