// What makes assets happen by itself: records of a topic, commits of a table, files.
//
//   tailrace://topics/TOPIC    a record of the topic (kafka://BROKER/TOPIC too, where BROKER is
//   ours) tailrace://tables/TABLE    a commit of the table's Delta log that changed its rows
//   file:///FOLDER/NAME*.csv   a file that was written and closed, or moved there; `*` and `?` in
//   its file://FOLDER/NAME*.csv    last part stand for others; the second is in the project's
//   folder
//
// Each happening is told once, whatever crashes: the event is kept in one transaction with the
// cursor that says how far its source was told. A source begins with what comes after the DAG that
// listens was first there; what nothing listens to any more is forgotten.
//
// Nothing is asked for now and then: the log wakes the reader of topics when records are there, the
// system (inotify) that of files.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "log/log.h"
#include "metadata/metadata.h"

namespace tailrace::workflows {

/// What a URI of an asset names in the project.
struct AssetSource {
  enum class Kind { kTopic, kTable, kFile } kind = Kind::kTopic;
  std::string uri;
  std::string name;    ///< topic or table; a file's pattern
  std::string folder;  ///< of the file, absolute
};
/// Nothing where it names nothing of the project. kInvalidArgument: `tailrace://` and something
/// that there is not. `brokers`: HOST:PORT of the log's Kafka.
Result<std::optional<AssetSource>> asset_source(const std::string& uri, const std::string& folder,
                                                const std::vector<std::string>& brokers);
/// Whether a file's name is of a pattern: `*` is any text, `?` any byte.
bool matches_pattern(std::string_view pattern, std::string_view name);

/// Records next to each other that are told as one, or in parts that begin and end anywhere in it:
/// record `i` of it has offset `first + i`.
struct Records {
  Offset first;
  std::int64_t count = 0;
};

/// Where happenings go. Called from the threads of the sources.
class AssetSink {
 public:
  virtual ~AssetSink() = default;
  /// As many of the records as there is room for (Scheduler::room), each event with the cursor
  /// behind it; behind all of them the cursor is `next`. How far it came.
  virtual Result<Offset> records(const AssetSource& source, std::int32_t partition,
                                 const std::vector<Records>& records, Offset next) = 0;
  /// One event, or none, and cursors.
  virtual Status happened(const AssetSource& source, std::optional<jinja::Value> extra,
                          std::vector<metadata::Cursor> cursors) = 0;
};

/// The cursors of a topic that is listened to from now on.
Result<std::vector<metadata::Cursor>> beginnings(log::Log& log, const AssetSource& source);

/// The records of topics.
class TopicEvents {
 public:
  TopicEvents(log::Log& log, AssetSink& sink) : log_(log), sink_(sink) {}
  ~TopicEvents() { stop(); }
  /// `cursors`: what is kept of these sources.
  void start(std::vector<AssetSource> sources, const std::vector<metadata::Cursor>& cursors);
  /// Ends when no call of the sink is under way.
  void stop();

 private:
  struct Watched {
    AssetSource source;
    bool begun = false;  ///< a partition without a cursor is read from its start
    std::map<std::int32_t, Offset> next;
    std::map<std::int32_t, std::shared_ptr<log::Partition>> partitions;
    std::string failing;
  };
  enum class Went { kIdle, kOn, kFull };
  void run(const std::stop_token& stop);
  Result<Went> advance(Watched& watched);
  Result<Went> advance(Watched& watched, std::int32_t partition);
  Status open(Watched& watched);

  log::Log& log_;
  AssetSink& sink_;
  std::vector<Watched> watched_;
  log::ReadBuffer buffer_;
  std::string plain_;
  std::jthread thread_;
};

/// Files, and the commits of tables, which are files as well.
class FileEvents {
 public:
  /// `lake`: where the tables' folders are.
  FileEvents(std::string lake, AssetSink& sink) : lake_(std::move(lake)), sink_(sink) {}
  ~FileEvents() { stop(); }
  Status start(std::vector<AssetSource> sources, const std::vector<metadata::Cursor>& cursors);
  void stop();

 private:
  struct Watched {
    AssetSource source;
    std::string folder;  ///< where the files are
    bool begun = false;
    std::map<std::string, std::string> seen;  ///< path → its version; of a table: "" → the last one
    int watch = -1;
    bool there = false;  ///< `watch` is that of the folder, not of one above it
    std::string failing;
  };
  void run();
  bool read_changes();
  void arm(Watched& watched);
  Status scan(Watched& watched);
  Status scan_table(Watched& watched);
  Status look(Watched& watched, const std::string& name);
  Status gone(Watched& watched, const std::string& path);
  void tell(Watched& watched, const Status& status);

  const std::string lake_;
  AssetSink& sink_;
  std::vector<Watched> watched_;
  int changes_ = -1, wake_ = -1;
  std::thread thread_;
};

/// What an event of so many records of a topic says of them.
jinja::Value records_extra(const std::string& topic, std::int32_t partition, Offset first,
                           std::int64_t count);

}  // namespace tailrace::workflows
