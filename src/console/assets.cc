// Serves the embedded page: hashed names are kept for ever, the index is asked for each time.
#include "console/assets.h"

#include <algorithm>

#include "console/errors.h"

namespace tailrace::console {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'";

std::string_view type_of(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

const Asset* find(std::string_view path) {
  auto all = assets();
  auto found = std::ranges::find(all, path, &Asset::path);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

net::Response asset_response(const net::Request& request) {
  const auto* asset = find(request.path);
  bool page = request.path.find('.') == request.path.npos;
  if (asset == nullptr && page) asset = find("/index.html");
  if (asset == nullptr) return error_response({Code::kNotFound, "no such page: " + request.path});
  net::Response response;
  response.content_type = type_of(asset->path);
  response.body.assign(asset->begin, asset->end);
  bool hashed = asset->path.starts_with("/assets/");
  response.headers.emplace_back("Cache-Control",
                                hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace tailrace::console
