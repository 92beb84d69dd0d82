// Which type of source makes what.
#include <fmt/format.h>

#include "connect/fake_source.h"
#include "connect/files_source.h"
#include "connect/http_source.h"
#include "connect/postgres_source.h"
#include "connect/webhook_source.h"

namespace tailrace::connect {

Result<std::unique_ptr<Source>> make_source(const SourceSpec& spec) {
  if (spec.type == "fake") return make_fake_source(spec);
  if (spec.type == "http") return make_http_source(spec);
  if (spec.type == "files") return make_files_source(spec);
  if (spec.type == "postgres") return make_postgres_source(spec);
  if (spec.type == "webhook") return make_webhook_source(spec);
  return error(
      Code::kInvalidArgument,
      fmt::format(
          "ingest {}: no source is called \"{}\"; there are fake, http, files, postgres, webhook",
          spec.name, spec.type));
}

}  // namespace tailrace::connect
