// Counts what `new` gives out in this test program, and that it counts.
#include "kafka/testing_allocations.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace {

thread_local std::size_t allocated_bytes = 0;

}  // namespace

// Not inlined, or the compiler takes a `new` and its `free` for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tailrace::kafka {

std::size_t testing_allocated_bytes() {
  return allocated_bytes;
}

namespace {

TEST(Allocations, what_new_gives_out_is_counted) {
  const std::size_t before = testing_allocated_bytes();
  const std::vector<char> memory(1000);
  EXPECT_EQ(testing_allocated_bytes() - before, 1000u);
}

}  // namespace
}  // namespace tailrace::kafka
