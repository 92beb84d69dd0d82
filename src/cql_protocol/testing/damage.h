// What tests do to bytes that a decoder or a door must bear.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace tailrace::cql_protocol {

/// One to three changes: bytes put in between, the rest cut off, a byte replaced.
inline void damage(std::mt19937_64& random, std::string& bytes) {
  for (auto n = 1 + random() % 3; n > 0; --n) {
    const auto at = random() % (bytes.size() + 1);
    switch (random() % 4) {
      case 0:
        bytes.insert(at, 1 + random() % 9, static_cast<char>(random()));
        break;
      case 1:
        bytes.resize(at);
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random() % 2 == 0 ? random() : 0xFF);
    }
  }
}

}  // namespace tailrace::cql_protocol
