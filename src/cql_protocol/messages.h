// The messages of the native protocol, as both sides have them: what a client asks, what a server
// answers. Numbers are the protocol's (versions 3, 4 and 5). Views lie in the frame they were read
// from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cql_types/failure.h"
#include "cql_types/type.h"

namespace tailrace::cql_protocol {

enum class Opcode : std::uint8_t {
  kError = 0x00,
  kStartup = 0x01,
  kReady = 0x02,
  kAuthenticate = 0x03,
  kOptions = 0x05,
  kSupported = 0x06,
  kQuery = 0x07,
  kResult = 0x08,
  kPrepare = 0x09,
  kExecute = 0x0A,
  kRegister = 0x0B,
  kEvent = 0x0C,
  kBatch = 0x0D,
  kAuthChallenge = 0x0E,
  kAuthResponse = 0x0F,
  kAuthSuccess = 0x10,
};

enum class Consistency : std::uint16_t {
  kAny = 0,
  kOne = 1,
  kTwo = 2,
  kThree = 3,
  kQuorum = 4,
  kAll = 5,
  kLocalQuorum = 6,
  kEachQuorum = 7,
  kSerial = 8,
  kLocalSerial = 9,
  kLocalOne = 10,
};
std::string_view consistency_name(Consistency consistency);  ///< "LOCAL_ONE"

/// A value bound to a marker.
struct Value {
  enum class Kind : std::uint8_t { kBytes, kNull, kUnset };
  Kind kind = Kind::kNull;
  std::string_view bytes;

  static Value of(std::string_view bytes) { return {Kind::kBytes, bytes}; }
  static Value unset() { return {Kind::kUnset, {}}; }
  bool is_null() const { return kind == Kind::kNull; }
  bool is_unset() const { return kind == Kind::kUnset; }
};

/// What goes with QUERY and EXECUTE (§4.1.4).
struct Parameters {
  Consistency consistency = Consistency::kOne;
  std::vector<Value> values = {};
  std::vector<std::string_view> names = {};  // as many as values, or none: by position
  bool skip_metadata = false;
  std::optional<std::int32_t> page_size = {};
  std::optional<std::string_view> paging_state = {};
  std::optional<Consistency> serial_consistency = {};
  std::optional<std::int64_t> timestamp = {};  // microseconds
  std::optional<std::string_view> keyspace = {};
  std::optional<std::int32_t> now_seconds = {};
};

struct Query {
  std::string_view text;
  Parameters parameters;
};

struct Prepare {
  std::string_view text;
  std::optional<std::string_view> keyspace = {};
};

struct Execute {
  std::string_view id;
  /// Of the columns that the client knows; from version 5 on.
  std::optional<std::string_view> result_metadata_id = {};
  Parameters parameters;
};

struct Batch {
  enum class Kind : std::uint8_t { kLogged, kUnlogged, kCounter };
  struct Part {
    bool prepared = false;
    std::string_view text_or_id;
    std::vector<Value> values = {};
  };
  Kind kind = Kind::kLogged;
  std::vector<Part> parts = {};
  Parameters parameters = {};  // consistencies, timestamp, keyspace, now
};

struct Startup {
  std::map<std::string, std::string> options;
};
struct Options {};
struct Register {
  std::vector<std::string> events;
};
struct AuthResponse {
  std::optional<std::string_view> token;
};

using Request =
    std::variant<Startup, Options, Query, Prepare, Execute, Register, Batch, AuthResponse>;

/// A column of a result, or what a marker stands for.
struct ColumnSpec {
  std::string keyspace, table, name;
  cql_types::TypePtr type;
};

struct Void {};
struct Rows {
  /// Shared with the prepared statement: not copied for each answer.
  std::shared_ptr<const std::vector<ColumnSpec>> columns;
  bool skip_metadata = false;
  std::optional<std::string> paging_state = {};
  /// Version 5: the client's metadata are out of date; these have this id.
  std::optional<std::string> new_metadata_id = {};
  std::int32_t count = 0;
  std::string content = {};  // count × columns × [bytes], as on the wire
};
struct SetKeyspace {
  std::string keyspace;
};
struct Prepared {
  std::string id;
  std::string result_metadata_id;
  std::vector<std::uint16_t> partition_key;  // the markers that are its columns, in key order
  std::vector<ColumnSpec> markers;
  std::shared_ptr<const std::vector<ColumnSpec>> columns;  // of the result; empty: none
};
/// RESULT Schema_change and the EVENT of the same.
struct SchemaChange {
  std::string change;  // CREATED, UPDATED, DROPPED
  std::string target;  // KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE
  std::string keyspace, name = {};
  std::vector<std::string> argument_types = {};
};

using AnyResult = std::variant<Void, Rows, SetKeyspace, Prepared, SchemaChange>;

/// What a statement comes to.
struct Answer {
  AnyResult result;
  std::vector<std::string> warnings = {};
};

struct Ready {};
struct Authenticate {
  std::string authenticator;  // a class of Cassandra's
};
struct Supported {
  std::map<std::string, std::vector<std::string>> options;
};
struct AuthChallenge {
  std::optional<std::string> token = {};
};
struct AuthSuccess {
  std::optional<std::string> token = {};
};
/// EVENT TOPOLOGY_CHANGE (NEW_NODE, REMOVED_NODE, MOVED_NODE) and STATUS_CHANGE (UP, DOWN).
struct NodeChange {
  std::string event, change;
  std::string address;  // 4 or 16 bytes
  std::int32_t port = 0;
};
using Event = std::variant<SchemaChange, NodeChange>;

/// What a server sends.
struct ServerMessage {
  std::variant<AnyResult, Ready, Authenticate, Supported, AuthChallenge, AuthSuccess, Event,
               cql_types::Failure>
      body;
  std::vector<std::string> warnings = {};
  std::optional<std::string> tracing_id = {};  // a UUID's 16 bytes
};

}  // namespace tailrace::cql_protocol
