#include "app/running_api.h"

#include "app/console_door.h"

namespace tailrace::app {
namespace {

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

net::HttpOptions RunningApi::options(int timeout_ms, std::size_t most_bytes) const {
  net::HttpOptions options;
  options.headers = {{"Content-Type", "application/json"}};
  if (!token.empty()) options.headers.emplace_back("Authorization", "Bearer " + token);
  options.timeout_ms = timeout_ms;
  options.max_body_bytes = most_bytes;
  // The certificate may be of any name: its key is the one that the program itself has told.
  options.verify_tls = key.empty();
  options.public_key = key;
  return options;
}

RunningApi running_console(const RunFile& running, const std::string& data) {
  return {
      .url = without_slash(running.url), .key = running.console_key, .token = console_token(data)};
}

RunningApi running_workflows(const RunFile& running, const std::string& data) {
  if (!running.url.empty()) return running_console(running, data);
  return {.url = without_slash(running.airflow), .key = running.airflow_key, .token = {}};
}

}  // namespace tailrace::app
