// The files of a project's DAGs, looked at again and again: a call when what is there has changed.
//
// They are looked at, not watched: names that go and folders of other machines are seen, too. A
// change is told when it has been the same for two looks, so that a file that is being written is
// not read.
//
// Threads: one of its own, which calls `changed`.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>

namespace tailrace::workflows {

/// What is there: by path, what differs from one version of a file to the next. Python's files are
/// none of it: a task reads them when it runs.
using DagFiles = std::map<std::string, std::string>;
DagFiles dag_files(const std::string& folder);

class DagFileLooks {
 public:
  /// `seen` is what was there when the DAGs were read.
  DagFileLooks(std::string folder, DagFiles seen, std::function<void()> changed,
               std::chrono::milliseconds pause = std::chrono::milliseconds(500));

 private:
  const std::string folder_;
  DagFiles seen_;
  const std::function<void()> changed_;
  const std::chrono::milliseconds pause_;
  std::jthread thread_;

  void loop(const std::stop_token& stop);
};

}  // namespace tailrace::workflows
