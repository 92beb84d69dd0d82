// Metadata in an SQLite file.
#pragma once

#include <memory>
#include <string>

#include "metadata/metadata.h"

namespace tailrace::metadata {

Result<std::unique_ptr<Metadata>> open_sqlite(const std::string& path);

}  // namespace tailrace::metadata
