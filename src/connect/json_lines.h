// Lines as a sequence of records: JSON, where a line that is no JSON value is a reject, or text,
// where each becomes {"line": …}. A blank line is nothing.
#pragma once

#include <memory>

#include "connect/byte_stream.h"
#include "connect/record_file.h"

namespace tailrace::connect {

/// `lines` begin at part.offset.
std::unique_ptr<RecordFile> open_json_lines(LineReader lines, const FilePart& part);
std::unique_ptr<RecordFile> open_text_lines(LineReader lines, const FilePart& part);

}  // namespace tailrace::connect
