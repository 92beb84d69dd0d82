// CloudEvents 1.0.2 over HTTP (the HTTP protocol binding 1.0.2 and the JSON format 1.0.2):
// structured, batched and binary content modes, to records.
//
// A record's key is that of the source's `key`, else the attribute `partitionkey` (as the Kafka
// binding has it). Each event of a batch is a part of its own: what of a batch was taken before is
// not taken again.
#pragma once

#include <string>

#include "hooks/body.h"

namespace tailrace::hooks {

/// By its media type, or by the headers of the binary mode.
bool is_cloud_event(const net::Request& request, const std::string& type);

Body read_cloud_events(const connect::WebhookOptions& hook, const net::Request& request,
                       const std::string& type);

}  // namespace tailrace::hooks
