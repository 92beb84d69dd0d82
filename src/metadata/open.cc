// Metadata by its URL.
#include <fmt/format.h>

#include "metadata/sql_metadata.h"

namespace tailrace::metadata {

Result<std::unique_ptr<Metadata>> Metadata::open(const Place& place) {
  static constexpr std::string_view kSqlite = "sqlite://";
  if (place.url.starts_with(kSqlite)) {
    ASSIGN(auto store, open_sqlite(place.url.substr(kSqlite.size())));
    return make_metadata(std::move(store));
  }
  if (place.url.starts_with("postgresql://") || place.url.starts_with("postgres://")) {
    ASSIGN(auto store, open_postgres(place));
    return make_metadata(std::move(store), postgres_beside(place));
  }
  return error(Code::kInvalidArgument,
               fmt::format("metadata of workflows: {}: neither sqlite:///PATH nor "
                           "postgresql://USER@HOST:PORT/DATABASE",
                           place.url.substr(0, place.url.find("://"))));
}

}  // namespace tailrace::metadata
