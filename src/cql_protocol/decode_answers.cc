// What a server sends, from bytes.
#include <fmt/format.h>

#include "cql_protocol/answers.h"
#include "cql_protocol/result_flags.h"
#include "cql_protocol/wire.h"
#include "cql_types/option.h"

namespace tailrace::cql_protocol {

using cql_types::ErrorCode;
using cql_types::Failure;
using cql_types::Outcome;

namespace {

constexpr std::size_t kUuidBytes = 16;

using Columns = std::vector<ColumnSpec>;

cql_types::TypePtr take_type(Reader& reader, int version) {
  std::string_view rest = reader.rest();
  auto type = cql_types::take_option(rest, std::min(version, kVersion));
  if (!type) {
    reader.fail(ErrorCode::kProtocol, type.error().what);
    return nullptr;
  }
  reader.take(reader.rest().size() - rest.size());
  return std::move(*type);
}

Columns take_columns(Reader& reader, int version, std::int32_t count, bool global) {
  Columns columns;
  std::string keyspace, table;
  if (global) {
    keyspace = reader.string();
    table = reader.string();
  }
  for (std::int32_t i = 0; i < count && !reader.failed(); ++i) {
    ColumnSpec column{keyspace, table, {}, {}};
    if (!global) {
      column.keyspace = reader.string();
      column.table = reader.string();
    }
    column.name = reader.string();
    column.type = take_type(reader, version);
    columns.push_back(std::move(column));
  }
  return columns;
}

std::optional<std::string> copied(std::optional<std::string_view> bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

/// Metadata; `count` becomes the number of columns, which are there or are not.
Rows take_metadata(Reader& reader, int version, std::int32_t& count) {
  namespace is = result_flag;
  Rows rows;
  const std::int32_t flags = reader.int_number();
  count = reader.int_number();
  if ((flags & is::kMorePages) != 0) rows.paging_state = copied(reader.bytes());
  if ((flags & is::kMetadataChanged) != 0) rows.new_metadata_id = reader.short_bytes();
  rows.skip_metadata = (flags & is::kNoMetadata) != 0;
  if (rows.skip_metadata || reader.failed()) return rows;
  rows.columns = std::make_shared<const Columns>(
      take_columns(reader, version, count, (flags & is::kGlobalTable) != 0));
  return rows;
}

Rows take_rows(Reader& reader, int version) {
  std::int32_t columns = 0;
  Rows rows = take_metadata(reader, version, columns);
  rows.count = reader.int_number();
  const std::string_view content = reader.rest();
  if (rows.count < 0 || columns < 0) reader.fail(ErrorCode::kProtocol, "rows of a negative count");
  for (std::int64_t left = std::int64_t{rows.count} * columns; left > 0 && !reader.failed(); --left)
    reader.bytes();
  rows.content = content.substr(0, content.size() - reader.rest().size());
  return rows;
}

Prepared take_prepared(Reader& reader, int version) {
  Prepared prepared;
  prepared.id = reader.short_bytes();
  if (version >= 5) prepared.result_metadata_id = reader.short_bytes();
  const std::int32_t flags = reader.int_number();
  const std::int32_t count = reader.int_number();
  if (version >= 4) {
    for (std::int32_t left = reader.int_number(); left > 0 && !reader.failed(); --left)
      prepared.partition_key.push_back(reader.short_number());
  }
  prepared.markers = take_columns(reader, version, count, (flags & result_flag::kGlobalTable) != 0);
  std::int32_t columns = 0;
  prepared.columns = take_metadata(reader, version, columns).columns;
  return prepared;
}

SchemaChange take_change(Reader& reader) {
  SchemaChange change;
  change.change = reader.string();
  change.target = reader.string();
  change.keyspace = reader.string();
  if (change.target != "KEYSPACE") change.name = reader.string();
  if (change.target == "FUNCTION" || change.target == "AGGREGATE")
    change.argument_types = reader.string_list();
  return change;
}

AnyResult take_result(Reader& reader, int version) {
  const std::int32_t kind = reader.int_number();
  switch (kind) {
    case result_kind::kVoid:
      return Void{};
    case result_kind::kRows:
      return take_rows(reader, version);
    case result_kind::kSetKeyspace:
      return SetKeyspace{std::string(reader.string())};
    case result_kind::kPrepared:
      return take_prepared(reader, version);
    case result_kind::kSchemaChange:
      return take_change(reader);
    default:
      reader.fail(ErrorCode::kProtocol, fmt::format("Unknown kind id {} in RESULT message", kind));
      return Void{};
  }
}

Event take_event(Reader& reader) {
  const std::string event(reader.string());
  if (event == "SCHEMA_CHANGE") return take_change(reader);
  NodeChange node{event, std::string(reader.string()), {}, 0};
  node.address = reader.take(reader.byte());
  node.port = reader.int_number();
  return node;
}

void take_replicas(Reader& reader, int version, Failure& failure) {
  Failure::Replicas replicas;
  const bool unavailable = failure.code == ErrorCode::kUnavailable;
  replicas.consistency = reader.short_number();
  (unavailable ? replicas.required : replicas.received) = reader.int_number();
  (unavailable ? replicas.received : replicas.required) = reader.int_number();
  const bool read =
      failure.code == ErrorCode::kReadTimeout || failure.code == ErrorCode::kReadFailure;
  if (failure.code == ErrorCode::kReadFailure || failure.code == ErrorCode::kWriteFailure) {
    std::int32_t reasons = reader.int_number();
    for (; version >= 5 && reasons > 0 && !reader.failed(); --reasons) {
      reader.take(reader.byte());
      reader.short_number();
    }
  }
  if (!unavailable && read) replicas.data_present = reader.byte() != 0;
  if (!unavailable && !read) replicas.write_type = reader.string();
  failure.replicas = std::move(replicas);
}

Failure take_failure(Reader& reader, int version) {
  const auto code = static_cast<ErrorCode>(reader.int_number());
  Failure failure(code, std::string(reader.string()));
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kReadFailure:
    case ErrorCode::kWriteFailure:
      take_replicas(reader, version, failure);
      break;
    case ErrorCode::kFunctionFailure:
      failure.keyspace = reader.string();
      failure.name = reader.string();
      failure.argument_types = reader.string_list();
      break;
    case ErrorCode::kAlreadyExists:
      failure.keyspace = reader.string();
      failure.name = reader.string();
      break;
    case ErrorCode::kUnprepared:
      failure.statement_id = reader.short_bytes();
      break;
    default:
      break;
  }
  return failure;
}

Supported take_supported(Reader& reader) {
  Supported supported;
  for (int left = reader.short_number(); left > 0 && !reader.failed(); --left) {
    std::string name(reader.string());
    supported.options.insert_or_assign(std::move(name), reader.string_list());
  }
  return supported;
}

decltype(ServerMessage::body) take_body(Reader& reader, const Head& head) {
  switch (static_cast<Opcode>(head.opcode)) {
    case Opcode::kError:
      return take_failure(reader, head.version);
    case Opcode::kReady:
      return Ready{};
    case Opcode::kAuthenticate:
      return Authenticate{std::string(reader.string())};
    case Opcode::kSupported:
      return take_supported(reader);
    case Opcode::kResult:
      return take_result(reader, head.version);
    case Opcode::kEvent:
      return take_event(reader);
    case Opcode::kAuthChallenge:
      return AuthChallenge{copied(reader.bytes())};
    case Opcode::kAuthSuccess:
      return AuthSuccess{copied(reader.bytes())};
    default:
      reader.fail(ErrorCode::kProtocol, fmt::format("no server's opcode: {}", head.opcode));
      return Ready{};
  }
}

}  // namespace

Outcome<ServerMessage> decode_message(const Head& head, std::string_view body) {
  Reader reader(body);
  ServerMessage message{Ready{}};
  if ((head.flags & flag::kTracing) != 0) message.tracing_id = reader.take(kUuidBytes);
  if ((head.flags & flag::kWarning) != 0) message.warnings = reader.string_list();
  if ((head.flags & flag::kCustomPayload) != 0) {
    for (int left = reader.short_number(); left > 0 && !reader.failed(); --left) {
      reader.string();
      reader.bytes();
    }
  }
  message.body = take_body(reader, head);
  if (reader.failed()) return std::unexpected(reader.failure());
  return message;
}

}  // namespace tailrace::cql_protocol
