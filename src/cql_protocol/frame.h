// The head of a message (§2 of the protocol's versions 3 to 5), and which versions there are.
//
//   message := version:u8 flags:u8 stream:i16 opcode:u8 length:u32 body
//
// The version's highest bit is set in what a server sends. Version 6 is Cassandra 5's beta: as
// version 5, with kBeta set in each message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cql_protocol/messages.h"
#include "cql_types/failure.h"

namespace tailrace::cql_protocol {

constexpr std::size_t kHeadBytes = 9;
constexpr int kLowestVersion = 3;
constexpr int kVersion = 5;  // the highest that is no beta
constexpr int kBetaVersion = 6;
constexpr std::int16_t kEventStream = -1;

/// "5/v5", as SUPPORTED and refusals name a version.
std::string version_name(int version);

namespace flag {
constexpr std::uint8_t kCompressed = 0x01;
constexpr std::uint8_t kTracing = 0x02;
constexpr std::uint8_t kCustomPayload = 0x04;
constexpr std::uint8_t kWarning = 0x08;
constexpr std::uint8_t kBeta = 0x10;
}  // namespace flag

struct Head {
  int version = kVersion;
  bool response = false;
  std::uint8_t flags = 0;
  std::int16_t stream = 0;
  std::uint8_t opcode = 0;
  std::uint32_t length = 0;  // of the body
};

/// `bytes` holds kHeadBytes at least.
Head read_head(std::string_view bytes);
/// Versions 1 and 2, which are only ever refused, have a stream of one byte.
void append_head(std::string& out, const Head& head);

/// Writes a message's head before its body is known: begin, append the body, end.
std::size_t begin_message(std::string& out, const Head& head);
/// `behind`: bytes of the body that follow elsewhere.
void end_message(std::string& out, std::size_t begin, std::size_t behind = 0);

/// Why a server does not take a message by its first byte: a version that nobody knows here.
std::optional<cql_types::Failure> unknown_version(std::uint8_t first_byte);
/// Why it does not take it by its head: a beta without its flag, an opcode that is none, or of a
/// server.
std::optional<cql_types::Failure> unusable_head(const Head& head);

/// "QUERY"; empty for a number that is none. 4 is CREDENTIALS, of versions long gone.
std::string_view opcode_name(std::uint8_t opcode);
/// Of what a server sends.
bool is_response(std::uint8_t opcode);

}  // namespace tailrace::cql_protocol
