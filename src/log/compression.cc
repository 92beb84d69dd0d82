#include "log/compression.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "log/compression_level.h"

namespace tailrace::log {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
/// xerial's stream header: magic, version 1, lowest compatible version 1.
constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr std::string_view kXerialHeader("\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", 16);
constexpr std::size_t kXerialBlockBytes = 32 << 10;
constexpr std::size_t kStepBytes = 64 << 10;

std::unexpected<Error> malformed(std::string_view name, std::string_view why) {
  return error(Code::kDataLoss, fmt::format("malformed {} data: {}", name, why));
}

std::unexpected<Error> too_large(std::size_t limit) {
  return error(Code::kResourceExhausted,
               fmt::format("decompressed data exceeds the limit of {} bytes", limit));
}

/// Makes room for the next step of output; false when `limit` is already reached.
/// Kafka's default is lz4's fast way; every other level is one of its high compression.
constexpr int kFastLz4 = 9;

bool grow(std::string& out, std::size_t used, std::size_t limit) {
  if (used >= limit) return false;
  out.resize(std::min(limit, std::max(used + kStepBytes, used * 2)));
  return true;
}

Status gzip_compress(std::string_view input, std::string& out, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return error(Code::kInternal, "gzip: cannot start");
  }
  const std::size_t before = out.size();
  out.resize(before + deflateBound(&stream, input.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(out.size() - before);
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(before + stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return error(Code::kInternal, "gzip: compression failed");
  return {};
}

/// Inflates all members of a gzip stream into `out`.
Status inflate_members(z_stream& stream, std::size_t limit, std::string& out) {
  std::size_t used = 0;
  while (true) {
    if (used == out.size() && !grow(out, used, limit)) {
      // The limit is reached: a valid stream may still end here without another byte of output.
      Bytef spare;
      stream.next_out = &spare;
      stream.avail_out = 1;
      const int last = inflate(&stream, Z_NO_FLUSH);
      if (stream.avail_out == 0 || last != Z_STREAM_END) return too_large(limit);
      if (stream.avail_in != 0) return too_large(limit);
      break;
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    const int state = inflate(&stream, Z_NO_FLUSH);
    used = out.size() - stream.avail_out;
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return malformed("gzip", "bad member");
    } else if (state != Z_OK) {
      return malformed("gzip", stream.msg != nullptr ? stream.msg : "cut short");
    } else if (stream.avail_in == 0 && stream.avail_out != 0) {
      return malformed("gzip", "cut short");
    }
  }
  out.resize(used);
  return {};
}

Status gzip_decompress(std::string_view input, std::size_t limit, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return error(Code::kInternal, "gzip: cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  auto done = inflate_members(stream, limit, out);
  inflateEnd(&stream);
  return done;
}

Status snappy_compress(std::string_view input, std::string& out) {
  out.append(kXerialHeader);
  for (std::size_t at = 0; at < input.size(); at += kXerialBlockBytes) {
    const auto block = input.substr(at, kXerialBlockBytes);
    const std::size_t begin = out.size();
    out.resize(begin + 4 + snappy::MaxCompressedLength(block.size()));
    std::size_t length = 0;
    snappy::RawCompress(block.data(), block.size(), out.data() + begin + 4, &length);
    store_be(out.data() + begin, static_cast<std::int32_t>(length));
    out.resize(begin + 4 + length);
  }
  return {};
}

Status snappy_block(std::string_view block, std::size_t limit, std::string& out) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length)) {
    return malformed("snappy", "no length");
  }
  if (length > limit - out.size()) return too_large(limit);
  // snappy's densest element makes 64 bytes of 3 (a copy), so a longer claim is a lie.
  if (length / 32 > block.size()) return malformed("snappy", "impossible length");
  const std::size_t begin = out.size();
  out.resize(begin + length);
  if (!snappy::RawUncompress(block.data(), block.size(), out.data() + begin)) {
    return malformed("snappy", "bad block");
  }
  return {};
}

Status snappy_decompress(std::string_view input, std::size_t limit, std::string& out) {
  if (!input.starts_with(kXerialMagic)) return snappy_block(input, limit, out);
  if (input.size() < kXerialHeader.size()) return malformed("snappy", "cut short");
  input.remove_prefix(kXerialHeader.size());
  while (!input.empty()) {
    if (input.size() < 4) return malformed("snappy", "cut short");
    const auto length = load_be<std::uint32_t>(input.data());
    input.remove_prefix(4);
    if (length > input.size()) return malformed("snappy", "block longer than the data");
    TRY(snappy_block(input.substr(0, length), limit, out));
    input.remove_prefix(length);
  }
  return {};
}

Status lz4_compress(std::string_view input, std::string& out, int level) {
  constexpr int kLeastHigh = 3;
  constexpr int kMostHigh = 12;
  LZ4F_preferences_t preferences{};
  if (level != kFastLz4) preferences.compressionLevel = std::clamp(level, kLeastHigh, kMostHigh);
  // Java clients refuse linked blocks ("Dependent block stream is unsupported").
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  const std::size_t before = out.size();
  out.resize(before + LZ4F_compressFrameBound(input.size(), &preferences));
  const std::size_t length = LZ4F_compressFrame(out.data() + before, out.size() - before,
                                                input.data(), input.size(), &preferences);
  if (LZ4F_isError(length)) return error(Code::kInternal, LZ4F_getErrorName(length));
  out.resize(before + length);
  return {};
}

Status lz4_decompress(std::string_view input, std::size_t limit, std::string& out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) {
    return error(Code::kInternal, "lz4: cannot start");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context(
      raw, LZ4F_freeDecompressionContext);
  std::size_t used = 0;
  std::size_t hint = 1;
  while (hint != 0) {
    char spare;
    const bool at_limit = used == out.size() && !grow(out, used, limit);
    char* to = at_limit ? &spare : out.data() + used;
    std::size_t produced = at_limit ? 1 : out.size() - used;
    std::size_t consumed = input.size();
    hint = LZ4F_decompress(context.get(), to, &produced, input.data(), &consumed, nullptr);
    if (LZ4F_isError(hint)) return malformed("lz4", LZ4F_getErrorName(hint));
    if (at_limit && produced > 0) return too_large(limit);
    used += produced;
    input.remove_prefix(consumed);
    if (hint != 0 && consumed == 0 && produced == 0) return malformed("lz4", "cut short");
  }
  if (!input.empty()) return malformed("lz4", "bytes after the frame");
  out.resize(used);
  return {};
}

Status zstd_compress(std::string_view input, std::string& out, int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                                  ZSTD_freeCCtx);
  const std::size_t before = out.size();
  out.resize(before + ZSTD_compressBound(input.size()));
  const std::size_t length = ZSTD_compressCCtx(
      context.get(), out.data() + before, out.size() - before, input.data(), input.size(), level);
  if (ZSTD_isError(length)) return error(Code::kInternal, ZSTD_getErrorName(length));
  out.resize(before + length);
  return {};
}

