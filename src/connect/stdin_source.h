// Lines of standard input, whose end is the source's end, or of a named pipe, which has none.
//
// What was read and not yet written when we died is lost; the producer's pipe cannot give it again.
#pragma once

#include <memory>

#include "connect/source_types.h"

namespace tailrace::connect {

/// `use: stdin`
extern const SourceType kStdinSource;

}  // namespace tailrace::connect
