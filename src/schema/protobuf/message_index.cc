#include "schema/protobuf/message_index.h"

namespace tailrace::schema::protobuf {
namespace {

Result<std::int32_t> take_number(Bytes& record) {
  std::uint32_t raw = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (record.empty()) return error(Code::kDataLoss, "the message index is cut off");
    const auto byte = static_cast<std::uint8_t>(record.front());
    record = record.subspan(1);
    raw |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
    if (byte < 0x80)
      return static_cast<std::int32_t>(raw >> 1) ^ -static_cast<std::int32_t>(raw & 1);
  }
  return error(Code::kDataLoss, "a number of the message index has more than five bytes");
}

void append_number(std::int32_t value, std::string& out) {
  auto raw = static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
  for (; raw >= 0x80; raw >>= 7) out += static_cast<char>(raw | 0x80);
  out += static_cast<char>(raw);
}

}  // namespace

Result<MessageIndex> take_message_index(Bytes& record) {
  ASSIGN(const std::int32_t count, take_number(record));
  if (count == 0) return MessageIndex{0};
  if (count < 0 || static_cast<std::size_t>(count) > kMaxIndexDepth)
    return error(Code::kDataLoss, "a message index of " + std::to_string(count) + " numbers");
  MessageIndex made;
  for (std::int32_t i = 0; i < count; ++i) {
    ASSIGN(const std::int32_t number, take_number(record));
    if (number < 0) return error(Code::kDataLoss, "a message index with a number below zero");
    made.push_back(number);
  }
  return made;
}

void append_message_index(const MessageIndex& index, std::string& out) {
  if (index == MessageIndex{0}) {
    out += '\0';
    return;
  }
  append_number(static_cast<std::int32_t>(index.size()), out);
  for (const std::int32_t number : index) append_number(number, out);
}

}  // namespace tailrace::schema::protobuf
