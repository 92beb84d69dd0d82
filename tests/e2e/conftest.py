"""A test that fails leaves no process behind."""
import pytest
import tailrace


@pytest.fixture(autouse=True)
def no_process_is_left():
    yield
    for process in tailrace.started:
        if process.poll() is None:
            process.kill()
            process.wait()
    tailrace.started.clear()
