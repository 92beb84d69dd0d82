// Every message in every version against bytes that Kafka's own classes wrote
// (tests/real/kafka_vectors), and against those bytes damaged.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "kafka/coordinator_record.h"
#include "kafka/messages/all_messages.h"
#include "kafka/testing_allocations.h"

namespace tailrace::kafka {
namespace {

/// What became of bytes that were decoded and, when that went well, encoded again.
struct Recoded {
  Status decoded;
  Status encoded;
  std::string bytes;
  std::size_t left_bytes = 0;
  std::size_t unknown_tagged_fields = 0;
  std::size_t allocated_bytes = 0;  ///< by decoding
};

template <typename Message>
Recoded recode(std::string_view bytes, Version version, ReaderLimits limits) {
  Recoded done;
  Reader reader(bytes, limits);
  const std::size_t before = testing_allocated_bytes();
  const auto message = Message::decode(reader, version);
  done.allocated_bytes = testing_allocated_bytes() - before;
  done.left_bytes = reader.remaining_bytes();
  done.unknown_tagged_fields = reader.unknown_tagged_fields();
  if (!message) {
    done.decoded = std::unexpected(message.error());
    return done;
  }
  Writer writer;
  done.encoded = message->encode(writer, version);
  const auto frame = writer.finish();
  if (frame) done.bytes = frame->joined();
  return done;
}

template <typename Message>
Result<std::string> recode_record(std::string_view bytes, Version version) {
  if constexpr (RecordKey<Message>) {
    ASSIGN(const Message key, decode_record_key<Message>(bytes));
    return encode_record_key(key);
  } else if constexpr (RecordValue<Message>) {
    ASSIGN(const Message value, decode_record_value<Message>(bytes));
    return encode_record_value(value, version);
  } else {
    return error(Code::kInternal, "no record of a coordinator");
  }
}

template <typename Message>
Result<std::string> encode_new(Version version) {
  Writer writer;
  TRY(Message{}.encode(writer, version));
  ASSIGN(const Frame frame, writer.finish());
  return frame.joined();
}

struct Codec {
  Version lowest;
  Version highest;
  Version flexible_from;
  bool is_record;
  Recoded (*recode)(std::string_view, Version, ReaderLimits);
  Result<std::string> (*recode_record)(std::string_view, Version);
  Result<std::string> (*encode_new)(Version);
};

const std::map<std::string, Codec, std::less<>>& codecs() {
  static const auto* kCodecs = new std::map<std::string, Codec, std::less<>>{
#define CODEC(Message)                                                                          \
  {std::string(Message::kName),                                                                 \
   Codec{Message::kLowest, Message::kHighest, Message::kFlexibleFrom,                           \
         RecordKey<Message> || RecordValue<Message>, &recode<Message>, &recode_record<Message>, \
         &encode_new<Message>}},
      TAILRACE_KAFKA_MESSAGES(CODEC)
#undef CODEC
  };
  return *kCodecs;
}

struct Vector {
  std::string message;
  Version version;
  std::string variant;
  std::string bytes;

