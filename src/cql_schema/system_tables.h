// The rows of the tables that describe the server and its schema: system.local, system.peers,
// system_schema.*, system_virtual_schema.* and the rest. All of their columns are
// Cassandra 5.0.9's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cql_schema/schema.h"

namespace tailrace::cql_schema {

/// What the server says of itself.
struct Node {
  std::string cluster_name = "Tailrace";
  std::string data_center = "datacenter1", rack = "rack1";
  std::string host_id;  // a UUID's 16 bytes
  std::string address;  // the door's, 4 or 16 bytes
  std::uint16_t port = 0;
  std::int32_t generation = 0;  // seconds since 1970 when it started
  std::string token = "0";      // the ring's only one, in decimal digits
};

/// One value a column, in the order of Table::columns: protocol bytes, or null.
using Values = std::vector<std::optional<std::string>>;

/// The rows of a virtual table in no order; empty for those that have none here.
std::vector<Values> system_rows(const Table& table, const Schema& schema, const Node& node);

}  // namespace tailrace::cql_schema
