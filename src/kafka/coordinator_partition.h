// Which partition of its topic holds a coordinator's records of an id.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailrace::kafka {

/// Of a group in __consumer_offsets or a transactional id in __transaction_state: Java's
/// String.hashCode, made positive as Kafka does.
std::int32_t coordinator_partition(std::string_view id, std::int32_t partitions);

}  // namespace tailrace::kafka
