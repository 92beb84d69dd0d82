// Avro's object container files (Avro 1.12) as a sequence of JSON values; one block in memory.
//
//   file   := "Obj\x01" {text: bytes} sync:16 block …         (a map: avro.schema, avro.codec)
//   block  := count:long size:long data:size sync
//
// Values are as schema/record_json.h writes them, by the schema of their own file: files of one
// folder may have schemas of several versions, and each gives the fields that it has. What
// reads them by a schema of its own (a topic's) fills in and leaves out by name.
//
// A block that cannot be read is one reject that names its place in the file, and its records by
// their numbers; reading goes on behind the next sync marker. Of a block of which only the
// beginning can be read the records there are kept, and the rest is the reject.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connect/record_file.h"

namespace tailrace::connect {

inline constexpr std::string_view kAvroMagic = "Obj\x01";

/// kDataLoss: no such file, or its head is damaged; kUnimplemented: a codec that is none of Avro's.
Result<std::unique_ptr<RecordFile>> open_avro(const std::string& path);

}  // namespace tailrace::connect
