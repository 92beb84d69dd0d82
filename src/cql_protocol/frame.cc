#include "cql_protocol/frame.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/bytes.h"

namespace tailrace::cql_protocol {

using cql_types::ErrorCode;
using cql_types::Failure;

namespace {

constexpr std::size_t kLengthAt = 5;
constexpr std::uint8_t kResponseBit = 0x80;

constexpr std::array<std::string_view, 17> kOpcodes{
    "ERROR",     "STARTUP", "READY",          "AUTHENTICATE",  "CREDENTIALS", "OPTIONS",
    "SUPPORTED", "QUERY",   "RESULT",         "PREPARE",       "EXECUTE",     "REGISTER",
    "EVENT",     "BATCH",   "AUTH_CHALLENGE", "AUTH_RESPONSE", "AUTH_SUCCESS"};

std::string_view direction(bool response) {
  return response ? "RESPONSE" : "REQUEST";
}

}  // namespace

std::string version_name(int version) {
  return fmt::format("{}/v{}{}", version, version, version == kBetaVersion ? "-beta" : "");
}

Head read_head(std::string_view bytes) {
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  return {.version = first & ~kResponseBit,
          .response = (first & kResponseBit) != 0,
          .flags = static_cast<std::uint8_t>(bytes[1]),
          .stream = load_be<std::int16_t>(bytes.data() + 2),
          .opcode = static_cast<std::uint8_t>(bytes[4]),
          .length = load_be<std::uint32_t>(bytes.data() + kLengthAt)};
}

void append_head(std::string& out, const Head& head) {
  char raw[kHeadBytes];
  raw[0] = static_cast<char>(head.version | (head.response ? kResponseBit : 0));
  raw[1] = static_cast<char>(head.flags | (head.version == kBetaVersion ? flag::kBeta : 0));
  store_be(raw + 2, head.stream);
  raw[4] = static_cast<char>(head.opcode);
  store_be(raw + kLengthAt, head.length);
  const bool short_stream = head.version == 1 || head.version == 2;
  if (short_stream) std::memmove(raw + 2, raw + 3, sizeof raw - 3);
  out.append(raw, sizeof raw - (short_stream ? 1 : 0));
}

std::size_t begin_message(std::string& out, const Head& head) {
  const std::size_t begin = out.size();
  append_head(out, head);
  return begin;
}

void end_message(std::string& out, std::size_t begin, std::size_t behind) {
  const std::size_t length = out.size() - begin - kHeadBytes + behind;
  store_be(out.data() + begin + kLengthAt, static_cast<std::uint32_t>(length));
}

std::optional<Failure> unknown_version(std::uint8_t first_byte) {
  const int version = first_byte & ~kResponseBit;
  if (version >= kLowestVersion && version <= kBetaVersion) return std::nullopt;
  return Failure(
      ErrorCode::kProtocol,
      fmt::format("Invalid or unsupported protocol version ({}); supported versions are ({}, {}, "
                  "{}, {})",
                  version, version_name(3), version_name(4), version_name(5), version_name(6)));
}

std::optional<Failure> unusable_head(const Head& head) {
  if (head.version == kBetaVersion && (head.flags & flag::kBeta) == 0) {
    return Failure(ErrorCode::kProtocol,
                   fmt::format("Beta version of the protocol used ({}), but USE_BETA flag is unset",
                               version_name(head.version)));
  }
  const auto name = opcode_name(head.opcode);
  if (name.empty()) {
    return Failure(ErrorCode::kProtocol,
                   fmt::format("Unknown opcode {}", static_cast<std::int8_t>(head.opcode)));
  }
  const bool response = is_response(head.opcode);
  if (response != head.response) {
    return Failure(ErrorCode::kProtocol,
                   fmt::format("Wrong protocol direction (expected {}, got {}) for opcode {} ({})",
                               direction(response), direction(head.response), head.opcode, name));
  }
  if (response) {
    return Failure(ErrorCode::kProtocol,
                   fmt::format("Unexpected RESPONSE message {}, expecting REQUEST", name));
  }
  return std::nullopt;
}

std::string_view opcode_name(std::uint8_t opcode) {
  return opcode < kOpcodes.size() ? kOpcodes[opcode] : std::string_view();
}

bool is_response(std::uint8_t opcode) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kError:
    case Opcode::kReady:
    case Opcode::kAuthenticate:
    case Opcode::kSupported:
    case Opcode::kResult:
    case Opcode::kEvent:
    case Opcode::kAuthChallenge:
    case Opcode::kAuthSuccess:
      return true;
    default:
      return false;
  }
}

}  // namespace tailrace::cql_protocol
