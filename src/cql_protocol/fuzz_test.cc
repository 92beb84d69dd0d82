// Random and damaged messages and segments: none makes a decoder read beyond its bytes, take memory
// it has no bytes for, or hang; what is taken is written and read again as it was.
// TAILRACE_FUZZ_ROUNDS makes it longer; a failure prints what was given.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "base/hex.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/compression.h"
#include "cql_protocol/requests.h"
#include "cql_protocol/segment.h"
#include "cql_protocol/testing/damage.h"
#include "cql_protocol/utf8.h"
#include "cql_types/validate.h"

namespace tailrace::cql_protocol {
namespace {

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

struct Sample {
  int version;
  std::uint8_t opcode;
  std::string body;
};

/// Cassandra's messages, to be damaged.
std::vector<Sample> samples() {
  std::ifstream file("src/cql_protocol/testdata/messages.txt");
  std::vector<Sample> all;
  for (std::string kind; file >> kind;) {
    std::string line;
    if (kind == "message") {
      int version, opcode;
      std::string digits;
      file >> version >> opcode >> digits;
      Sample sample{version, static_cast<std::uint8_t>(opcode), {}};
      for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        sample.body += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
      all.push_back(std::move(sample));
    }
    std::getline(file, line);
  }
  return all;
}

/// On memory of its own, so that a sanitizer sees what is read beyond it.
void read(const Sample& sample) {
  const std::string body(sample.body);
  if (!is_response(sample.opcode)) {
    const auto request = decode_request(sample.version, sample.opcode, body);
    if (!request) return;
    std::string written;
    append_request(written, sample.version, *request);
    const auto again = decode_request(sample.version, sample.opcode, written);
    ASSERT_TRUE(again) << encode_hex(body);
    std::string twice;
    append_request(twice, sample.version, *again);
    ASSERT_EQ(encode_hex(twice), encode_hex(written)) << encode_hex(body);
    return;
  }
  const Head head{.version = sample.version, .response = true, .opcode = sample.opcode};
  const auto message = decode_message(head, body);
  if (!message) return;
  std::string written;
  ASSERT_TRUE(append_message(written, sample.version, *message)) << encode_hex(body);
}

TEST(fuzz, damaged_messages_are_read_or_refused) {
  std::mt19937_64 random(3);
  const auto all = samples();
  ASSERT_GT(all.size(), 500u);
  for (std::size_t i = 0; i < rounds(200'000) && !testing::Test::HasFatalFailure(); ++i) {
    Sample sample = all[random() % all.size()];
    if (random() % 20 == 0) sample.version = 3 + static_cast<int>(random() % 4);
    damage(random, sample.body);
    read(sample);
  }
}

TEST(fuzz, random_bytes_are_no_segment_and_no_compressed_body_that_is_believed) {
  std::mt19937_64 random(4);
  for (std::size_t i = 0; i < rounds(50'000); ++i) {
    const bool lz4 = random() % 2 == 0;
    std::string bytes;
    append_segments(bytes, std::string(random() % 200, static_cast<char>(random())), {}, lz4);
    const std::string good = bytes;
    damage(random, bytes);
    SegmentReader reader(lz4);
    const std::size_t size = reader.length(bytes);
    std::optional<BadCheck> bad;
    if (size > 0 && size <= bytes.size() && bytes != good && !bytes.starts_with(good)) {
      const auto segment = reader.read(std::string(bytes.substr(0, size)), bad);
      EXPECT_TRUE(bad || !segment) << encode_hex(bytes);
    }
    std::string plain;
    for (const auto how : {Compression::kLz4, Compression::kSnappy}) {
      const bool taken = decompress(how, bytes, 1 << 16, plain).has_value();
      EXPECT_TRUE(!taken || plain.size() <= 1u << 16) << encode_hex(bytes);
    }
  }
}

TEST(fuzz, what_is_utf8_is_what_cassandra_keeps_as_text) {
  std::mt19937_64 random(5);
  constexpr std::string_view kLetters[] = {"a",    "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                           "\x80", "\xC3",     "\xE2\x82",     "\xED\xA0\x80",
                                           "\xF5", "\xF4\x90", "plain text "};
  for (std::size_t i = 0; i < rounds(50'000); ++i) {
    std::string text;
    for (auto n = random() % 6; n > 0; --n) text += kLetters[random() % std::size(kLetters)];
    const auto wrong = malformed_utf8(text);
    if (!wrong) {
      EXPECT_TRUE(cql_types::is_cassandra_utf8(text)) << encode_hex(text);
      continue;
    }
    ASSERT_LT(wrong->at, text.size());
    ASSERT_LE(wrong->at + wrong->length, text.size());
    EXPECT_FALSE(malformed_utf8(text.substr(0, wrong->at))) << encode_hex(text);
  }
}

}  // namespace
}  // namespace tailrace::cql_protocol
