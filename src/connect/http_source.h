// Polls a URL: every so often one GET or more, whose body holds records at a JSON path.
//
// Options: README.md has the table. The URL may hold {page}, {cursor} and {since}:
//   {page}            counts up while pages are full; a page that is short (fewer than page_size)
//   or
//                     empty is asked for again at the next poll, and only what is new in it is
//                     taken
//   {cursor}          goes where the answer says; the last page is asked for again likewise
//   {since}           the greatest value seen in earlier polls; a record that has just that value
//   and
//                     was taken is not taken again, so the API may mean "since" or "after"
//   {since} and {page} or {cursor}: the pages of one sweep are asked for with one {since}; the next
//                     sweep begins at the first page
// Position: see HttpPosition in http_position.h.
//
// A failed poll (refused, timed out, 429, 5xx, 4xx, a body that is not what it should be) is
// chunk.error naming URL and status, and waits: Retry-After where the server says so, else backoff
// · 2^tries with jitter up to backoff_max.
#pragma once

#include <memory>

#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

/// `use: http`
extern const SourceType kHttpSource;

Result<std::unique_ptr<Source>> make_http_source(const SourceSpec& spec,
                                                 rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
