// News of a bucket's objects, in the shapes in which S3 and MinIO send them.
//
//   {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name"}, "object": {"key",
//   "size", "eTag", "versionId"}}}]}       S3 to SQS or SNS; MinIO's webhook, beside EventName, Key
//   {"Type": "Notification", "Message": TEXT of the above}       SNS to SQS
//   {"detail-type": "Object Created", "detail": {"bucket": {"name"}, "object": {"key", "size",
//   "etag", "version-id"}}}                                      EventBridge
//   {"Event": "s3:TestEvent"}                                    says nothing
// Keys in Records are encoded as in a query (+ is a blank), in EventBridge's they are not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "s3/answers.h"

namespace tailrace::s3 {

struct News {
  std::string bucket;
  Object object;
  std::string version = {};  ///< "" in a bucket without versions
};

/// The objects that were made; removals and other events are left out. kInvalidArgument: the text
/// is none of these shapes.
Result<std::vector<News>> read_notification(std::string_view text);

}  // namespace tailrace::s3
