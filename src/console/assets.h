// The page's files, embedded in the binary by the build (cmake/embed_web.cmake).
#pragma once

#include <span>
#include <string_view>

#include "net/http_server.h"

namespace tailrace::console {

struct Asset {
  std::string_view path;  ///< "/assets/index-1a2b3c.js"
  const char* begin;
  const char* end;
};

/// Every embedded file; written by the build.
std::span<const Asset> assets();

/// The file at the request's path; the index for "/" and for addresses of pages; else 404.
net::Response asset_response(const net::Request& request);

}  // namespace tailrace::console
