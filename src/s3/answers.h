// What S3 answers in XML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::s3 {

/// An object as a listing or a notification names it.
struct Object {
  std::string key = {};
  std::string etag = {};  ///< without its quotes
  std::int64_t size_bytes = 0;
  std::string modified = {};  ///< as the answer has it: 2026-11-22T17:41:03.000Z
};

struct Listing {
  std::vector<Object> objects;
  std::string next = {};  ///< the continuation token; "" at the end
};

/// ListBucketResult of ListObjectsV2, its keys decoded where the answer says that they are encoded.
/// kDataLoss: it is something else.
Result<Listing> read_listing(std::string_view xml);

/// Why a request was refused; empty where the answer does not say.
struct Refusal {
  std::string code = {};     ///< NoSuchKey, AccessDenied, …
  std::string message = {};  ///< for people
  std::string region = {};   ///< where the bucket is, if that was wrong
};
Refusal read_refusal(std::string_view xml);

/// The ETag of a CopyObjectResult; "" when it has none. A copy may fail after 200 was said.
Result<std::string> read_copied(std::string_view xml);

}  // namespace tailrace::s3
