// HOST:PORT, read and written.
#include "net/address.h"

#include <gtest/gtest.h>

namespace tailrace::net {
namespace {

TEST(Address, a_host_and_a_port_are_what_stands_around_the_last_colon) {
  for (const auto& [text, host, port] : {std::tuple{"127.0.0.1:9092", "127.0.0.1", 9092},
                                         {"localhost:0", "localhost", 0},
                                         {":65535", "", 65535},
                                         {"[::1]:80", "::1", 80},
                                         {"[fe80::1%eth0]:80", "fe80::1%eth0", 80}}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->host, host) << text;
    EXPECT_EQ(address->port, port) << text;
  }
}

TEST(Address, what_has_no_port_or_may_be_read_in_two_ways_is_none) {
  for (const auto* text : {"", ":", "host", "host:", "host:65536", "host:-1", "host:+1", "host: 1",
                           "host:1 ", "host:0x1", "::1", "::1:80", "[::1]", "[::1:80", "a]:80"})
    EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Address, what_is_written_reads_back) {
  for (const auto* text : {"127.0.0.1:9092", "[::1]:9092", "kafka:1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address_text(address->host, address->port), text);
  }
}

}  // namespace
}  // namespace tailrace::net
