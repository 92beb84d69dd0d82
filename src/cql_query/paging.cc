// The bytes of a paging state.
#include "cql_query/paging.h"

#include "base/bytes.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

constexpr std::string_view kMagic = "TR\x01";
constexpr char kHasClustering = 1, kPartitionDone = 2;

}  // namespace

std::string encode(const PagingState& state) {
  std::string out(kMagic);
  append_be(out, state.table);
  append_be(out, state.left);
  append_be(out, state.left_in_partition);
  cql_types::append_part(out, state.partition);
  out += static_cast<char>((state.clustering ? kHasClustering : 0) |
                           (state.partition_done ? kPartitionDone : 0));
  cql_types::append_part(out,
                         state.clustering ? cql_types::Part(*state.clustering) : cql_types::Part());
  return out;
}

cql_types::Outcome<PagingState> decode_paging_state(std::string_view bytes, std::uint32_t table) {
  const auto refused =
      cql_types::failure(cql_types::ErrorCode::kProtocol, "Invalid value for the paging state");
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + 12) return refused;
  bytes.remove_prefix(kMagic.size());
  PagingState state;
  state.table = load_be<std::uint32_t>(bytes.data());
  state.left = load_be<std::int32_t>(bytes.data() + 4);
  state.left_in_partition = load_be<std::int32_t>(bytes.data() + 8);
  bytes.remove_prefix(12);
  cql_types::TupleReader partition(bytes);
  cql_types::Part part;
  if (!partition.next(part) || !part || partition.rest().empty()) return refused;
  state.partition = *part;
  const char flags = partition.rest().front();
  cql_types::TupleReader clustering(partition.rest().substr(1));
  if (!clustering.next(part) || !clustering.rest().empty()) return refused;
  if ((flags & kHasClustering) != 0) {
    if (!part) return refused;
    state.clustering = std::string(*part);
  }
  state.partition_done = (flags & kPartitionDone) != 0;
  if (state.table != table || state.left <= 0 || state.left_in_partition < 0) return refused;
  return state;
}

}  // namespace tailrace::cql_query
