// What happens in folders, as the system tells it (inotify): which names may be looked at again,
// and a call when a file was written to its end or moved there.
//
// A watch is a hint: network file systems tell nothing of what others do there, and a full queue
// loses names (Changes::all). Whoever must not miss anything looks for himself now and then.
//
// Threads: one of its own, which calls `wake`; add() and take() from any.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"

namespace tailrace::rt {

class FolderWatch {
 public:
  struct Changes {
    bool all = false;             ///< names were lost, or a folder came: look at everything
    std::set<std::string> paths;  ///< FOLDER/NAME, FOLDER as it was added
  };

  virtual ~FolderWatch() = default;
  /// kResourceExhausted: the system has no more watches (fs.inotify.max_user_instances).
  static Result<std::unique_ptr<FolderWatch>> start(std::function<void()> wake);

  /// From here on changes in `folder`, but not below its folders, are told. Again is no Error.
  /// kResourceExhausted: fs.inotify.max_user_watches. kUnavailable: it is not there, or on a file
  /// system that tells nothing of what others do.
  virtual Status add(const std::string& folder) = 0;
  /// What came since the last call.
  virtual Changes take() = 0;
};

}  // namespace tailrace::rt
