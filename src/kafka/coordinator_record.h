// Keys and values of the coordinators' records: what __consumer_offsets, __transaction_state and
// __share_group_state hold.
//
//   key   = int16 type of the record, then the fields of that type's Key at version 0
//   value = int16 version, then the fields of the type's Value at that version; null: a tombstone
//
// A topic's types are its own: TransactionLogKey and ShareSnapshotKey are both type 0. To read a
// record: record_key_type(), a switch over the kRecordKeyType of the keys one knows (a newer Kafka
// may have written others: skip those), then decode_record_key() and decode_record_value().
//
// What is decoded points into the bytes where a field is of type bytes.
#pragma once

#include "kafka/wire.h"

namespace tailrace::kafka {

template <typename Message>
concept RecordKey = requires {
  Message::kRecordKeyType;
};
template <typename Message>
concept RecordValue = requires {
  Message::kRecordValueType;
};

/// The type in front of a key. kInvalidArgument when it is not there.
Result<std::int16_t> record_key_type(std::string_view bytes);

template <RecordKey Key>
Result<std::string> encode_record_key(const Key& key) {
  static_assert(Key::kHighest == Version(0));
  Writer writer;
  writer.int16(Key::kRecordKeyType);
  TRY(key.encode(writer, Version(0)));
  ASSIGN(const Frame frame, writer.finish());
  return frame.joined();
}

/// kUnimplemented when the Value has no such version.
template <RecordValue Value>
Result<std::string> encode_record_value(const Value& value, Version version) {
  Writer writer;
  writer.int16(version.value);
  TRY(value.encode(writer, version));
  ASSIGN(const Frame frame, writer.finish());
  return frame.joined();
}

/// kInvalidArgument when the key is of another type, too short or too long.
template <RecordKey Key>
Result<Key> decode_record_key(std::string_view bytes) {
  Reader reader(bytes);
  if (const std::int16_t type = reader.int16("record type"); type != Key::kRecordKeyType) {
    return error(Code::kInvalidArgument, std::string(Key::kName) + ": a key of " +
                                             std::to_string(bytes.size()) + " bytes, type " +
                                             std::to_string(type));
  }
  ASSIGN(Key key, Key::decode(reader, Version(0)));
  TRY(reader.finish());
  return key;
}

/// kUnimplemented when a newer Kafka wrote it in a version unknown here; kInvalidArgument when the
/// bytes are too few or too many.
template <RecordValue Value>
Result<Value> decode_record_value(std::string_view bytes) {
  Reader reader(bytes);
  const Version version(reader.int16("record version"));
  if (reader.failed()) return std::unexpected(reader.failure().in(Value::kName));
  ASSIGN(Value value, Value::decode(reader, version));
  TRY(reader.finish());
  return value;
}

}  // namespace tailrace::kafka
