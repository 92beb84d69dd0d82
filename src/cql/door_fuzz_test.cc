// Damaged and cut streams of messages on real sockets: none of them ends the door, keeps a place or
// memory of it, or disturbs another connection. TAILRACE_FUZZ_ROUNDS makes it longer.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "cql/door.h"
#include "cql/testing/fake_engine.h"
#include "cql/testing/wire.h"
#include "cql_protocol/requests.h"
#include "cql_protocol/segment.h"
#include "cql_protocol/testing/damage.h"
#include "cql_protocol/wire.h"

namespace tailrace::cql {
namespace {

using cql_protocol::Batch;
using cql_protocol::Execute;
using cql_protocol::Query;
using Random = std::mt19937_64;

std::string message_of(int version, std::int16_t stream, const cql_protocol::Request& request) {
  std::string message;
  cql_protocol::append_request_message(message, version, stream, request);
  return message;
}

cql_protocol::Startup startup(bool lz4) {
  cql_protocol::Startup made;
  made.options["CQL_VERSION"] = "3.0.0";
  if (lz4) made.options["COMPRESSION"] = "lz4";
  return made;
}

cql_protocol::Request some_request(Random& random) {
  switch (random() % 7) {
    case 0:
      return cql_protocol::Options{};
    case 1:
      return cql_protocol::Register{{"SCHEMA_CHANGE", "STATUS_CHANGE"}};
    case 2:
      return cql_protocol::Prepare{"SELECT 1", {}};
    case 3:
      return Execute{"0123456789abcdef", {}, {.values = {cql_protocol::Value::of("value")}}};
    case 4:
      return Batch{.parts = {{false, "INSERT", {}}, {true, "id", {cql_protocol::Value{}}}}};
    case 5:
      return startup(random() % 2 == 0);
    default:
      return Query{FakeEngine::kSelect, {.page_size = 10}};
  }
}

/// What a client would say from its first byte on.
std::string conversation(Random& random) {
  const int version = 3 + static_cast<int>(random() % 3);
  const bool lz4 = random() % 2 == 0;
  std::string bytes = message_of(version, 0, startup(lz4));
  for (auto left = random() % 6; left > 0; --left) {
    std::string message;
    for (auto together = 1 + random() % 3; together > 0; --together)
      message += message_of(version, static_cast<std::int16_t>(random() % 4), some_request(random));
    if (version < 5) {
      bytes += message;
    } else {
      cql_protocol::append_segments(bytes, message, {}, lz4);
    }
  }
  return bytes;
}

void send_in_pieces(Random& random, const Wire& wire, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(bytes.size(), 1 + random() % 200);
    wire.send(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

std::string answer_to(const Wire& wire, std::string_view text) {
  wire.send(message_of(4, 7, Query{text, {}}));
  std::string bytes;
  while (bytes.size() < cql_protocol::kHeadBytes ||
         bytes.size() < cql_protocol::kHeadBytes + cql_protocol::read_head(bytes).length) {
    if (!wire.receive_some(bytes)) return "nothing";
  }
  return bytes.substr(cql_protocol::kHeadBytes);
}

TEST(fuzz, of_a_doors_connections_leaves_the_others_alone) {
  FakeEngine engine;
  auto door = Door::start(
      engine, {.port = 0, .threads = 2, .frame_bytes = 1 << 20, .unfinished_bytes = 1 << 20});
  ASSERT_TRUE(door);
  Wire healthy((*door)->port());
  healthy.send(message_of(4, 0, startup(false)));
  ASSERT_TRUE(healthy.next());
  const std::string expected = answer_to(healthy, FakeEngine::kSelect);
  ASSERT_NE(expected, "nothing");

  const char* told = std::getenv("TAILRACE_FUZZ_ROUNDS");
  const int rounds = told == nullptr ? 300 : std::atoi(told);
  for (int seed = 0; seed < rounds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    std::string bytes = conversation(random);
    if (random() % 4 != 0) cql_protocol::damage(random, bytes);
    const Wire wire((*door)->port());
    send_in_pieces(random, wire, bytes);
    if (random() % 2 == 0) {
      wire.end();
      std::string answers;
      while (wire.receive_some(answers)) ASSERT_LT(answers.size(), 1U << 20);
    }
    if (seed % 10 == 0) {
      ASSERT_EQ(answer_to(healthy, FakeEngine::kSelect), expected);
    }
  }
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while ((*door)->connections() > 1 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ((*door)->connections(), 1U);
  // The memory of what came in part is there again: for nearly all of it.
  const std::string large(1'000'000, 'x');
  EXPECT_NE(answer_to(healthy, large).find("no viable alternative"), std::string::npos);
  EXPECT_EQ(answer_to(healthy, FakeEngine::kSelect), expected);
}

}  // namespace
}  // namespace tailrace::cql
