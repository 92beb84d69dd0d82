#include "connect/source_types.h"

#include <array>

#include "connect/bucket_source.h"
#include "connect/fake_source.h"
#include "connect/files_source.h"
#include "connect/http_source.h"
#include "connect/postgres_source.h"
#include "connect/sse_source.h"
#include "connect/stdin_source.h"
#include "connect/syslog_source.h"
#include "connect/tcp_source.h"
#include "connect/udp_source.h"
#include "connect/webhook_source.h"
#include "connect/websocket_source.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kShared[] = {
    {"key", "", "beside `use`: the path of the record's key, `$.login.uuid`"},
};

}  // namespace

std::span<const SourceType> source_types() {
  static const std::array kTypes{
      kFakeSource, kHttpSource,      kFilesSource,  kBucketSource, kPostgresSource, kWebhookSource,
      kSseSource,  kWebsocketSource, kSyslogSource, kTcpSource,    kUdpSource,      kStdinSource,
  };
  return kTypes;
}

const SourceType* find_source_type(std::string_view type) {
  for (const SourceType& one : source_types())
    if (one.type == type) return &one;
  return nullptr;
}

std::string source_type_names() {
  const auto types = source_types();
  std::string names;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0) names += i + 1 == types.size() ? " or " : ", ";
    names += types[i].type;
  }
  return names;
}

std::span<const OptionRow> shared_options() {
  return kShared;
}

}  // namespace tailrace::connect
