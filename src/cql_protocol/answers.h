// What a server sends, to bytes and back: results, errors, events and the rest (§4.2, §9).
#pragma once

#include <string>
#include <string_view>

#include "cql_protocol/frame.h"
#include "cql_protocol/messages.h"
#include "cql_types/failure.h"

namespace tailrace::cql_protocol {

/// What stands before a message in the body of an answer.
struct Prelude {
  std::string_view tracing_id;                         // a UUID's 16 bytes; empty: none
  const std::vector<std::string>* warnings = nullptr;  // null or empty: none; none before version 4
};
/// Appends it; gives the head's flags that tell of it.
std::uint8_t append_prelude(std::string& out, int version, const Prelude& prelude);

/// Appends the body of RESULT but for rows' content, which it gives back: it is to follow, and lies
/// in `result`. kInvalid for a type whose names do not fit the protocol.
cql_types::Outcome<std::string_view> append_result(std::string& out, int version,
                                                   const AnyResult& result);
/// Appends the body of ERROR. What a version does not know is told as the nearest it does.
void append_failure(std::string& out, int version, const cql_types::Failure& failure);
/// Appends the body of EVENT.
void append_event(std::string& out, int version, const Event& event);
/// Appends the body of any of the others.
void append_supported(std::string& out, const Supported& supported);
/// A head's opcode, the body appended; rows are copied. For tests and for what is small.
cql_types::Outcome<Opcode> append_message(std::string& out, int version,
                                          const ServerMessage& message);

/// What a server sent, by the head and the (plain) body. kProtocol or kServer for what it cannot
/// have; nothing is taken that the bytes do not hold.
cql_types::Outcome<ServerMessage> decode_message(const Head& head, std::string_view body);

}  // namespace tailrace::cql_protocol
