"""The tests of tests/e2e/test_serving_url.py with a real Cassandra."""
import subprocess

import cassandra_side
import certificates
import pytest
from test_serving_url import (  # noqa: F401
    test_the_example_gives_the_same_rows_once,
    test_nothing_is_lost_stale_or_doubled_by_kills_of_us_and_of_cassandra,
    test_a_stopped_run_ends_at_once_while_cassandra_is_away_and_the_next_goes_on,
    test_a_database_that_is_away_at_the_start_is_waited_for,
    test_one_host_of_several_is_enough,
    test_rows_that_went_are_deleted_whatever_is_replayed,
    test_a_table_made_again_and_one_with_more_columns_are_followed,
    test_a_table_that_was_dropped_or_a_data_folder_that_is_gone_is_loaded_again,
    test_a_table_that_is_dropped_while_rows_are_on_their_way_is_made_again,
    test_steps_wait_while_much_is_on_its_way,
    test_a_table_of_another_shape_is_left_alone_and_the_hop_says_which_column_differs,
    test_a_certificate_of_an_authority_that_is_trusted_is_asked_for,
    test_rows_of_others_are_left_alone_and_the_hop_says_what_to_do,
    test_columns_of_a_newer_schema_are_added_while_the_stream_runs,
    test_values_of_every_type_get_there,
    test_a_user_with_a_password_writes_and_a_wrong_one_is_told,
    test_a_user_who_may_not_make_the_keyspace_is_told_what_to_permit)


@pytest.fixture
def server(tmp_path):
    """A Cassandra that a test may kill."""
    if not cassandra_side.JARS:
        pytest.skip(cassandra_side.SKIP)
    one = cassandra_side.RealCassandra(tmp_path / "cassandra").start()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """One that speaks TLS, with a certificate of `authority`."""
    if not cassandra_side.JARS:
        pytest.skip(cassandra_side.SKIP)
    folder = tmp_path_factory.mktemp("encrypted")
    authority = certificates.Authority(folder)
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    subprocess.run(["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", folder / "server.p12",
                    "-passout", "pass:cassandra"], check=True, capture_output=True)
    options = (f"{{enabled: true, optional: false, keystore: '{folder}/server.p12', keystore_password: cassandra, "
               "store_type: PKCS12, require_client_auth: false}")
    one = cassandra_side.RealCassandra(folder / "cassandra", client_encryption_options=options).start()
    one.authority = authority
    yield one
    one.kill()
