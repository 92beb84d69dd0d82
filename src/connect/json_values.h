// A JSON array, or values one after another over several lines, as a sequence of values: one value
// in memory at a time, each as it is written.
#pragma once

#include <memory>

#include "connect/byte_stream.h"
#include "connect/record_file.h"

namespace tailrace::connect {

std::unique_ptr<RecordFile> open_json_values(LineReader bytes);

}  // namespace tailrace::connect
