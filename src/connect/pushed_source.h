// A source whose records come by themselves: a webhook's, a syslog's, a function's events. Doors
// and receivers put them into its Inbox; this appends them and says when they are durable.
//
// Position: {"n": records, "deliveries": how many so far, "ids": [id …] of the last chunk that was
// spooled, "at": when}. A record's origin is NAME:n.
//
// What was appended and not noted is not emitted again: nobody was told that it is durable, and
// after a crash the sequences come from the log. Its ids must not be lost all the same, or who
// sends it again would double it:
//   a delivery of one record   the id is kept with the record (Entry::id), and told to the source
//                              at the start (written_since); before a position is noted it is in
//                              the file of ids (keep)
//   of none or several, or of  the chunk is spooled before it is appended, so that its records
//   rejects, or where ids are  and the memory of its ids survive together or not at all
//   not kept with records
#pragma once

#include <memory>
#include <string>

#include "connect/inbox.h"
#include "connect/source.h"
#include "rt/clock.h"
#include "rt/file.h"

namespace tailrace::connect {

/// What receives from outside and fills the inbox, for as long as it lives: a socket's thread, a
/// client of a stream. A door of its own (hooks) needs none.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// Called by the source's thread before the first take(): begins to receive. An Error that may
  /// pass (kUnavailable: the address is taken) is tried again.
  virtual Status start(Inbox& inbox) = 0;
  /// Ends its threads; nothing is offered after it.
  virtual void stop() = 0;
  /// The last trouble with the outside, "" when there is none: the hop's line.
  virtual std::string trouble() const { return {}; }
  /// Nothing more is on its way for now (--once ends then): a client that has not connected yet
  /// says no.
  virtual bool quiet() const { return true; }
  /// "listening at 127.0.0.1:5514", "connected, 3 retries": the hop's line while nothing comes.
  virtual std::string state() const { return {}; }
};

struct PushedConfig {
  std::string name;        ///< of the source
  std::string describe;    ///< for the hop's line, without secrets
  std::string ids_folder;  ///< where accepted ids are kept, in NAME.taken; "": nothing has ids
  std::int64_t remember_ms = 86'400'000;   ///< how long an id is known
  std::int64_t remember_most = 1'000'000;  ///< and how many
  /// It has an end (a pipe's): until the inbox is closed, more is to come.
  bool ends = false;
};

/// `receiver` may be null.
std::unique_ptr<Source> pushed_source(PushedConfig config, std::shared_ptr<Inbox> inbox,
                                      std::unique_ptr<Receiver> receiver,
                                      rt::Clock& clock = rt::system_clock(),
                                      rt::FileSystem& files = rt::posix_files());

}  // namespace tailrace::connect
