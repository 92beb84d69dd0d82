// Conversations with transactions, written as text in testdata/*.txt; see testdata/README.md.
#include "transactions/testing/conversation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tailrace::transactions {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> conversations() {
  std::vector<std::filesystem::path> out;
  for (const auto& file : std::filesystem::directory_iterator("src/transactions/testdata"))
    if (file.path().extension() == ".txt") out.push_back(file.path());
  std::ranges::sort(out);
  return out;
}

class Conversations : public ::testing::TestWithParam<std::filesystem::path> {};

/// Every line of the file is said; what the coordinator does must be what stands below it.
TEST_P(Conversations, go_as_written) {
  const std::string written = text_of(GetParam());
  EXPECT_EQ(testing::Conversation::perform(written), written) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Transactions, Conversations, ::testing::ValuesIn(conversations()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace tailrace::transactions
