"""The real systems' tests leave no process behind, as those of tests/e2e."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import pytest  # noqa: E402
import tailrace  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left():
    yield
    for process in tailrace.started:
        if process.poll() is None:
            process.kill()
            process.wait()
