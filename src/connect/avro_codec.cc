// One function a codec; each gives its output piece by piece, so that no length in a file is
// believed before so much is there.
#include "connect/avro_codec.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <lzma.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kPiece = 64 << 10;

std::unexpected<Error> damaged(std::string_view codec) {
  return error(Code::kDataLoss, fmt::format("its data is no {}", codec));
}

std::unexpected<Error> too_large(std::size_t most) {
  return error(Code::kResourceExhausted, fmt::format("it unpacks to over {} bytes", most));
}

enum class Step { kMore, kEnd, kFailed };

/// `step(piece, room)` fills a piece, sets `room` to what is left of it, and says what comes next.
template <typename StepFunction>
Result<std::string> unpacked(std::string_view codec, std::size_t most, StepFunction step) {
  std::string out;
  std::string piece(kPiece, '\0');
  for (;;) {
    std::size_t room = piece.size();
    const Step next = step(piece.data(), room);
    if (next == Step::kFailed) return damaged(codec);
    const std::size_t got = piece.size() - room;
    if (out.size() + got > most) return too_large(most);
    out.append(piece, 0, got);
    if (next == Step::kEnd) return out;
    if (got == 0) return damaged(codec);  // all is read, and its end did not come
  }
}

Result<std::string> inflated(std::string_view packed, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return error(Code::kInternal, "inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  auto out = unpacked("deflate", most, [&](char* piece, std::size_t& room) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = static_cast<uInt>(room);
    const int done = inflate(&stream, Z_NO_FLUSH);
    room = stream.avail_out;
    if (done == Z_STREAM_END) return Step::kEnd;
    return done == Z_OK || done == Z_BUF_ERROR ? Step::kMore : Step::kFailed;
  });
  inflateEnd(&stream);
  return out;
}

/// Snappy's block format, and behind it the CRC-32 of what it holds.
Result<std::string> unsnapped(std::string_view packed, std::size_t most) {
  constexpr std::size_t kCheckBytes = 4;
  if (packed.size() < kCheckBytes) return damaged("snappy");
  const auto check = load_be<std::uint32_t>(packed.data() + packed.size() - kCheckBytes);
  packed.remove_suffix(kCheckBytes);
  std::size_t size = 0;
  if (snappy_uncompressed_length(packed.data(), packed.size(), &size) != SNAPPY_OK)
    return damaged("snappy");
  if (size > most) return too_large(most);
  // A byte of it stands for 64 at most.
  if (size / 64 > packed.size()) return damaged("snappy");
  std::string out(size, '\0');
  if (snappy_uncompress(packed.data(), packed.size(), out.data(), &size) != SNAPPY_OK)
    return damaged("snappy");
  const auto is = crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(size));
  if (is != check) return error(Code::kDataLoss, "its CRC-32 is another");
  return out;
}

Result<std::string> unpacked_zstd(std::string_view packed, std::size_t most) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  auto out = unpacked("zstandard", most, [&](char* piece, std::size_t& room) {
    ZSTD_outBuffer to{piece, room, 0};
    const std::size_t left = ZSTD_decompressStream(context, &to, &in);
    room -= to.pos;
    if (ZSTD_isError(left) != 0) return Step::kFailed;
    return left == 0 && in.pos == in.size ? Step::kEnd : Step::kMore;
  });
  ZSTD_freeDCtx(context);
  return out;
}

Result<std::string> unpacked_bzip2(std::string_view packed, std::size_t most) {
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return error(Code::kInternal, "bzip2");
  stream.next_in = const_cast<char*>(packed.data());
  stream.avail_in = static_cast<unsigned>(packed.size());
  auto out = unpacked("bzip2", most, [&](char* piece, std::size_t& room) {
    stream.next_out = piece;
    stream.avail_out = static_cast<unsigned>(room);
    const int done = BZ2_bzDecompress(&stream);
    room = stream.avail_out;
    return done == BZ_STREAM_END ? Step::kEnd : done == BZ_OK ? Step::kMore : Step::kFailed;
  });
  BZ2_bzDecompressEnd(&stream);
  return out;
}

Result<std::string> unpacked_xz(std::string_view packed, std::size_t most) {
  constexpr std::uint64_t kMemory = 256 << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMemory, 0) != LZMA_OK) return error(Code::kInternal, "xz");
  stream.next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  auto out = unpacked("xz", most, [&](char* piece, std::size_t& room) {
    stream.next_out = reinterpret_cast<std::uint8_t*>(piece);
    stream.avail_out = room;
    const lzma_ret done = lzma_code(&stream, LZMA_FINISH);
    room = stream.avail_out;
    return done == LZMA_STREAM_END ? Step::kEnd : done == LZMA_OK ? Step::kMore : Step::kFailed;
  });
  lzma_end(&stream);
  return out;
}

Result<std::string> plain(std::string_view data, std::size_t most) {
  if (data.size() > most) return too_large(most);
  return std::string(data);
}

using Unpack = Result<std::string> (*)(std::string_view packed, std::size_t most);
constexpr std::array<std::pair<std::string_view, Unpack>, 6> kCodecs = {{
    {"null", plain},
    {"deflate", inflated},
    {"snappy", unsnapped},
    {"zstandard", unpacked_zstd},
    {"bzip2", unpacked_bzip2},
    {"xz", unpacked_xz},
}};

Unpack find(std::string_view codec) {
  const auto found = std::ranges::find(kCodecs, codec, [](const auto& one) { return one.first; });
  return found == kCodecs.end() ? nullptr : found->second;
}

}  // namespace

Status check_avro_codec(std::string_view codec) {
  if (find(codec) != nullptr) return {};
  return error(
      Code::kUnimplemented,
      fmt::format("the codec {} is none of null, deflate, snappy, zstandard, bzip2, xz", codec));
}

Result<std::string> unpack_avro_block(std::string_view codec, std::string_view packed,
                                      std::size_t most) {
  TRY(check_avro_codec(codec));
  return find(codec)(packed, most);
}

}  // namespace tailrace::connect
