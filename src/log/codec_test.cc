// Record batches against a foreign encoder's, round trips, limits, and mutated input.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "log/batch_builder.h"
#include "log/compression_level.h"
#include "log/producers.h"
#include "rt/random.h"

namespace tailrace::log {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kGzip, Compression::kSnappy,
                                Compression::kLz4, Compression::kZstd};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::map<std::string, std::string> foreign_batches() {
  std::ifstream in("src/log/testdata/kafka_python_batches.txt");
  std::map<std::string, std::string> found;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const auto space = line.find(' ');
    found[line.substr(0, space)] = from_hex(line.substr(space + 1));
  }
  return found;
}

void add_foreign_records(RecordBatchBuilder& builder, const std::string& long_value) {
  const Header headers[] = {{"h", "x"}, {"n", std::nullopt}};
  builder.add({"k1", R"({"a":1})", TimestampMs(1700000000000), headers});
  builder.add({std::nullopt, long_value, TimestampMs(1700000000005), {}});
  builder.add({"k3", std::nullopt, TimestampMs(1700000000010), {}});
}

TEST(Crc32c, matches_the_published_vectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);              // the check value of CRC-32C
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);    // RFC 3720 B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);  // RFC 3720 B.4
}

TEST(Batch, reads_what_kafka_python_wrote_in_every_compression) {
  const auto batches = foreign_batches();
  ASSERT_EQ(batches.size(), 5u);
  for (const auto& [name, bytes] : batches) {
    SCOPED_TRACE(name);
    const auto batch = BatchView::parse(bytes).value();
    EXPECT_TRUE(batch.crc_matches());
    EXPECT_EQ(compression_name(batch.compression()), name);
    EXPECT_EQ(batch.producer_id(), 7);
    EXPECT_EQ(batch.base_sequence(), 41);
    EXPECT_EQ(batch.last_sequence(), 43);
    std::string plain;
    auto reader = batch.records(plain).value();
    RecordView record;
    ASSERT_TRUE(reader.next(record));
    EXPECT_EQ(record.key, "k1");
    EXPECT_EQ(record.value, R"({"a":1})");
    Header header;
    ASSERT_TRUE(record.headers.next(header));
    EXPECT_EQ(header.key, "h");
    EXPECT_EQ(header.value, "x");
    ASSERT_TRUE(record.headers.next(header));
    EXPECT_EQ(header.value, std::nullopt);
    EXPECT_FALSE(record.headers.next(header));
    ASSERT_TRUE(reader.next(record));
    EXPECT_EQ(record.key, std::nullopt);
    EXPECT_EQ(record.value, std::string(100, 'v'));
    EXPECT_EQ(record.timestamp, TimestampMs(1700000000005));
    ASSERT_TRUE(reader.next(record));
    EXPECT_EQ(record.value, std::nullopt);
    EXPECT_EQ(record.offset, Offset(2));
    EXPECT_FALSE(reader.next(record));
    EXPECT_TRUE(reader.status());
  }
}

TEST(Batch, is_built_byte_for_byte_as_kafka_python_builds_it) {
  RecordBatchBuilder builder;
  const std::string value(100, 'v');
  add_foreign_records(builder, value);
  std::string ours(builder.finish({7, 2, 41}).value());
  auto theirs = foreign_batches()["none"];
  // The leader epoch is outside the CRC and stamped by the broker.
  ours.replace(12, 4, theirs.substr(12, 4));
  EXPECT_EQ(ours, theirs);
}

TEST(Batch, round_trips_in_every_compression) {
  rt::Random random(7);
  for (const auto compression : kAll) {
    RecordBatchBuilder builder(compression);
    std::vector<std::string> values;
    for (int i = 0; i < 500; ++i) values.emplace_back(random.below(2000), char('a' + i % 26));
    for (int i = 0; i < 500; ++i) builder.add({"k", values[i], TimestampMs(1000 - i), {}});
    const auto batch = BatchView::parse(builder.finish().value()).value();
    EXPECT_TRUE(batch.crc_matches());
    EXPECT_EQ(batch.max_timestamp(), TimestampMs(1000));
    std::string plain;
    auto reader = batch.records(plain).value();
    RecordView record;
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(reader.next(record));
      ASSERT_EQ(record.value, values[i]);
      ASSERT_EQ(record.timestamp, TimestampMs(1000 - i));
    }
    EXPECT_FALSE(reader.next(record));
    EXPECT_TRUE(reader.status());
  }
}

