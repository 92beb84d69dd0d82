// A queue of SQS: messages received by long poll, deleted when they are done with. AWS JSON 1.0.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "rt/clock.h"
#include "s3/credentials.h"
#include "s3/metrics.h"

namespace tailrace::s3 {

struct QueueAddress {
  std::string url = {};     ///< as AWS names it; its origin is asked
  std::string region = {};  ///< "": the URL's, else us-east-1
  std::string ca_file = {};
  bool verify_tls = true;
};

struct Message {
  std::string id;
  std::string receipt;
  std::string body;
};

/// kInvalidArgument: no URL of a queue.
Status check_address(const QueueAddress& address);

class Queue {
 public:
  Queue(QueueAddress address, std::shared_ptr<Credentials> credentials,
        const rt::Clock& clock = rt::system_clock());

  /// At most ten; waits up to so many seconds (0 to 20) for the first. Who does not delete them
  /// within `hidden_s` gets them again.
  Result<std::vector<Message>> receive(int wait_s, int hidden_s, std::stop_token stop = {});
  /// At most ten. What could not be deleted comes again; the Error says so.
  Status remove(const std::vector<std::string>& receipts, std::stop_token stop = {});

 private:
  Result<std::string> ask(Operation operation, const std::string& body, int timeout_ms,
                          std::stop_token stop);

  const QueueAddress address_;
  const std::shared_ptr<Credentials> credentials_;
  const rt::Clock& clock_;
  net::HttpClient client_;
  std::string origin_, host_, region_;
};

}  // namespace tailrace::s3
