// What STARTUP asks for, checked, and what OPTIONS is told.
#pragma once

#include <optional>

#include "cql_protocol/compression.h"
#include "cql_protocol/messages.h"
#include "cql_types/failure.h"

namespace tailrace::cql {

/// The compression asked for; kProtocol with Cassandra's sentence for what cannot be had.
cql_types::Outcome<cql_protocol::Compression> check_startup(int version,
                                                            const cql_protocol::Startup& startup);

/// Whether segments begin behind STARTUP's answer, and how they are compressed: from version 5,
/// whatever the answer is, unless a compression was asked for that segments do not have.
std::optional<cql_protocol::Compression> segments_of(int version,
                                                     const cql_protocol::Startup& startup);

cql_protocol::Supported supported();

}  // namespace tailrace::cql
