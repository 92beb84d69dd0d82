// Which node holds which partitions: tokens in order, each of the node that has what ends there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_protocol/messages.h"

namespace tailrace::cql_client {

/// The values of a row, or null.
using Row = std::vector<std::optional<std::string>>;

/// Rows by name of their columns; kInvalidArgument for content that does not hold them.
Result<std::vector<Row>> rows_of(const cql_protocol::Rows& rows);

/// What system.local and system.peers tell of one node.
struct NodeInfo {
  std::string address;  ///< as text; empty: the node that was asked
  std::string data_center;
  std::vector<std::int64_t> tokens;
};

/// The statement, and a row of its answer as a node. nullopt for a peer that is not all there yet.
constexpr std::string_view kLocalQuery =
    "SELECT data_center, tokens, rpc_address, rpc_address FROM system.local";
constexpr std::string_view kPeersQuery =
    "SELECT data_center, tokens, rpc_address, peer FROM system.peers";
std::optional<NodeInfo> node_of(const Row& row);

class Ring {
 public:
  /// Tokens of a node by its number, which the caller gives.
  void add(const NodeInfo& node, std::size_t number);
  /// Call it once after the last add().
  void finish();
  /// The node that has this partition first; nullopt where no tokens are known.
  std::optional<std::size_t> holder(std::string_view partition) const;

 private:
  std::vector<std::pair<std::int64_t, std::size_t>> tokens_;
};

}  // namespace tailrace::cql_client
