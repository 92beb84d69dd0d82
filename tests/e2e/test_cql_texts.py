"""CQL's texts (tests/cql) are answered as real Cassandra answers them."""
import cql_server
import cql_texts
import pytest

FILES = sorted(cql_texts.TEXTS.glob("*.cql"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not cql_server.there():
        pytest.skip("the program has no command `serve` yet")
    one = cql_server.CqlServer(tmp_path_factory.mktemp("serve")).start()
    yield one
    one.kill()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_are_those_of_cassandra(server, path):
    if cql_texts.needs(path):
        pytest.skip("roles and passwords are not there yet")
    found = cql_texts.differences(path, server.address)
    assert not found, f"{len(found)} of {len(cql_texts.steps_of(path))} answers differ\n" + "\n".join(found[:20])
