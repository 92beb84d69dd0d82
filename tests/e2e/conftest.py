"""A test leaves no process of its own behind, not even when it fails."""
import pytest
import tailrace


@pytest.fixture(autouse=True)
def no_process_is_left():
    others = list(tailrace.started)  # of fixtures that live longer than one test
    yield
    for process in tailrace.started:
        if process not in others and process.poll() is None:
            process.kill()
            process.wait()
