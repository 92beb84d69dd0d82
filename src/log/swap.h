// How cleaned segments take the place of the ones they were made of, so that a crash leaves either
// all of the old or all of the new (Kafka's names, LogCleaner).
//
//   <base>.{index,timeindex,txnindex,txncheck,log}.cleaned   being written: removed at the next
//   start <base>.{…}.swap                                 done; once .log.swap is there, the new
//   one counts
//
// 1. .cleaned → .swap, the .log last. 2. The files of the later old segments go, in the order of
// their offsets. 3. .swap → the plain names, the .log last. A start that finds .log.swap goes on
// with 2; other .swap files are removed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "rt/file.h"

namespace tailrace::log {

/// Steps 1 to 3. `others` are the bases of the old segments besides `base`. After an Error the old
/// segment counts while no .log.swap is there; `committed` says whether it may be.
Status swap_in(rt::FileSystem& files, const std::string& folder, Offset base,
               std::span<const Offset> others, bool& committed);

/// Finishes or undoes what a crash left in a partition's folder. True when it changed anything.
Result<bool> finish_swaps(rt::FileSystem& files, const std::string& folder,
                          const std::vector<std::string>& names);

}  // namespace tailrace::log
