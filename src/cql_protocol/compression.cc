#include "cql_protocol/compression.h"

#include <fmt/format.h>
#include <lz4.h>
#include <snappy.h>

#include <cctype>

#include "base/bytes.h"

namespace tailrace::cql_protocol {
namespace {

/// The densest either can be: a byte of LZ4 stands for 255 at most, three of Snappy for 64.
constexpr std::size_t kMostRatio = 256;

bool equals(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(name[i])) != lower[i]) return false;
  }
  return true;
}

std::unexpected<Error> malformed(std::string_view what) {
  return error(Code::kInvalidArgument, fmt::format("a compressed body {}", what));
}

Status check_length(std::size_t plain, std::size_t compressed, std::size_t most) {
  if (plain > most) return malformed(fmt::format("of {} bytes; the limit is {}", plain, most));
  if (plain / kMostRatio > compressed) return malformed("says an impossible length");
  return {};
}

Status decompress_lz4(std::string_view body, std::size_t most, std::string& out) {
  if (body.size() < sizeof(std::uint32_t)) return malformed("without its length");
  const std::size_t plain = load_be<std::uint32_t>(body.data());
  body.remove_prefix(sizeof(std::uint32_t));
  TRY(check_length(plain, body.size(), most));
  out.resize(plain);
  const int got = LZ4_decompress_safe(body.data(), out.data(), static_cast<int>(body.size()),
                                      static_cast<int>(plain));
  if (got != static_cast<int>(plain)) return malformed("is not what LZ4 made");
  return {};
}

Status decompress_snappy(std::string_view body, std::size_t most, std::string& out) {
  std::size_t plain = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &plain)) {
    return malformed("without its length");
  }
  TRY(check_length(plain, body.size(), most));
  out.resize(plain);
  if (!snappy::RawUncompress(body.data(), body.size(), out.data())) {
    return malformed("is not what Snappy made");
  }
  return {};
}

}  // namespace

std::optional<Compression> compression_of(std::string_view name) {
  if (equals(name, "lz4")) return Compression::kLz4;
  if (equals(name, "snappy")) return Compression::kSnappy;
  return std::nullopt;
}

void compress(Compression how, std::string_view body, std::string& out) {
  const std::size_t begin = out.size();
  std::size_t length = 0;
  switch (how) {
    case Compression::kNone:
      out += body;
      return;
    case Compression::kLz4: {
      const int bound = LZ4_compressBound(static_cast<int>(body.size()));
      append_be(out, static_cast<std::uint32_t>(body.size()));
      out.resize(out.size() + static_cast<std::size_t>(bound));
      length = sizeof(std::uint32_t) + static_cast<std::size_t>(LZ4_compress_default(
                                           body.data(), out.data() + begin + sizeof(std::uint32_t),
                                           static_cast<int>(body.size()), bound));
      break;
    }
    case Compression::kSnappy:
      out.resize(begin + snappy::MaxCompressedLength(body.size()));
      snappy::RawCompress(body.data(), body.size(), out.data() + begin, &length);
      break;
  }
  out.resize(begin + length);
}

Status decompress(Compression how, std::string_view body, std::size_t most, std::string& out) {
  out.clear();
  switch (how) {
    case Compression::kNone:
      out = body;
      return {};
    case Compression::kLz4:
      return decompress_lz4(body, most, out);
    case Compression::kSnappy:
      return decompress_snappy(body, most, out);
  }
  return {};
}

}  // namespace tailrace::cql_protocol
