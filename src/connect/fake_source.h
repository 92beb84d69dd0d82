// The generator as a source: records 0, 1, 2 … of a seed, some at once, then so many a second.
//
// Options: kind (random_user), seed, first, rate, limit, key ($.login.uuid),
// faults.{duplicates,bad_json,null_ids,late}. Position: {"n": next record number}.
#pragma once

#include <memory>

#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

/// `use: fake`
extern const SourceType kFakeSource;

Result<std::unique_ptr<Source>> make_fake_source(const SourceSpec& spec,
                                                 rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
