// A bucket of S3, MinIO or another that speaks their protocol: listed, read, copied, emptied.
//
// An endpoint of our own is asked by paths (http://HOST:9000/BUCKET/KEY), Amazon's by the bucket's
// host, unless path_style says otherwise or the bucket's name has a dot. Requests are signed
// (Signature Version 4) when there are keys. A bucket in another region is found by what the answer
// says, once.
//
// Errors name s3://BUCKET/KEY, the operation and S3's own code. kNotFound: no such key or bucket.
// kPermissionDenied: 401 and 403. kAborted: it is another object by now (412). kUnavailable: no
// answer, 429, 500 and above; what ended the exchange otherwise is net/http_client.h's.
//
// Threads: one at a time; a client keeps one connection. Clients share their Credentials.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "rt/clock.h"
#include "s3/answers.h"
#include "s3/credentials.h"

namespace tailrace::s3 {

struct BucketAddress {
  std::string bucket = {};
  std::string endpoint = {};  ///< http://HOST:PORT; "": Amazon's of the region
  std::string region = {};    ///< "": us-east-1
  std::optional<bool> path_style = {};
  std::string ca_file = {};
  bool verify_tls = true;
  int timeout_ms = 60'000;  ///< of one exchange
};

/// The fault in an address, before anything is asked. kInvalidArgument.
Status check_address(const BucketAddress& address);

struct ListAsked {
  std::string prefix = {};
  std::string start_after = {};
  std::string token = {};  ///< Listing::next of the page before; start_after is not sent then
  int most = 1000;
};

struct GetAsked {
  std::string key = {};
  std::string etag = {};     ///< only if it is still that; "" for any
  std::string version = {};  ///< of a bucket with versions; "" for the latest
  std::int64_t from = 0;
  std::int64_t most = 0;  ///< bytes from there; 0: all
};

class Client {
 public:
  Client(BucketAddress address, std::shared_ptr<Credentials> credentials,
         const rt::Clock& clock = rt::system_clock());

  Result<Listing> list(const ListAsked& asked, std::stop_token stop = {});
  /// A part of an object, at most 64 MiB at once.
  Result<std::string> get(const GetAsked& asked, std::stop_token stop = {});
  /// Size and ETag; none: there is no such key.
  Result<std::optional<Object>> head(const std::string& key, std::stop_token stop = {});
  /// A missing key is no Error.
  Status remove(const std::string& key, std::stop_token stop = {});
  /// Within the bucket, by the server; only if it is still `etag`.
  Status copy(const std::string& key, const std::string& etag, const std::string& to,
              std::stop_token stop = {});

  struct Asked {
    std::string method = {};
    std::string key = {};  ///< "" for the bucket itself
    std::vector<std::pair<std::string, std::string>> query = {};
    std::vector<std::pair<std::string, std::string>> headers = {};  ///< names in lower case
  };
  /// Any exchange, signed; whatever the status, it is an answer.
  Result<net::HttpResponse> ask(const Asked& asked, std::stop_token stop = {});

  /// s3://BUCKET/KEY
  std::string place(const std::string& key) const { return "s3://" + address_.bucket + "/" + key; }

 private:
  Error refused(const char* operation, const std::string& key, const net::HttpResponse& answer);
  void find_host();

  BucketAddress address_;
  const std::shared_ptr<Credentials> credentials_;
  const rt::Clock& clock_;
  net::HttpClient client_;
  std::string scheme_, host_;
  bool by_path_ = true;
  bool has_keys_ = false;
};

}  // namespace tailrace::s3
