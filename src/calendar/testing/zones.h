// The zones of testdata/zoneinfo, for tests whose answers must not change with the system's
// database.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "calendar/zone.h"

namespace tailrace::calendar::testing {

inline Zone zone(const std::string& name) {
  if (name == "UTC") return Zone::utc();
  std::ifstream file("src/calendar/testdata/zoneinfo/" + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto read = Zone::read(name, bytes);
  EXPECT_TRUE(read) << name;
  return read ? *read : Zone::utc();
}

}  // namespace tailrace::calendar::testing
