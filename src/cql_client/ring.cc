#include "cql_client/ring.h"

#include <algorithm>
#include <charconv>

#include "cql_protocol/wire.h"
#include "cql_types/inet.h"
#include "cql_types/parts.h"
#include "cql_types/token.h"

namespace tailrace::cql_client {
namespace {

enum Column : std::size_t { kDataCenter, kTokens, kAddress, kPeer, kColumns };

/// A node behind "all addresses" is reached at the one it has among its peers.
bool is_any(std::string_view address) {
  return address.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

Result<std::vector<Row>> rows_of(const cql_protocol::Rows& rows) {
  std::vector<Row> all;
  cql_protocol::Reader reader(rows.content);
  const std::size_t columns = rows.columns ? rows.columns->size() : 0;
  for (std::int32_t i = 0; i < rows.count && !reader.failed(); ++i) {
    Row row;
    for (std::size_t c = 0; c < columns; ++c) {
      const auto value = reader.bytes();
      row.push_back(value ? std::optional(std::string(*value)) : std::nullopt);
    }
    all.push_back(std::move(row));
  }
  if (reader.failed()) return error(Code::kInvalidArgument, reader.failure().message);
  return all;
}

std::optional<NodeInfo> node_of(const Row& row) {
  if (row.size() != kColumns || !row[kDataCenter] || !row[kTokens]) return std::nullopt;
  NodeInfo node{.address = {}, .data_center = *row[kDataCenter], .tokens = {}};
  const bool any = !row[kAddress] || is_any(*row[kAddress]);
  const auto& address = any ? row[kPeer] : row[kAddress];
  if (!address) return std::nullopt;
  const auto text = cql_types::inet_text(*address);
  node.address = text;
  cql_types::CollectionReader tokens(*row[kTokens], 1);
  cql_types::Part token;
  while (tokens.next(token)) {
    std::int64_t number = 0;
    if (token &&
        std::from_chars(token->data(), token->data() + token->size(), number).ec == std::errc())
      node.tokens.push_back(number);
  }
  return node;
}

void Ring::add(const NodeInfo& node, std::size_t number) {
  for (const std::int64_t token : node.tokens) tokens_.emplace_back(token, number);
}

void Ring::finish() {
  std::ranges::sort(tokens_);
}

std::optional<std::size_t> Ring::holder(std::string_view partition) const {
  if (tokens_.empty()) return std::nullopt;
  const std::int64_t token = cql_types::murmur3_token(partition);
  const auto found =
      std::ranges::lower_bound(tokens_, token, {}, [](const auto& one) { return one.first; });
  return (found == tokens_.end() ? tokens_.front() : *found).second;
}

}  // namespace tailrace::cql_client
