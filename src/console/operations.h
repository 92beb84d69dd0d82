// Work that a client starts and asks about until it is over: a source's emitting, a refresh of the
// tables. Implemented by app/; the functions are called from several threads at once.
//
//   POST /api/ingest/NAME/run {seconds}   lets a source emit for so long, or to the end of what is
//                                         there; Operation
//   POST /api/refresh {}                  until what is in the topics now is in the tables
//   GET  /api/operations/ID               Operation
//   POST /api/operations/ID/stop {}       asks it to end; Operation
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::console {

struct Operation {
  std::string id;
  std::string kind;               ///< "ingest", "refresh"
  std::string name;               ///< the source's; "" of a refresh
  std::string state = "running";  ///< "running", "succeeded", "failed", "stopped"
  std::int64_t records = 0;       ///< that a source has appended, when it is over
  std::string why;                ///< of a failure, one line
};

class Operations {
 public:
  virtual ~Operations() = default;
  /// kNotFound: no such source. kResourceExhausted: too many run already.
  virtual Result<Operation> ingest(std::string_view source, std::optional<double> seconds) = 0;
  virtual Result<Operation> refresh() = 0;
  /// kNotFound: it never was, or ended long ago.
  virtual Result<Operation> operation(std::string_view id) = 0;
  virtual Result<Operation> stop(std::string_view id) = 0;
};

}  // namespace tailrace::console
