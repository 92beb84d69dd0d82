// The last checkpoint of a store's folder, to be read: nothing in the folder changes and nobody
// holds it, so a process that runs on it is not disturbed.
#pragma once

#include "kv/store.h"

namespace tailrace::kv {

/// Writes are kFailedPrecondition. kNotFound: no store is there.
Result<std::unique_ptr<Store>> open_to_read(const std::string& folder, Options options = {});

}  // namespace tailrace::kv
