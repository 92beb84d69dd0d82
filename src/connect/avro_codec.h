// The codecs of Avro's object container files: how the data of a block is packed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::connect {

/// kUnimplemented: none of null, deflate, snappy, zstandard, bzip2, xz.
Status check_avro_codec(std::string_view codec);

/// A block's data, at most `most` bytes of it. kDataLoss: it is damaged; kResourceExhausted.
Result<std::string> unpack_avro_block(std::string_view codec, std::string_view packed,
                                      std::size_t most);

}  // namespace tailrace::connect
