// What a server sends, to bytes.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/result_flags.h"
#include "cql_protocol/wire.h"
#include "cql_types/option.h"

namespace tailrace::cql_protocol {

using cql_types::ErrorCode;
using cql_types::Failure;
using cql_types::Outcome;

namespace {

using Columns = std::vector<ColumnSpec>;

void append_int(std::string& out, std::size_t value) {
  append_be(out, static_cast<std::int32_t>(value));
}

bool of_one_table(const Columns& columns) {
  return !columns.empty() && std::ranges::all_of(columns, [&first = columns[0]](const auto& one) {
    return one.table == first.table && one.keyspace == first.keyspace;
  });
}

/// The columns' names and types, with their table before all or before each.
Outcome<void> append_columns(std::string& out, int version, const Columns& columns, bool global) {
  if (global) {
    append_string(out, columns[0].keyspace);
    append_string(out, columns[0].table);
  }
  for (const ColumnSpec& column : columns) {
    if (!global) {
      append_string(out, column.keyspace);
      append_string(out, column.table);
    }
    append_string(out, column.name);
    TRY(cql_types::append_option(out, *column.type, std::min(version, kVersion)));
  }
  return {};
}

Outcome<void> append_metadata(std::string& out, int version, const Rows& rows) {
  namespace is = result_flag;
  static const Columns kNone;
  const Columns& columns = rows.columns ? *rows.columns : kNone;
  const bool global = of_one_table(columns);
  const bool changed = version >= 5 && rows.new_metadata_id;
  const bool skipped = !changed && (rows.skip_metadata || columns.empty());
  std::int32_t flags = global ? is::kGlobalTable : 0;
  if (rows.paging_state) flags |= is::kMorePages;
  if (skipped) flags |= is::kNoMetadata;
  if (changed) flags |= is::kMetadataChanged;
  append_be(out, flags);
  append_int(out, columns.size());
  if (rows.paging_state) append_bytes(out, rows.paging_state);
  if (changed) append_short_bytes(out, *rows.new_metadata_id);
  if (skipped) return {};
  return append_columns(out, version, columns, global);
}

Outcome<void> append_markers(std::string& out, int version, const Prepared& prepared) {
  const bool global = of_one_table(prepared.markers);
  append_be(out, std::int32_t{global ? result_flag::kGlobalTable : 0});
  append_int(out, prepared.markers.size());
  if (version >= 4) {
    append_int(out, global ? prepared.partition_key.size() : 0);
    if (global) {
      for (const auto marker : prepared.partition_key) append_be(out, marker);
    }
  }
  return append_columns(out, version, prepared.markers, global);
}

void append_change(std::string& out, int version, const SchemaChange& change) {
  const bool has_arguments = change.target == "FUNCTION" || change.target == "AGGREGATE";
  if (has_arguments && version < 4) {
    // Version 3 knows no functions: their keyspace was updated. Cassandra ends it with a name.
    for (const std::string_view text : {std::string_view("UPDATED"), std::string_view("KEYSPACE"),
                                        std::string_view(change.keyspace), std::string_view()}) {
      append_string(out, text);
    }
    return;
  }
  append_string(out, change.change);
  append_string(out, change.target);
  append_string(out, change.keyspace);
  if (change.target != "KEYSPACE") append_string(out, change.name);
  if (has_arguments) append_string_list(out, change.argument_types);
}

struct ResultAppender {
  std::string& out;
  int version;

