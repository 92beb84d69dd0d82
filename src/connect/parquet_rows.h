// Parquet as a sequence of JSON objects, one a row; one record batch in memory at a time.
//
// Numbers, booleans, lists and structs stay what they are; timestamps and dates are ISO text,
// decimals plain text of their digits as a number, binary is base64, a map an object.
#pragma once

#include <memory>
#include <string>

#include "connect/record_file.h"

namespace tailrace::connect {

Result<std::unique_ptr<RecordFile>> open_parquet(const std::string& path);

}  // namespace tailrace::connect
