"""The tests of tests/e2e/test_serving_url.py with a real Cassandra; and logins, which `tailrace serve` has none of."""
import cassandra_side
import pytest
import tailrace
from test_serving_url import (  # noqa: F401
    test_the_example_gives_the_same_rows_once,
    test_nothing_is_lost_stale_or_doubled_by_kills_of_us_and_of_cassandra,
    test_a_stopped_run_ends_at_once_while_cassandra_is_away_and_the_next_goes_on,
    test_rows_that_went_are_deleted_whatever_is_replayed,
    test_a_table_made_again_and_one_with_more_columns_are_followed,
    test_a_table_that_was_dropped_or_a_data_folder_that_is_gone_is_loaded_again,
    test_rows_of_others_are_left_alone_and_the_hop_says_what_to_do,
    test_columns_of_a_newer_schema_are_added_while_the_stream_runs,
    test_values_of_every_type_get_there)
from test_serving_url import assert_same, example


@pytest.fixture
def server(tmp_path):
    """A Cassandra that a test may kill."""
    if not cassandra_side.JARS:
        pytest.skip(cassandra_side.SKIP)
    one = cassandra_side.RealCassandra(tmp_path / "cassandra").start()
    yield one
    one.kill()


def test_a_user_with_a_password_writes_and_a_wrong_one_is_told(tmp_path, cassandra_with_passwords):
    login = {"user": "cassandra", "password": "cassandra"}
    address = cassandra_with_passwords.address
    wrong = example(tmp_path / "wrong", address, "logins", user="cassandra", password="not-this-one")
    wrong.start()
    hop = tailrace.wait_until(lambda: wrong.hops()["served.created_users"]["last_error"], "the hop says so")
    assert "Provided username cassandra and/or password are incorrect" in hop and "not-this-one" not in wrong.log.read_text()
    wrong.kill()
    project = example(tmp_path / "right", address, "logins", **login)
    project.once()
    assert_same(project, address, keyspace="logins", **login)
