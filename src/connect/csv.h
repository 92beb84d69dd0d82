// CSV (RFC 4180) with a header line: each row becomes a JSON object by the header's names.
//
// A field without quotes that is a JSON number, true or false stays one; an empty one is null;
// everything else is a string. A quoted field is always a string. A row with another number of
// fields is a reject. A column without a name is _c0, _c1, … by its place.
#pragma once

#include <optional>

#include "connect/byte_stream.h"
#include "connect/record_file.h"

namespace tailrace::connect {

/// `rows` begin at part.offset; `header` is the file's beginning when that is not 0.
Result<std::unique_ptr<RecordFile>> open_csv(std::optional<LineReader> header, LineReader rows,
                                             const FilePart& part);

}  // namespace tailrace::connect
