// Polls a URL: every so often one GET, whose body holds records at a JSON path.
//
// Options: url (with {page}, {cursor}, {since} filled in), every, timeout, records ($ by default),
// key, cursor (path in the answer), since (path in a record; the last one's value), headers as
// headers.NAME, max_body_bytes, backoff, backoff_max, seed (of the jitter). Position: {"page",
// "cursor", "since", "etag", "etag_url"}.
//
// A failed poll (refused, timed out, 429, 5xx, 4xx, a body that is not what it should be) is
// chunk.error naming URL and status, and waits: Retry-After where the server says so, else backoff
// · 2^tries with jitter up to backoff_max. Paging by {page} goes on at once while pages hold
// records, by {cursor} while the answer names another.
#pragma once

#include <memory>

#include "connect/source.h"
#include "rt/clock.h"

namespace tailrace::connect {

Result<std::unique_ptr<Source>> make_http_source(const SourceSpec& spec,
                                                 rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
