// S3's XML by pugixml, which follows no external entity and expands none of a document's own.
#include "s3/answers.h"

#include <fmt/format.h>

#include <cstring>
#include <pugixml.hpp>

#include "net/http_message.h"

namespace tailrace::s3 {
namespace {

std::string bare(std::string etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    return etag.substr(1, etag.size() - 2);
  return etag;
}

}  // namespace

Result<Listing> read_listing(std::string_view xml) {
  pugi::xml_document document;
  const auto read = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!read || !root)
    return error(Code::kDataLoss,
                 fmt::format("a listing that cannot be read ({} bytes)", xml.size()));
  const bool encoded = std::strcmp(root.child_value("EncodingType"), "url") == 0;
  Listing listing;
  for (const pugi::xml_node one : root.children("Contents")) {
    Object object{.key = one.child_value("Key"),
                  .etag = bare(one.child_value("ETag")),
                  .size_bytes = one.child("Size").text().as_llong(),
                  .modified = one.child_value("LastModified")};
    if (encoded) {
      ASSIGN(object.key, net::percent_decode(object.key, true));
    }
    listing.objects.push_back(std::move(object));
  }
  const bool more = std::strcmp(root.child_value("IsTruncated"), "true") == 0;
  if (more) listing.next = root.child_value("NextContinuationToken");
  if (more && listing.next.empty())
    return error(Code::kDataLoss,
                 "a listing that goes on, but does not say where: the server does "
                 "not know ListObjectsV2");
  return listing;
}

Refusal read_refusal(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  const pugi::xml_node root = document.child("Error");
  return {.code = root.child_value("Code"),
          .message = root.child_value("Message"),
          .region = root.child_value("Region")};
}

Result<std::string> read_copied(std::string_view xml) {
  pugi::xml_document document;
  const auto read = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.child("CopyObjectResult");
  if (!read || !root) {
    const Refusal why = read_refusal(xml);
    return error(Code::kUnavailable, fmt::format("CopyObject: {}: {}", why.code, why.message));
  }
  return bare(root.child_value("ETag"));
}

}  // namespace tailrace::s3