Status zstd_decompress(std::string_view input, std::size_t limit, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                  ZSTD_freeDCtx);
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  std::size_t used = 0;
  std::size_t hint = 1;
  while (in.pos < in.size || hint != 0) {
    char spare;
    const bool at_limit = used == out.size() && !grow(out, used, limit);
    ZSTD_outBuffer to{at_limit ? &spare : out.data() + used, at_limit ? 1 : out.size() - used, 0};
    const std::size_t consumed_before = in.pos;
    hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return malformed("zstd", ZSTD_getErrorName(hint));
    if (at_limit && to.pos > 0) return too_large(limit);
    used += to.pos;
    if (hint != 0 && in.pos == consumed_before && to.pos == 0) {
      return malformed("zstd", "cut short");
    }
  }
  out.resize(used);
  return {};
}

}  // namespace

Result<Compression> parse_compression(std::string_view name) {
  if (name == "uncompressed" || name == "producer") return Compression::kNone;
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    return error(
        Code::kInvalidArgument,
        fmt::format("unknown compression.type '{}': none, gzip, snappy, lz4 or zstd", name));
  }
  return static_cast<Compression>(found - kNames.begin());
}

std::string_view compression_name(Compression compression) {
  return kNames[static_cast<std::size_t>(compression)];
}

Status compress(Compression compression, std::string_view input, std::string& out) {
  switch (compression) {
    case Compression::kNone:
    case Compression::kSnappy:
      return compress_at(0, compression, input, out);
    case Compression::kGzip:
      return compress_at(Z_DEFAULT_COMPRESSION, compression, input, out);
    case Compression::kLz4:
      return compress_at(kFastLz4, compression, input, out);
    case Compression::kZstd:
      return compress_at(1, compression, input, out);
  }
  return error(Code::kInternal, "no such compression");
}

Status compress_at(int level, Compression compression, std::string_view input, std::string& out) {
  switch (compression) {
    case Compression::kNone:
      out.append(input);
      return {};
    case Compression::kGzip:
      return gzip_compress(input, out, level);
    case Compression::kSnappy:
      return snappy_compress(input, out);
    case Compression::kLz4:
      return lz4_compress(input, out, level);
    case Compression::kZstd:
      return zstd_compress(input, out, level);
  }
  return error(Code::kInternal, "no such compression");
}

Status decompress(Compression compression, std::string_view input, std::size_t limit,
                  std::string& out) {
  out.clear();
  switch (compression) {
    case Compression::kNone:
      if (input.size() > limit) return too_large(limit);
      out.assign(input);
      return {};
    case Compression::kGzip:
      return gzip_decompress(input, limit, out);
    case Compression::kSnappy:
      return snappy_decompress(input, limit, out);
    case Compression::kLz4:
      return lz4_decompress(input, limit, out);
    case Compression::kZstd:
      return zstd_decompress(input, limit, out);
  }
  return error(Code::kDataLoss, "unknown compression in a batch's attributes");
}

}  // namespace tailrace::log
