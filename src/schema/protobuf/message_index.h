// Which message of its file a record is: what stands in front of it in Confluent's wire format,
// behind the schema's id.
//
//   index := 0                        the first message: [0]
//          | count number{count}      a place among the messages, then among those within it, …
//
// All are varints of zigzagged 32-bit numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tailrace::schema::protobuf {

using MessageIndex = std::vector<std::int32_t>;

/// How many numbers an index may have: as many as messages may lie in one another.
inline constexpr std::size_t kMaxIndexDepth = 32;

/// Takes the index from the front of `record`; kDataLoss when there is none.
Result<MessageIndex> take_message_index(Bytes& record);

void append_message_index(const MessageIndex& index, std::string& out);

}  // namespace tailrace::schema::protobuf