  Outcome<std::string_view> operator()(const Void&) const {
    append_be(out, result_kind::kVoid);
    return {};
  }
  Outcome<std::string_view> operator()(const Rows& rows) const {
    append_be(out, result_kind::kRows);
    TRY(append_metadata(out, version, rows));
    append_be(out, rows.count);
    return rows.content;
  }
  Outcome<std::string_view> operator()(const SetKeyspace& set) const {
    append_be(out, result_kind::kSetKeyspace);
    append_string(out, set.keyspace);
    return {};
  }
  Outcome<std::string_view> operator()(const Prepared& prepared) const {
    append_be(out, result_kind::kPrepared);
    append_short_bytes(out, prepared.id);
    if (version >= 5) append_short_bytes(out, prepared.result_metadata_id);
    TRY(append_markers(out, version, prepared));
    TRY(append_metadata(out, version, Rows{.columns = prepared.columns}));
    return {};
  }
  Outcome<std::string_view> operator()(const SchemaChange& change) const {
    append_be(out, result_kind::kSchemaChange);
    append_change(out, version, change);
    return {};
  }
};

/// The nearest failure that `version` knows.
Failure told(int version, const Failure& failure) {
  Failure result = failure;
  if (version >= 4) return result;
  switch (failure.code) {
    case ErrorCode::kReadFailure:
      result.code = ErrorCode::kReadTimeout;
      break;
    case ErrorCode::kWriteFailure:
      result.code = ErrorCode::kWriteTimeout;
      break;
    case ErrorCode::kFunctionFailure:
      result.code = ErrorCode::kInvalid;
      result.message = "ERROR FUNCTION_FAILURE: " + failure.message;
      break;
    default:
      break;
  }
  return result;
}

void append_replicas(std::string& out, const Failure& failure) {
  const Failure::Replicas replicas = failure.replicas.value_or(Failure::Replicas{});
  const bool unavailable = failure.code == ErrorCode::kUnavailable;
  append_be(out, replicas.consistency);
  append_be(out, unavailable ? replicas.required : replicas.received);
  append_be(out, unavailable ? replicas.received : replicas.required);
  if (unavailable) return;
  const bool read =
      failure.code == ErrorCode::kReadTimeout || failure.code == ErrorCode::kReadFailure;
  const bool failed =
      failure.code == ErrorCode::kReadFailure || failure.code == ErrorCode::kWriteFailure;
  if (failed) append_be(out, std::int32_t{0});  // nodes that say why
  if (read)
    out += static_cast<char>(replicas.data_present ? 1 : 0);
  else
    append_string(out, replicas.write_type);
}

/// What stands behind the message of some errors.
void append_details(std::string& out, const Failure& failure) {
  switch (failure.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kReadFailure:
    case ErrorCode::kWriteFailure:
      return append_replicas(out, failure);
    case ErrorCode::kFunctionFailure:
      append_string(out, failure.keyspace);
      append_string(out, failure.name);
      return append_string_list(out, failure.argument_types);
    case ErrorCode::kAlreadyExists:
      append_string(out, failure.keyspace);
      return append_string(out, failure.name);
    case ErrorCode::kUnprepared:
      return append_short_bytes(out, failure.statement_id);
    case ErrorCode::kServer:
    case ErrorCode::kProtocol:
    case ErrorCode::kBadCredentials:
    case ErrorCode::kOverloaded:
    case ErrorCode::kTruncate:
    case ErrorCode::kSyntax:
    case ErrorCode::kUnauthorized:
    case ErrorCode::kInvalid:
    case ErrorCode::kConfiguration:
      return;
  }
}

struct MessageAppender {
  std::string& out;
  int version;

  Outcome<Opcode> operator()(const AnyResult& result) const {
    auto behind = append_result(out, version, result);
    if (!behind) return std::unexpected(std::move(behind.error()));
    out += *behind;
    return Opcode::kResult;
  }
  Outcome<Opcode> operator()(const Ready&) const { return Opcode::kReady; }
  Outcome<Opcode> operator()(const Authenticate& message) const {
    append_string(out, message.authenticator);
    return Opcode::kAuthenticate;
  }
  Outcome<Opcode> operator()(const Supported& message) const {
    append_supported(out, message);
    return Opcode::kSupported;
  }
  Outcome<Opcode> operator()(const AuthChallenge& message) const {
    append_bytes(out, message.token);
    return Opcode::kAuthChallenge;
  }
  Outcome<Opcode> operator()(const AuthSuccess& message) const {
    append_bytes(out, message.token);
    return Opcode::kAuthSuccess;
  }
  Outcome<Opcode> operator()(const Event& event) const {
    append_event(out, version, event);
    return Opcode::kEvent;
  }
  Outcome<Opcode> operator()(const Failure& failure) const {
    append_failure(out, version, failure);
    return Opcode::kError;
  }
};

}  // namespace

std::uint8_t append_prelude(std::string& out, int version, const Prelude& prelude) {
  std::uint8_t flags = 0;
  if (!prelude.tracing_id.empty()) {
    out += prelude.tracing_id;
    flags |= flag::kTracing;
  }
  if (version >= 4 && prelude.warnings != nullptr && !prelude.warnings->empty()) {
    append_string_list(out, *prelude.warnings);
    flags |= flag::kWarning;
  }
  return flags;
}

Outcome<std::string_view> append_result(std::string& out, int version, const AnyResult& result) {
  return std::visit(ResultAppender{out, version}, result);
}

void append_failure(std::string& out, int version, const Failure& failure) {
  const Failure known = told(version, failure);
  append_be(out, static_cast<std::int32_t>(known.code));
  append_string(out, known.message);
  append_details(out, known);
}

void append_event(std::string& out, int version, const Event& event) {
  if (const auto* schema = std::get_if<SchemaChange>(&event)) {
    append_string(out, "SCHEMA_CHANGE");
    return append_change(out, version, *schema);
  }
  const auto& node = std::get<NodeChange>(event);
  append_string(out, node.event);
  append_string(out, node.change);
  out += static_cast<char>(node.address.size());
  out += node.address;
  append_be(out, node.port);
}

void append_supported(std::string& out, const Supported& supported) {
  append_be(out, static_cast<std::uint16_t>(supported.options.size()));
  for (const auto& [name, values] : supported.options) {
    append_string(out, name);
    append_string_list(out, values);
  }
}

Outcome<Opcode> append_message(std::string& out, int version, const ServerMessage& message) {
  return std::visit(MessageAppender{out, version}, message.body);
}

}  // namespace tailrace::cql_protocol
