"""The real systems' tests leave no process behind, as those of tests/e2e; a real Cassandra for whoever asks for one."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import cassandra_side  # noqa: E402
import pytest  # noqa: E402
import tailrace  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left():
    yield
    for process in tailrace.started:
        if process.poll() is None:
            process.kill()
            process.wait()


def running_cassandra(folder, **settings):
    if not cassandra_side.JARS:
        pytest.skip(cassandra_side.SKIP)
    server = cassandra_side.RealCassandra(folder, **settings).start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory):
    """A real Cassandra that asks nobody who he is."""
    yield from running_cassandra(tmp_path_factory.mktemp("cassandra"))


@pytest.fixture(scope="module")
def cassandra_with_passwords(tmp_path_factory):
    """A real Cassandra with logins and permissions; its first user is cassandra, with the password cassandra."""
    yield from running_cassandra(tmp_path_factory.mktemp("cassandra"), **cassandra_side.PASSWORDS)
