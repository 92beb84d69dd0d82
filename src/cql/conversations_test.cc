// Cassandra 5.0.9's side of conversations (testdata/conversations.txt, which
// tests/real/cassandra/conversations.py recorded), held by the door.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/bytes.h"
#include "base/hex.h"
#include "cql/door.h"
#include "cql/testing/fake_engine.h"
#include "cql/testing/wire.h"

namespace tailrace::cql {
namespace {

using cql_protocol::Opcode;

struct Step {
  std::string sent;
  std::vector<std::string> answers;
};
struct Conversation {
  std::string name;
  std::vector<Step> steps;
};

std::string bytes_of(const std::string& line) {
  std::string bytes;
  std::istringstream parts(line);
  for (std::string part; parts >> part;) {
    if (part.starts_with("00x")) {
      bytes.append(std::stoul(part.substr(3)), '\0');
      continue;
    }
    for (std::size_t i = 0; i + 1 < part.size(); i += 2)
      bytes += static_cast<char>(std::stoi(part.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::vector<Conversation> read_conversations() {
  const char* given = std::getenv("TAILRACE_CQL_CONVERSATIONS");
  std::ifstream file(given ? given : "src/cql/testdata/conversations.txt");
  std::vector<Conversation> all;
  for (std::string line; std::getline(file, line);) {
    const std::string rest = line.size() > 2 ? line.substr(2) : "";
    if (line[0] == '#') all.push_back({rest, {}});
    if (line[0] == '>') all.back().steps.push_back({bytes_of(rest), {}});
    if (line[0] == '<') all.back().steps.back().answers.push_back(rest);
  }
  return all;
}

/// As Python shows a text without odd characters.
std::string in_quotes(const std::string& text) {
  return text.contains('\'') && !text.contains('"') ? '"' + text + '"' : '\'' + text + '\'';
}

std::string shown_failure(std::string_view body) {
  const auto code = load_be<std::int32_t>(body.data());
  const std::size_t length = load_be<std::uint16_t>(body.data() + 4);
  std::string text(body.substr(6, length));
  if (code == 0) text = "*";
  if (text.substr(std::min<std::size_t>(8, text.size())).starts_with(" invalid, unrecoverable"))
    text = "*" + text.substr(8);
  const std::string rest = encode_hex(body.substr(6 + length));
  return fmt::format("ERROR {:04x} {}{}{}", code, in_quotes(text), rest.empty() ? "" : " ", rest);
}

std::string shown(std::string message) {
  const bool old = message[0] == '\x81' || message[0] == '\x82';
  if (old) message.insert(2, 1, message[2] < 0 ? '\xFF' : '\0');
  const auto head = cql_protocol::read_head(message);
  const auto body = std::string_view(message).substr(cql_protocol::kHeadBytes);
  const auto opcode = static_cast<Opcode>(head.opcode);
  std::string what(cql_protocol::opcode_name(head.opcode));
  if (opcode == Opcode::kError)
    what = shown_failure(body);
  else if (opcode != Opcode::kReady && opcode != Opcode::kSupported && !body.empty())
    what += " " + encode_hex(body);
  return fmt::format("v{} stream {} flags {:02x} {}", head.version, head.stream, head.flags, what);
}

void hold(const Conversation& conversation, std::uint16_t port) {
  SCOPED_TRACE(conversation.name);
  Wire wire(port);
  bool first = true;
  for (const Step& step : conversation.steps) {
    wire.send(step.sent);
    std::vector<std::string> got;
    while (got.size() < step.answers.size()) {
      const auto message = wire.receive();
      got.push_back(message ? shown(*message) : "closed");
      if (!message) break;
    }
    auto expected = step.answers;
    std::ranges::sort(expected);  // answers come in any order
    std::ranges::sort(got);
    EXPECT_EQ(got, expected);
    const bool modern = step.sent[0] == '\5' || step.sent[0] == '\6';
    const bool starts =
        step.sent.size() > 4 && step.sent[4] == '\1' && !step.sent.contains("COMPRESSION") && first;
    if (modern && starts) wire.expect_segments();
    first = false;
  }
}

TEST(conversations, are_answered_as_cassandra_answers_them) {
  const auto all = read_conversations();
  ASSERT_GT(all.size(), 100u);
  FakeEngine engine;
  auto door = Door::start(engine, {.port = 0, .flag = "--listen", .threads = 1});
  ASSERT_TRUE(door) << door.error().what;
  for (const auto& conversation : all) hold(conversation, (*door)->port());
}

}  // namespace
}  // namespace tailrace::cql
