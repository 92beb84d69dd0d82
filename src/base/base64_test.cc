// Base64 against the vectors of RFC 4648 §10.
#include "base/base64.h"

#include <gtest/gtest.h>

namespace tailrace {
namespace {

constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}};

TEST(base64, matches_rfc_4648_both_ways) {
  for (const auto& [plain, coded] : kVectors) {
    EXPECT_EQ(encode_base64(plain), coded);
    EXPECT_EQ(decode_base64(coded), plain);
  }
}

TEST(base64, every_byte_comes_back) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(all)), all);
}

TEST(base64, what_is_no_base64_is_refused) {
  EXPECT_EQ(decode_base64("Zm9v!"), std::nullopt);
  EXPECT_EQ(decode_base64("Zm9v\nYmFy"), "foobar");
}

}  // namespace
}  // namespace tailrace
