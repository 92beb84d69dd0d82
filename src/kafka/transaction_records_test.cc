// Records of __transaction_state come back as they went, in both versions of the value.
#include "kafka/transaction_records.h"

#include <gtest/gtest.h>

#include "kafka/coordinator_record.h"
#include "kafka/messages/transaction_log_value.h"

namespace tailrace::kafka {
namespace {

transactions::Transaction open_one() {
  transactions::Transaction now;
  now.producer = {7, 3};
  now.previous_id = 6;
  now.next_id = 9;
  now.timeout_ms = 1000;
  now.state = transactions::State::kPrepareAbort;
  now.partitions = {{"t", {0, 2}}, {"u", {1}}};
  now.updated = TimestampMs(50);
  now.started = TimestampMs(40);
  now.version = transactions::kEpochPerTransaction;
  return now;
}

TEST(TransactionRecords, come_back_as_they_went) {
  const transactions::Record record{"tx", open_one()};
  const auto bytes = encode_transaction_record(record, Version(1)).value();
  EXPECT_EQ(decode_transaction_record(bytes.key, bytes.value).value(), record);
  const transactions::Record gone{"tx", std::nullopt};
  const auto tombstone = encode_transaction_record(gone, Version(1)).value();
  EXPECT_EQ(tombstone.key, bytes.key);
  EXPECT_EQ(decode_transaction_record(tombstone.key, tombstone.value).value(), gone);
}

TEST(TransactionRecords, of_version_0_lack_what_it_does_not_have) {
  const auto bytes = encode_transaction_record({"tx", open_one()}, Version(0)).value();
  const auto back = decode_transaction_record(bytes.key, bytes.value).value();
  auto expected = open_one();
  expected.previous_id = expected.next_id = transactions::kNoProducerId;
  expected.version = transactions::kPlain;
  EXPECT_EQ(back->value, expected);
}

TEST(TransactionRecords, of_a_state_there_is_not_are_an_error) {
  TransactionLogValue value;
  value.transaction_status = 9;
  const auto bytes = encode_record_value(value, Version(1)).value();
  const auto key = encode_transaction_record({"tx", std::nullopt}, Version(1)).value().key;
  EXPECT_EQ(decode_transaction_record(key, bytes).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tailrace::kafka
