// What a project says of a bucket as a source.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "connect/json_path.h"
#include "connect/record_file.h"
#include "connect/source_types.h"
#include "connect/webhook_source.h"
#include "s3/client.h"
#include "s3/queue.h"

namespace tailrace::connect {

enum class BucketNotify { kList, kSqs, kWebhook };

struct BucketConfig {
  std::string name;
  std::string shown;  ///< s3://BUCKET/PREFIX
  s3::BucketAddress address;
  std::string prefix;
  std::string base;     ///< of the prefix, up to its last '/': patterns are about what follows
  std::string pattern;  ///< "": every key
  std::shared_ptr<s3::Credentials> credentials;
  FileFormat format = FileFormat::kAuto;
  BucketNotify notify = BucketNotify::kList;
  s3::QueueAddress queue;
  std::chrono::milliseconds every{0};
  bool lists = true;
  bool growing = false;       ///< new keys sort behind those that are there
  bool only_new = false;      ///< start: new
  std::int64_t since_ms = 0;  ///< start: TIME; objects before are left out
  bool changed_again = true;
  bool cleans = false;
  std::string move_to;  ///< with `cleans`: "" deletes
  int parallel = 0;
  std::string key_text;
  JsonPath key;
  std::string folder;  ///< where the book and the files under way are

  std::string fingerprint() const;
  /// Whether an object of this key is one of the source's.
  bool takes(const std::string& key) const;
};

Result<BucketConfig> read_bucket_options(const SourceSpec& spec);
/// Where the bucket's notifications are sent to, for the door; nothing where they are not.
Result<std::optional<WebhookOptions>> bucket_hook(const SourceSpec& spec);

/// Milliseconds since 1970 of what S3 writes, "2026-11-22T17:41:03.000Z"; nothing when it is none.
std::optional<std::int64_t> bucket_time_ms(const std::string& text);

}  // namespace tailrace::connect
