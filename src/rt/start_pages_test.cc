// Pages that are let go come back with their content; pages of our own stay.
#include "rt/start_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace tailrace::rt {
namespace {

constexpr std::size_t kBytes = 1 << 20;

/// A private mapping of a file full of 'f', as the loader makes them.
class MappedFile {
 public:
  explicit MappedFile(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / (name + std::to_string(getpid()))) {
    std::ofstream(path_) << std::string(kBytes, 'f');
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    at_ = static_cast<char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
    close(file);
  }
  ~MappedFile() {
    munmap(at_, kBytes);
    std::filesystem::remove(path_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* at() { return at_; }
  void make_read_only() { mprotect(at_, kBytes, PROT_READ); }
  /// What of the mapping is in our memory now, from /proc/self/smaps.
  std::size_t resident() const {
    std::ifstream maps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(maps, line);) {
      if (line.find(path_) != std::string::npos) here = true;
      if (here && line.starts_with("Rss:")) return std::stoul(line.substr(4)) * 1024;
    }
    return 0;
  }

 private:
  std::string path_;
  char* at_;
};

TEST(StartPages, a_page_that_is_let_go_comes_back_with_its_content) {
  MappedFile file("start_pages_clean");
  file.make_read_only();
  std::size_t sum = 0;
  for (std::size_t i = 0; i < kBytes; i += 4096) sum += file.at()[i] == 'f' ? 1 : 0;
  ASSERT_GT(file.resident(), 0u);
  EXPECT_GE(forget_start_pages(), kBytes);
  EXPECT_EQ(file.resident(), 0u);
  for (std::size_t i = 0; i < kBytes; ++i) ASSERT_EQ(file.at()[i], 'f');
  EXPECT_EQ(sum, kBytes / 4096);
}

TEST(StartPages, a_mapping_with_a_page_of_our_own_stays) {
  MappedFile file("start_pages_own");
  std::memcpy(file.at() + 8192, "relocated", 9);
  file.make_read_only();
  const std::size_t before = file.resident();
  forget_start_pages();
  EXPECT_EQ(file.resident(), before);
  EXPECT_EQ(std::string(file.at() + 8192, 9), "relocated");
}

TEST(StartPages, a_writable_mapping_stays) {
  MappedFile file("start_pages_writable");
  for (std::size_t i = 0; i < kBytes; i += 4096) ASSERT_EQ(file.at()[i], 'f');
  ASSERT_GT(file.resident(), 0u);
  const std::size_t before = file.resident();
  forget_start_pages();
  EXPECT_EQ(file.resident(), before);
}

}  // namespace
}  // namespace tailrace::rt
