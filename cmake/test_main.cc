// Of every test binary: its data lies in the project's folder, wherever it is run.
#include <gmock/gmock.h>

#include <filesystem>

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  std::filesystem::current_path(TAILRACE_SOURCE_FOLDER);
  return RUN_ALL_TESTS();
}
