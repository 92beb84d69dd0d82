// Requests to bytes.
#include "base/bytes.h"
#include "cql_protocol/parameter_flags.h"
#include "cql_protocol/requests.h"

namespace tailrace::cql_protocol {
namespace {

void append_consistency(std::string& out, Consistency consistency) {
  append_be(out, static_cast<std::uint16_t>(consistency));
}

std::uint32_t flags_of(const Parameters& parameters, int version) {
  namespace is = parameter_flag;
  std::uint32_t flags = 0;
  const auto set = [&flags](bool has, std::uint32_t flag) { flags |= has ? flag : 0; };
  set(!parameters.values.empty(), is::kValues);
  set(!parameters.names.empty(), is::kNames);
  set(parameters.skip_metadata, is::kSkipMetadata);
  set(parameters.page_size.has_value(), is::kPageSize);
  set(parameters.paging_state.has_value(), is::kPagingState);
  set(parameters.serial_consistency.has_value(), is::kSerialConsistency);
  set(parameters.timestamp.has_value(), is::kTimestamp);
  set(version >= 5 && parameters.keyspace, is::kKeyspace);
  set(version >= 5 && parameters.now_seconds, is::kNowSeconds);
  return flags;
}

void append_values(std::string& out, const std::vector<Value>& values,
                   const std::vector<std::string_view>& names, int version) {
  append_be(out, static_cast<std::uint16_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!names.empty()) append_string(out, names[i]);
    append_value(out, values[i], version);
  }
}

void append_parameters(std::string& out, const Parameters& parameters, int version) {
  namespace is = parameter_flag;
  append_consistency(out, parameters.consistency);
  const std::uint32_t flags = flags_of(parameters, version);
  if (version >= 5)
    append_be(out, flags);
  else
    out += static_cast<char>(flags);
  if ((flags & is::kValues) != 0) append_values(out, parameters.values, parameters.names, version);
  if (parameters.page_size) append_be(out, *parameters.page_size);
  if (parameters.paging_state) append_bytes(out, parameters.paging_state);
  if (parameters.serial_consistency) append_consistency(out, *parameters.serial_consistency);
  if (parameters.timestamp) append_be(out, *parameters.timestamp);
  if ((flags & is::kKeyspace) != 0) append_string(out, *parameters.keyspace);
  if ((flags & is::kNowSeconds) != 0) append_be(out, *parameters.now_seconds);
}

struct Appender {
  std::string& out;
  int version;

  void operator()(const Startup& request) const {
    append_be(out, static_cast<std::uint16_t>(request.options.size()));
    for (const auto& [name, value] : request.options) {
      append_string(out, name);
      append_string(out, value);
    }
  }
  void operator()(const Options&) const {}
  void operator()(const Query& request) const {
    append_long_string(out, request.text);
    append_parameters(out, request.parameters, version);
  }
  void operator()(const Prepare& request) const {
    append_long_string(out, request.text);
    if (version < 5) return;
    append_be(out, std::uint32_t{request.keyspace.has_value()});
    if (request.keyspace) append_string(out, *request.keyspace);
  }
  void operator()(const Execute& request) const {
    append_short_bytes(out, request.id);
    if (version >= 5) append_short_bytes(out, request.result_metadata_id.value_or(""));
    append_parameters(out, request.parameters, version);
  }
  void operator()(const Register& request) const { append_string_list(out, request.events); }
  void operator()(const Batch& request) const {
    out += static_cast<char>(request.kind);
    append_be(out, static_cast<std::uint16_t>(request.parts.size()));
    for (const auto& part : request.parts) {
      out += static_cast<char>(part.prepared ? 1 : 0);
      if (part.prepared)
        append_short_bytes(out, part.text_or_id);
      else
        append_long_string(out, part.text_or_id);
      append_values(out, part.values, {}, version);
    }
    append_parameters(out, request.parameters, version);
  }
  void operator()(const AuthResponse& request) const { append_bytes(out, request.token); }
};

struct OpcodeOf {
  Opcode operator()(const Startup&) const { return Opcode::kStartup; }
  Opcode operator()(const Options&) const { return Opcode::kOptions; }
  Opcode operator()(const Query&) const { return Opcode::kQuery; }
  Opcode operator()(const Prepare&) const { return Opcode::kPrepare; }
  Opcode operator()(const Execute&) const { return Opcode::kExecute; }
  Opcode operator()(const Register&) const { return Opcode::kRegister; }
  Opcode operator()(const Batch&) const { return Opcode::kBatch; }
  Opcode operator()(const AuthResponse&) const { return Opcode::kAuthResponse; }
};

}  // namespace

Opcode opcode_of(const Request& request) {
  return std::visit(OpcodeOf{}, request);
}

void append_request(std::string& out, int version, const Request& request) {
  std::visit(Appender{out, version}, request);
}

void append_request_message(std::string& out, int version, std::int16_t stream,
                            const Request& request) {
  const std::size_t begin =
      begin_message(out, {.version = version,
                          .stream = stream,
                          .opcode = static_cast<std::uint8_t>(opcode_of(request))});
  append_request(out, version, request);
  end_message(out, begin);
}

}  // namespace tailrace::cql_protocol
