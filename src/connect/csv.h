// CSV (RFC 4180) with a header line: each row becomes a JSON object by the header's names.
//
// A field without quotes that is a JSON number, true or false stays one; an empty one is null;
// everything else is a string. A quoted field is always a string. A row with another number of
// fields is a reject.
#pragma once

#include "connect/byte_stream.h"
#include "connect/record_file.h"

namespace tailrace::connect {

Result<std::unique_ptr<RecordFile>> open_csv(LineReader lines);

}  // namespace tailrace::connect
