// Whole messages of a stream of bytes: lines, and syslog over TCP.
//
//   lines     *(bytes LF), a CR before the LF belongs to it; blank lines are nothing; the last line
//             needs no LF
//   syslog    RFC 6587, told apart message by message:
//               octet counting  1*9DIGIT SP bytes, as RFC 5425 demands over TLS
//               LF-terminated   anything else, up to LF or NUL
//
// What is longer than the limit is taken as its first bytes with a problem; the rest is skipped,
// and what follows is read as ever. Memory: one message of the limit.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tailrace::connect {

class Framing {
 public:
  /// `problem` is "" for a message that is whole.
  using Take = std::function<void(std::string_view message, std::string_view problem)>;
  virtual ~Framing() = default;
  /// Calls `take` for each message that ends in these bytes.
  virtual void feed(std::string_view bytes, const Take& take) = 0;
  /// No more will come: what is unfinished is a message, or a problem where its length was told.
  virtual void end(const Take& take) = 0;
};

std::unique_ptr<Framing> line_framing(std::size_t max_bytes);
std::unique_ptr<Framing> syslog_framing(std::size_t max_bytes);

}  // namespace tailrace::connect
