// gzip by zlib, at its fastest level: answers are made once and read once.
#include "net/gzip.h"

#include <zlib.h>

#include <array>
#include <memory>

namespace tailrace::net {
namespace {

constexpr int kGzipWindow = 15 + 16;

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return "";
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t most) {
  const auto broken = error(Code::kInvalidArgument, "the body is not packed with gzip");
  if (bytes.size() > most) return error(Code::kResourceExhausted, "the body is too large");
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return broken;
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 16384> piece;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    const int state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = piece.size() - stream.avail_out;
    if (out.size() + got > most) return error(Code::kResourceExhausted, "the body is too large");
    out.append(piece.data(), got);
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return broken;
    } else if (state != Z_OK) {
      return broken;  // a wrong byte, or too few of them
    }
  }
}

bool accepts_gzip(std::string_view accept_encoding) {
  auto at = accept_encoding.find("gzip");
  if (at == accept_encoding.npos) return false;
  auto rest = accept_encoding.substr(at + 4);
  rest = rest.substr(0, rest.find(','));
  auto quality = rest.find("q=");
  if (quality == rest.npos) return true;
  return rest.substr(quality + 2).find_first_of("123456789") != rest.npos;
}

}  // namespace tailrace::net
