// A line of text or a datagram as a record: JSON as it is, or wrapped, or bytes as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "connect/inbox.h"
#include "connect/json_path.h"
#include "connect/options.h"

namespace tailrace::connect {

/// Where a message came from.
struct Whence {
  std::string place;        ///< "tcp 127.0.0.1:50123", "stdin"
  std::string from;         ///< the other end's address; "" where there is none
  std::int64_t number = 0;  ///< of the message there, from 1
};

/// Puts one message into the delivery, as an item or as a reject. A `problem` makes it a reject.
using Decode = std::function<void(std::string_view message, std::string_view problem,
                                  const Whence& whence, Delivery& delivery)>;

inline constexpr std::string_view kFormatOption =
    "`json`: each is one JSON value; `text`: it becomes `{\"line\": …, \"from\": …}`; `raw`: its "
    "bytes are the record";

/// Of the options `format` and `key`.
Decode text_decode(Options& options);

void add_reject(Delivery& delivery, std::string reason, std::string_view detail,
                const Whence& whence, std::string_view bytes);

}  // namespace tailrace::connect
