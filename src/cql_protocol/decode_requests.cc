// Requests from bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "cql_protocol/parameter_flags.h"
#include "cql_protocol/requests.h"

namespace tailrace::cql_protocol {

using cql_types::ErrorCode;
using cql_types::Failure;
using cql_types::Outcome;

namespace {

Outcome<void> done(const Reader& reader) {
  if (reader.failed()) return std::unexpected(reader.failure());
  return {};
}

/// The least bytes that a value takes: its length.
constexpr std::size_t kLeastValue = 4;

void take_values(Reader& reader, int version, std::vector<Value>& values,
                 std::vector<std::string_view>* names) {
  int left = reader.short_number();
  values.reserve(
      std::min<std::size_t>(static_cast<std::size_t>(left), reader.rest().size() / kLeastValue));
  for (; left > 0 && !reader.failed(); --left) {
    if (names != nullptr) names->push_back(reader.string());
    values.push_back(reader.value(version));
  }
}

std::int64_t take_timestamp(Reader& reader) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  const std::int64_t timestamp = reader.long_number();
  if (timestamp == kLeast) {
    reader.fail(ErrorCode::kProtocol,
                fmt::format("Out of bound timestamp, must be in [{}, {}] (got {})", kLeast + 1,
                            std::numeric_limits<std::int64_t>::max(), kLeast));
  }
  return timestamp;
}

void take_parameters(Reader& reader, int version, Parameters& into) {
  namespace is = parameter_flag;
  into.values.clear();
  into.names.clear();
  into.consistency = reader.consistency();
  const std::uint32_t flags =
      version >= 5 ? static_cast<std::uint32_t>(reader.int_number()) : reader.byte();
  const auto has = [flags](std::uint32_t flag) { return (flags & flag) != 0; };
  if (has(is::kValues)) {
    take_values(reader, version, into.values, has(is::kNames) ? &into.names : nullptr);
  }
  into.skip_metadata = has(is::kSkipMetadata);
  into.page_size.reset();
  into.paging_state.reset();
  into.serial_consistency.reset();
  into.timestamp.reset();
  into.keyspace.reset();
  into.now_seconds.reset();
  if (has(is::kPageSize)) into.page_size = reader.int_number();
  if (has(is::kPagingState)) into.paging_state = reader.bytes();
  if (has(is::kSerialConsistency)) into.serial_consistency = reader.consistency();
  if (has(is::kTimestamp)) into.timestamp = take_timestamp(reader);
  if (has(is::kKeyspace)) into.keyspace = reader.string();
  if (has(is::kNowSeconds)) into.now_seconds = reader.int_number();
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

Batch::Part take_part(Reader& reader, int version, Batch::Part part) {
  const auto kind = static_cast<std::int8_t>(reader.byte());
  if (kind != 0 && kind != 1) {
    reader.fail(
        ErrorCode::kProtocol,
        fmt::format("Invalid query kind in BATCH messages. Must be 0 or 1 but got {}", kind));
  }
  part.prepared = kind == 1;
  part.text_or_id = part.prepared ? reader.short_bytes() : reader.long_string();
  part.values.clear();
  take_values(reader, version, part.values, nullptr);
  return part;
}

template <typename T>
Outcome<Request> decoded(int version, std::string_view body) {
  T request;
  if (auto read = decode(version, body, request); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return Request(std::move(request));
}

}  // namespace

Outcome<void> decode(int, std::string_view body, Startup& into) {
  Reader reader(body);
  into.options.clear();
  for (auto& [name, value] : reader.string_map()) into.options.insert_or_assign(upper(name), value);
  return done(reader);
}

Outcome<void> decode(int, std::string_view, Options&) {
  return {};
}

Outcome<void> decode(int version, std::string_view body, Query& into) {
  Reader reader(body);
  into.text = reader.long_string();
  take_parameters(reader, version, into.parameters);
  return done(reader);
}

Outcome<void> decode(int version, std::string_view body, Prepare& into) {
  Reader reader(body);
  into.text = reader.long_string();
  into.keyspace.reset();
  if (version >= 5 && (reader.int_number() & 1) != 0) into.keyspace = reader.string();
  return done(reader);
}

Outcome<void> decode(int version, std::string_view body, Execute& into) {
  Reader reader(body);
  into.id = reader.short_bytes();
  if (version >= 5) into.result_metadata_id = reader.short_bytes();
  take_parameters(reader, version, into.parameters);
  return done(reader);
}

Outcome<void> decode(int version, std::string_view body, Register& into) {
  Reader reader(body);
  into.events.clear();
  for (int left = reader.short_number(); left > 0 && !reader.failed(); --left) {
    const std::string given(reader.string());
    const std::string event = upper(given);
    const bool traces = event == "TRACE_COMPLETE";
    if (!traces && event != "SCHEMA_CHANGE" && event != "STATUS_CHANGE" &&
        event != "TOPOLOGY_CHANGE") {
      reader.fail(ErrorCode::kProtocol, fmt::format("Invalid value '{}' for Type", given));
    } else if (traces && version < 4) {
      reader.fail(ErrorCode::kProtocol, fmt::format("Event {} not valid for protocol version {}",
                                                    event, version_name(version)));
    }
    into.events.push_back(event);
  }
  return done(reader);
}

Outcome<void> decode(int version, std::string_view body, Batch& into) {
  Reader reader(body);
  const auto kind = static_cast<std::int8_t>(reader.byte());
  const std::size_t count = reader.short_number();
  std::size_t at = 0;
  for (; at < count && !reader.failed(); ++at) {
    if (at == into.parts.size()) into.parts.emplace_back();
    into.parts[at] = take_part(reader, version, std::move(into.parts[at]));
  }
  into.parts.resize(at);
  take_parameters(reader, version, into.parameters);
  if (kind < 0 || kind > 2) {
    reader.fail(ErrorCode::kProtocol, fmt::format("Invalid BATCH message type {}", kind));
  }
  into.kind = static_cast<Batch::Kind>(kind);
  return done(reader);
}

Outcome<void> decode(int, std::string_view body, AuthResponse& into) {
  Reader reader(body);
  into.token = reader.bytes();
  return done(reader);
}

Outcome<Request> decode_request(int version, std::uint8_t opcode, std::string_view body) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kStartup:
      return decoded<Startup>(version, body);
    case Opcode::kOptions:
      return decoded<Options>(version, body);
    case Opcode::kQuery:
      return decoded<Query>(version, body);
    case Opcode::kPrepare:
      return decoded<Prepare>(version, body);
    case Opcode::kExecute:
      return decoded<Execute>(version, body);
    case Opcode::kRegister:
      return decoded<Register>(version, body);
    case Opcode::kBatch:
      return decoded<Batch>(version, body);
    case Opcode::kAuthResponse:
      return decoded<AuthResponse>(version, body);
    default:  // CREDENTIALS of version 1
      return cql_types::failure(ErrorCode::kProtocol, "Unsupported message");
  }
}

Outcome<void> skip_payload(const Head& head, std::string_view& body) {
  if ((head.flags & flag::kCustomPayload) == 0) return {};
  Reader reader(body);
  for (int left = reader.short_number(); left > 0 && !reader.failed(); --left) {
    reader.string();
    reader.bytes();
  }
  if (!reader.failed() && head.version < 4) {
    reader.fail(ErrorCode::kProtocol,
                "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4");
  }
  body = reader.rest();
  return done(reader);
}

}  // namespace tailrace::cql_protocol