  std::string name() const {
    return message + " v" + std::to_string(version.value) + " " + variant;
  }
};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

const std::vector<Vector>& vectors() {
  static const auto* kVectors = [] {
    auto* found = new std::vector<Vector>;
    std::ifstream file("src/kafka/testdata/vectors.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      Vector vector;
      std::string hex;
      words >> vector.message >> vector.version.value >> vector.variant >> hex;
      vector.bytes = from_hex(hex);
      found->push_back(std::move(vector));
    }
    return found;
  }();
  return *kVectors;
}

Recoded recode_vector(const Vector& vector, std::string_view bytes, ReaderLimits limits = {}) {
  return codecs().at(vector.message).recode(bytes, vector.version, limits);
}

std::string default_bytes(const Vector& vector) {
  for (const Vector& other : vectors()) {
    if (other.message == vector.message && other.version == vector.version &&
        other.variant == "default") {
      return other.bytes;
    }
  }
  return "no default vector";
}

TEST(Messages, every_version_of_every_message_has_vectors_of_kafka_and_no_other) {
  std::map<std::string, std::map<std::string, int>> seen;
  for (const Vector& vector : vectors()) {
    ++seen[vector.message + std::to_string(vector.version.value)][vector.variant];
    ASSERT_TRUE(codecs().contains(vector.message)) << vector.name();
  }
  std::size_t versions = 0;
  for (const auto& [name, codec] : codecs()) {
    for (Version v = codec.lowest; v <= codec.highest; ++v, ++versions) {
      auto& variants = seen[name + std::to_string(v.value)];
      EXPECT_EQ(variants["full"], 1) << name << " v" << v.value;
      EXPECT_EQ(variants["record"], codec.is_record ? 1 : 0) << name << " v" << v.value;
      if (variants["default"] == 1) {
        EXPECT_EQ(variants["unknown"], v >= codec.flexible_from ? 1 : 0) << name;
      }
    }
  }
  EXPECT_EQ(seen.size(), versions);
}

TEST(Messages, kafkas_bytes_decode_to_their_end_and_encode_to_the_same) {
  for (const Vector& vector : vectors()) {
    if (vector.variant == "record" || vector.variant == "unknown") continue;
    const Recoded done = recode_vector(vector, vector.bytes);
    ASSERT_TRUE(done.decoded) << vector.name() << ": " << done.decoded.error().what;
    ASSERT_TRUE(done.encoded) << vector.name() << ": " << done.encoded.error().what;
    EXPECT_EQ(done.left_bytes, 0u) << vector.name();
    EXPECT_EQ(done.unknown_tagged_fields, 0u) << vector.name();
    EXPECT_EQ(done.bytes, vector.bytes) << vector.name();
  }
}

TEST(Messages, a_new_message_is_encoded_as_kafka_encodes_a_new_one) {
  for (const Vector& vector : vectors()) {
    if (vector.variant != "default") continue;
    const auto bytes = codecs().at(vector.message).encode_new(vector.version);
    ASSERT_TRUE(bytes) << vector.name() << ": " << bytes.error().what;
    EXPECT_EQ(*bytes, vector.bytes) << vector.name();
  }
}

TEST(Messages, tagged_fields_that_nobody_knows_are_skipped_and_counted) {
  for (const Vector& vector : vectors()) {
    if (vector.variant != "unknown") continue;
    const Recoded done = recode_vector(vector, vector.bytes);
    ASSERT_TRUE(done.decoded) << vector.name() << ": " << done.decoded.error().what;
    EXPECT_EQ(done.left_bytes, 0u) << vector.name();
    EXPECT_EQ(done.unknown_tagged_fields, 1u) << vector.name();
    EXPECT_EQ(done.bytes, default_bytes(vector)) << vector.name();
  }
}

TEST(Messages, records_of_the_coordinators_carry_their_type_and_version_as_kafka_writes_them) {
  for (const Vector& vector : vectors()) {
    if (vector.variant != "record") continue;
    const Codec& codec = codecs().at(vector.message);
    const auto bytes = codec.recode_record(vector.bytes, vector.version);
    ASSERT_TRUE(bytes) << vector.name() << ": " << bytes.error().what;
    EXPECT_EQ(*bytes, vector.bytes) << vector.name();
    EXPECT_FALSE(codec.recode_record(vector.bytes + '\0', vector.version)) << vector.name();
    for (std::size_t size = 0; size < vector.bytes.size(); ++size) {
      EXPECT_FALSE(codec.recode_record(vector.bytes.substr(0, size), vector.version));
    }
  }
}

TEST(Messages, versions_outside_of_a_messages_range_are_refused_by_name) {
  for (const auto& [name, codec] : codecs()) {
    for (const Version version : {codec.lowest - 1, codec.highest + 1}) {
      const Recoded done = codec.recode("", version, {});
      ASSERT_FALSE(done.decoded) << name;
      EXPECT_EQ(done.decoded.error().code, Code::kUnimplemented);
      EXPECT_TRUE(done.decoded.error().what.starts_with(name)) << done.decoded.error().what;
      EXPECT_FALSE(codec.encode_new(version)) << name;
    }
  }
}

// A frame that is damaged either fails with a text that says where, or is another valid message,
// whose encoding decodes to itself. It takes no more memory than its limit, nor than a multiple of
// its own size, which is what a claimed count would break.
void check_damaged(const Vector& vector, std::string_view bytes, ReaderLimits limits) {
  constexpr std::size_t kMostGrowth = 300;
  constexpr std::size_t kTexts = 1024;
  const Recoded done = recode_vector(vector, bytes, limits);
  ASSERT_LE(done.allocated_bytes, limits.array_bytes + 2 * bytes.size() + kTexts) << vector.name();
  ASSERT_LE(done.allocated_bytes, kMostGrowth * bytes.size() + kTexts) << vector.name();
  if (!done.decoded) {
    const std::string& what = done.decoded.error().what;
    ASSERT_TRUE(what.starts_with(vector.message + " v")) << what;
    ASSERT_NE(what.find(" at byte "), std::string::npos) << what;
    return;
  }
  ASSERT_TRUE(done.encoded) << vector.name() << ": " << done.encoded.error().what;
  const Recoded again = recode_vector(vector, done.bytes);
  ASSERT_TRUE(again.decoded) << vector.name() << ": " << again.decoded.error().what;
  ASSERT_EQ(again.left_bytes, 0u) << vector.name();
  ASSERT_EQ(again.bytes, done.bytes) << vector.name();
}

TEST(MessagesFuzz, a_frame_cut_anywhere_fails_and_says_where) {
  for (const Vector& vector : vectors()) {
    if (vector.variant == "record") continue;
    for (std::size_t size = 0; size < vector.bytes.size(); ++size) {
      const Recoded done = recode_vector(vector, std::string_view(vector.bytes).substr(0, size));
      ASSERT_FALSE(done.decoded) << vector.name() << " cut to " << size;
      ASSERT_NE(done.decoded.error().what.find(" at byte "), std::string::npos);
    }
  }
}

// Lengths and counts are where a decoder breaks: their extremes are put at random places.
std::string damaged(std::string bytes, std::mt19937_64& random) {
  static const std::string kPieces[] = {
      "\x7f\xff\xff\xff",     "\xff\xff\xff\xff",     "\x80",     std::string("\0\0\0\0", 4),
      "\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\x7f", "\x7f\xff", "\x80\x80\x80\x80\x80\x01"};
  for (std::uint64_t rounds = random() % 4 + 1; rounds > 0; --rounds) {
    const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
    const std::string& piece = kPieces[random() % std::size(kPieces)];
    switch (random() % 6) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, piece);
        break;
      case 4:
        bytes.replace(at, piece.size(), piece);
        break;
      default:
        for (std::uint64_t i = random() % 64; i > 0; --i)
          bytes.push_back(static_cast<char>(random()));
    }
  }
  return bytes;
}

TEST(MessagesFuzz, damaged_frames_fail_or_decode_within_their_memory) {
  const char* given = std::getenv("TAILRACE_FUZZ_SECONDS");
  const char* given_seed = std::getenv("TAILRACE_FUZZ_SEED");
  const std::uint64_t seed = given_seed ? std::strtoull(given_seed, nullptr, 10) : 1;
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(given ? std::strtoul(given, nullptr, 10) : 0);
  std::mt19937_64 random(seed);
  std::size_t frames = 0;
  do {
    for (const Vector& vector : vectors()) {
      if (vector.variant == "record") continue;
      for (int i = 0; i < 96; ++i, ++frames) {
        const ReaderLimits limits = i % 2 == 0 ? ReaderLimits{} : ReaderLimits{.array_bytes = 2048};
        ASSERT_NO_FATAL_FAILURE(check_damaged(vector, damaged(vector.bytes, random), limits))
            << "seed " << seed << ", frame " << frames;
      }
    }
  } while (std::chrono::steady_clock::now() < until);
  RecordProperty("frames", static_cast<int>(frames));
}

}  // namespace
}  // namespace tailrace::kafka
