// An item as a record of a topic, and a refused one as a record of the topic of rejects.
#pragma once

#include <string>
#include <string_view>

#include "kafka_log/record_producer.h"
#include "lambda/event.h"
#include "lambda/settings.h"

namespace tailrace::lambda {

/// The record, with CloudEvents' headers in Kafka's binding (ce_id, ce_source, ce_type, ce_time): a
/// reader that remembers ce_id takes what AWS delivers twice once. Where the settings do not take
/// the item, why.
std::expected<kafka_log::ProducedRecord, Refusal> record_of(const Event& event, const Item& item,
                                                            const Settings& settings,
                                                            std::string_view request_id);

/// A line of an object, as an item of its own.
Item line_item(const Item& object, std::string_view line, std::int64_t number);

/// JSON {source, topic, reason, detail, origin, bytes (base64), time_ms}, as a project's own
/// sources reject; `bytes` beyond half a MiB are cut off, and {"truncated_from": N} says so.
kafka_log::ProducedRecord reject_of(const Event& event, const Item& item, const Refusal& refusal,
                                    const Settings& settings, std::int64_t time_ms);

}  // namespace tailrace::lambda
