// Objects of a bucket as a source: those that are there and those that come, each content once.
//
// An object is a key with an ETag. What is learnt of it (a listing, a message of SQS, MinIO's
// webhook) goes into a book (bucket_book.h), once, and gets a number there before anything of it is
// emitted. Position: {"n": the number that is read now, "records": how many of its records were
// emitted}. Objects are fetched side by side into files (bucket_fetcher.h) and emitted by their
// numbers; a file stays until the position behind it is noted, so what is emitted again after a
// crash is the same to the letter, whatever became of the object.
//
// A listing goes on only when all of a page was read; a message is deleted, and a webhook answered,
// when what it names is in the book. Nothing is begun while the source is paused.
//
//   gone before it was read      a reject
//   another by then              nothing: the new content is an object of its own
//   refused, no permission       put off: again after a minute, doubled up to an hour; an error
//   no answer, 429, 500          tried again for as long as it takes, unless its neighbours can be
//                                had: put off then
//   damaged, of no known kind    what can be read is kept, one reject says where it ended
#pragma once

#include "connect/source.h"
#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

extern const SourceType kBucketSource;

Result<std::unique_ptr<Source>> make_bucket_source(const SourceSpec& spec,
                                                   rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
