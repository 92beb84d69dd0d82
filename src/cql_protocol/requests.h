// Requests to bytes and back: the bodies of what a client sends (§4.1). A server decodes into a
// request that it keeps, so that one costs no memory that an earlier one did not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cql_protocol/frame.h"
#include "cql_protocol/messages.h"
#include "cql_protocol/wire.h"

namespace tailrace::cql_protocol {

// Each reads a body of `version`, whole: views lie in it. A Failure is what Cassandra answers;
// kServer stands for what it has no sentence for. Bytes behind the message do not count.
cql_types::Outcome<void> decode(int version, std::string_view body, Startup& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Options& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Query& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Prepare& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Execute& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Register& into);
cql_types::Outcome<void> decode(int version, std::string_view body, Batch& into);
cql_types::Outcome<void> decode(int version, std::string_view body, AuthResponse& into);

/// By the opcode; kProtocol for one that no client sends.
cql_types::Outcome<Request> decode_request(int version, std::uint8_t opcode, std::string_view body);

/// Takes the custom payload off the front of a request's body, where its head says that there is
/// one. What it holds is for servers that know it: nobody here.
cql_types::Outcome<void> skip_payload(const Head& head, std::string_view& body);

Opcode opcode_of(const Request& request);
/// Appends the body. What `version` does not know (a keyspace, the time, before 5) is left out.
void append_request(std::string& out, int version, const Request& request);
/// Appends the whole message, its head included.
void append_request_message(std::string& out, int version, std::int16_t stream,
                            const Request& request);

}  // namespace tailrace::cql_protocol
