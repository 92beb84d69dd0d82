// One of Spark's Delta tables, as far as its changes have been taken: which data files those are.
//
// The store has a key `f` NAME 0 PATH for each file, with the number of its rows, so what a new
// version changed is known without the log in between: files of both versions need no reading.
//
// Threads: one follows; files(), rows() and scan() from any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "columns/types.h"
#include "kv/store.h"
#include "lake/snapshot.h"
#include "spark/difference.h"

namespace tailrace::spark {

class FollowedTable {
 public:
  /// Of the table in LAKE/NAME, or its name in lower case, as Spark's catalogue has it.
  static Result<std::unique_ptr<FollowedTable>> open(const kv::Store& store, std::string lake,
                                                     std::string name);

  struct Change {
    std::map<std::string, std::int64_t> files;  ///< of the version that is followed now, with rows
    FilesChanged paths;                         ///< in the order they were written
    Schema schema;                              ///< of the table there
    bool lost = false;                          ///< a file that left cannot be read any more
  };
  /// What the newest version has changed; nullopt: nothing, or there is no table yet.
  Result<std::optional<Change>> look() const;
  /// Notes in the batch, and from now on, that the files are taken.
  void take(const Change& change, kv::WriteBatch& batch);
  /// As if nothing had been taken.
  void forget(kv::WriteBatch& batch);

  const std::string& name() const { return name_; }
  std::int64_t rows() const;
  /// The rows of the version taken last.
  Status scan(const Schema& schema, const std::function<Status(const Batch&)>& visit) const;

 private:
  using Files = std::map<std::string, std::int64_t>;
  FollowedTable(std::string lake, std::string name)
      : lake_(std::move(lake)), name_(std::move(name)) {}
  std::string folder() const;
  std::string prefix() const;
  std::shared_ptr<const Files> files() const;
  void set_files(Files files);

  std::string lake_, name_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Files> files_ = std::make_shared<Files>();
};

}  // namespace tailrace::spark
