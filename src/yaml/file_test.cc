// YAML files with places: what they say of a word that is nearly right, and where.
#include "yaml/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tailrace::yaml {
namespace {

TEST(nearest, is_the_fewest_edits_away_or_nothing) {
  EXPECT_EQ(nearest("partitons", {"format", "partitions"}), "partitions");
  EXPECT_EQ(nearest("zzz", {"format", "partitions"}), "");
}

TEST(file, an_unknown_key_is_named_with_its_place_and_the_nearest_known_one) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "yaml_file_test.yml";
  std::ofstream(path) << "topics:\n  orders: {partitons: 3}\n";
  auto file = File::load(path.string());
  ASSERT_TRUE(file);
  auto status = file->only_keys(file->root["topics"]["orders"], {"partitions", "format"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what,
            path.string() + ":2:12: unknown key `partitons`; did you mean `partitions`?");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tailrace::yaml
