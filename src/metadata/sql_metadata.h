// Metadata in tables.
#pragma once

#include <memory>

#include "metadata/metadata.h"
#include "metadata/store.h"

namespace tailrace::metadata {

/// `beside`: for who is answered at once; none: the same store.
std::unique_ptr<Metadata> make_metadata(std::unique_ptr<Store> store,
                                        std::unique_ptr<Store> beside = nullptr);

}  // namespace tailrace::metadata