TEST(Compression, a_level_is_heeded_and_readable) {
  rt::Random random(7);
  std::string text;
  while (text.size() < 300'000)
    text += fmt::format("user {} bought {};", random.below(900), text.size() % 77);
  const auto size_at = [&](Compression codec, int level) {
    std::string packed;
    EXPECT_TRUE(compress_at(level, codec, text, packed));
    std::string out;
    EXPECT_TRUE(decompress(codec, packed, text.size(), out));
    EXPECT_EQ(out, text);
    return packed.size();
  };
  EXPECT_LT(size_at(Compression::kGzip, 9), size_at(Compression::kGzip, 1));
  EXPECT_LT(size_at(Compression::kZstd, 19), size_at(Compression::kZstd, -100));
  EXPECT_LT(size_at(Compression::kLz4, 12), size_at(Compression::kLz4, 9));  // 9: the fast one
  EXPECT_EQ(size_at(Compression::kLz4, 17), size_at(Compression::kLz4, 12));
}

TEST(Compression, a_bomb_is_refused_at_the_limit) {
  const std::string zeros(4 << 20, '\0');
  for (const auto compression : kAll) {
    std::string packed;
    std::string out;
    ASSERT_TRUE(compress(compression, zeros, packed));
    EXPECT_EQ(decompress(compression, packed, zeros.size() - 1, out).error().code,
              Code::kResourceExhausted);
    ASSERT_TRUE(decompress(compression, packed, zeros.size(), out));
    EXPECT_EQ(out, zeros);
  }
}

TEST(Batch, mutated_bytes_never_crash_the_decoder) {
  rt::Random random(42);
  for (auto& [name, original] : foreign_batches()) {
    for (int round = 0; round < 4000; ++round) {
      std::string bytes = original;
      for (auto n = random.below(6) + 1; n > 0; --n) {
        bytes[random.below(bytes.size())] = static_cast<char>(random.next());
      }
      if (random.one_in(3)) bytes.resize(random.below(bytes.size()));
      const auto batch = BatchView::parse(bytes);
      if (!batch) continue;
      std::string plain;
      auto reader = batch->records(plain);
      if (!reader) continue;
      for (RecordView record; reader->next(record);) {
        for (Header header; record.headers.next(header);) continue;
      }
    }
  }
}

TEST(Producers, a_sequence_wraps_from_the_greatest_int32_to_zero) {
  Producers producers;
  producers.note({1, 0, 0x7ffffffe, 2}, Offset(1), TimestampMs(1));
  EXPECT_EQ(producers.last_sequence(1), 0x7fffffff);
  EXPECT_EQ(producers.known_prefix({1, 0, 0x7fffffff, 3}).value(), 1);
  EXPECT_EQ(producers.known_prefix({1, 0, 0, 3}).value(), 0);
  EXPECT_EQ(producers.known_prefix({1, 0, 1, 3}).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(wrap_sequence((5LL << 31) + 3), 3);
  const auto copy = Producers::decode_snapshot(producers.encode_snapshot()).value();
  EXPECT_EQ(copy.last_sequence(1), 0x7fffffff);
}

TEST(Batch, a_sequence_is_ahead_or_behind_across_the_wrap) {
  EXPECT_EQ(sequence_ahead(7, 7), 0);
  EXPECT_EQ(sequence_ahead(9, 7), 2);
  EXPECT_EQ(sequence_ahead(5, 7), -2);
  EXPECT_EQ(sequence_ahead((1LL << 31) - 1, 0), -1);
  EXPECT_EQ(sequence_ahead(0, 0x7fffffff), 1);
  EXPECT_EQ(sequence_ahead((5LL << 31) + 3, 3), 0);
}

}  // namespace
}  // namespace tailrace::log
