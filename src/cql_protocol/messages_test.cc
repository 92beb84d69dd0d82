// Messages as Cassandra's own codec has them: testdata/messages.txt, of
// tests/real/cassandra/CqlMessages.java, which says what a line holds. TAILRACE_CQL_MESSAGES names
// another file of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/hex.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/compression.h"
#include "cql_protocol/requests.h"
#include "cql_protocol/segment.h"

namespace tailrace::cql_protocol {
namespace {

using Fields = std::vector<std::string>;

std::string unhex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::vector<Fields> read_lines(std::string_view kind) {
  const char* given = std::getenv("TAILRACE_CQL_MESSAGES");
  std::ifstream file(given ? given : "src/cql_protocol/testdata/messages.txt");
  std::vector<Fields> all;
  for (std::string line; std::getline(file, line);) {
    Fields fields(1);
    for (const char c : line) {
      if (c == '\t')
        fields.emplace_back();
      else
        fields.back() += c;
    }
    if (fields[0] == kind) all.push_back(std::move(fields));
  }
  return all;
}

std::string shown(const std::vector<Value>& values) {
  std::string text = "(";
  for (const Value& value : values)
    text += value.is_null()    ? "null "
            : value.is_unset() ? "unset "
                               : "x" + encode_hex(value.bytes) + " ";
  return text + ")";
}

std::string shown(const Parameters& parameters) {
  return fmt::format("{} {} {} {} {}", static_cast<int>(parameters.consistency),
                     parameters.skip_metadata ? "skip" : "all", parameters.page_size.value_or(-1),
                     static_cast<int>(parameters.serial_consistency.value_or(Consistency::kSerial)),
                     shown(parameters.values));
}

template <typename List, typename Show>
std::string joined(const List& list, std::string_view between, Show show) {
  std::string text;
  bool first = true;
  for (const auto& one : list) {
    if (!std::exchange(first, false)) text += between;
    text += show(one);
  }
  return text;
}

std::string shown(const std::vector<ColumnSpec>& columns) {
  return joined(columns, " ", [](const ColumnSpec& column) {
    return column.keyspace + "." + column.table + "." + encode_hex(column.name);
  });
}

std::string shown(const SchemaChange& change) {
  return fmt::format("change {} {} {} {} {}", change.change, change.target, change.keyspace,
                     change.name,
                     joined(change.argument_types, ",", [](const auto& type) { return type; }));
}

struct Show {
  std::string operator()(const Startup& request) const {
    return joined(request.options, " ", [](const auto& option) {
      return option.first + "=" + encode_hex(option.second);
    });
  }
  std::string operator()(const Options&) const { return ""; }
  std::string operator()(const Register&) const { return ""; }
  std::string operator()(const Query& request) const {
    return encode_hex(request.text) + " " + shown(request.parameters);
  }
  std::string operator()(const Prepare& request) const {
    return encode_hex(request.text) + " " +
           (request.keyspace ? encode_hex(*request.keyspace) : "null");
  }
  std::string operator()(const Execute& request) const {
    return encode_hex(request.id) + " " + encode_hex(request.result_metadata_id.value_or("")) +
           " " + shown(request.parameters);
  }
  std::string operator()(const Batch& request) const {
    std::string text = std::to_string(static_cast<int>(request.kind)) + " ";
    for (const auto& part : request.parts)
      text += (part.prepared ? "id " : "text ") + encode_hex(part.text_or_id) + " " +
              shown(part.values) + " ";
    return text + shown(request.parameters);
  }
  std::string operator()(const AuthResponse& request) const {
    return request.token ? "x" + encode_hex(*request.token) : "null";
  }

  std::string operator()(const AnyResult& result) const { return std::visit(*this, result); }
  std::string operator()(const Void&) const { return "void"; }
  std::string operator()(const SetKeyspace& set) const { return "keyspace " + set.keyspace; }
  std::string operator()(const Rows& rows) const {
    return fmt::format("rows {} {}", rows.count, rows.columns ? shown(*rows.columns) : "skipped");
  }
  std::string operator()(const Prepared& prepared) const {
    return "prepared " + encode_hex(prepared.id) + " " + shown(prepared.markers) + " -> " +
           (prepared.columns ? shown(*prepared.columns) : "");
  }
  std::string operator()(const SchemaChange& change) const { return shown(change); }
  std::string operator()(const Event& event) const { return shown(std::get<SchemaChange>(event)); }
  std::string operator()(const Ready&) const { return ""; }
  std::string operator()(const Authenticate& message) const { return message.authenticator; }
  std::string operator()(const Supported& supported) const {
    return joined(supported.options, " ", [](const auto& option) {
      return option.first + "=" +
             joined(option.second, ",", [](const auto& value) { return encode_hex(value); });
    });
  }
  std::string operator()(const AuthChallenge& message) const {
    return message.token ? "x" + encode_hex(*message.token) : "null";
  }
  std::string operator()(const AuthSuccess& message) const {
    return message.token ? "x" + encode_hex(*message.token) : "null";
  }
  std::string operator()(const cql_types::Failure& failure) const {
    std::string more = encode_hex(failure.statement_id);
    if (failure.code == cql_types::ErrorCode::kAlreadyExists)
      more = failure.keyspace + " " + failure.name;
    return fmt::format("{} {} {}", static_cast<int>(failure.code), encode_hex(failure.message),
                       more);
  }
};

TEST(cassandra, messages_are_read_and_written_as_its_codec_does) {
  const auto lines = read_lines("message");
  ASSERT_GT(lines.size(), 500u);
  for (const Fields& fields : lines) {
    const int version = std::stoi(fields[1]);
    const auto opcode = static_cast<std::uint8_t>(std::stoi(fields[2]));
    const std::string body = unhex(fields[3]);
    SCOPED_TRACE(fmt::format("version {} {} {}", version, opcode_name(opcode), fields[3]));
    std::string written;
    if (!is_response(opcode)) {
      const auto request = decode_request(version, opcode, body);
      ASSERT_TRUE(request) << request.error().message;
      EXPECT_EQ(std::visit(Show{}, *request), fields[4]);
      append_request(written, version, *request);
      EXPECT_EQ(static_cast<std::uint8_t>(opcode_of(*request)), opcode);
    } else {
      const auto message =
          decode_message({.version = version, .response = true, .opcode = opcode}, body);
      ASSERT_TRUE(message) << message.error().message;
      EXPECT_EQ(std::visit(Show{}, message->body), fields[4]);
      // Without metadata nobody knows whether the columns were of one table.
      if (fields[4].ends_with("skipped")) continue;
      const auto wrote = append_message(written, version, *message);
      ASSERT_TRUE(wrote);
      EXPECT_EQ(static_cast<std::uint8_t>(*wrote), opcode);
    }
    EXPECT_EQ(encode_hex(written), fields[3]);
  }
}

TEST(cassandra, segments_are_read_and_written_as_its_encoders_make_them) {
  const auto lines = read_lines("segment");
  ASSERT_GT(lines.size(), 10u);
  for (const Fields& fields : lines) {
    const bool lz4 = fields[1] == "lz4", contained = fields[2] == "1";
    const std::string payload = unhex(fields[3]), segment = unhex(fields[4]);
    SegmentReader reader(lz4);
    ASSERT_EQ(reader.length(segment + "more"), segment.size());
    for (std::size_t size = 0; size < (lz4 ? 8 : 6); ++size)
      EXPECT_EQ(reader.length(segment.substr(0, size)), 0u);
    std::optional<BadCheck> bad;
    const auto read = reader.read(segment, bad);
    ASSERT_TRUE(read && !bad);
    EXPECT_EQ(read->self_contained, contained);
    EXPECT_EQ(encode_hex(read->payload), fields[3]);
    std::string own;
    append_segments(own, std::string_view(payload).substr(0, payload.size() / 2),
                    std::string_view(payload).substr(payload.size() / 2), lz4);
    if (!lz4 && contained) {
      EXPECT_EQ(encode_hex(own), fields[4]);
    }
    const auto again = reader.read(own, bad);
    ASSERT_TRUE(again && !bad);
    EXPECT_EQ(encode_hex(again->payload), fields[3]);
  }
}

TEST(cassandra, compressed_bodies_are_read_as_its_compressors_make_them) {
  const auto lines = read_lines("body");
  ASSERT_GT(lines.size(), 10u);
  for (const Fields& fields : lines) {
    const auto how = *compression_of(fields[1]);
    const std::string body = unhex(fields[2]);
    std::string plain, own;
    ASSERT_TRUE(decompress(how, unhex(fields[3]), 1 << 20, plain));
    EXPECT_EQ(encode_hex(plain), fields[2]);
    compress(how, body, own);
    ASSERT_TRUE(decompress(how, own, 1 << 20, plain));
    EXPECT_EQ(encode_hex(plain), fields[2]);
    if (!body.empty()) {
      EXPECT_FALSE(decompress(how, own, body.size() - 1, plain));
    }
  }
}

TEST(segments, a_message_that_is_too_large_for_one_comes_in_parts) {
  std::string head(9, 'h'), rows(3 * kMostPayload, 'r');
  for (const bool lz4 : {false, true}) {
    std::string bytes, whole;
    append_segments(bytes, head, rows, lz4);
    SegmentReader reader(lz4);
    std::string_view rest = bytes;
    int parts = 0;
    for (; !rest.empty(); ++parts) {
      std::optional<BadCheck> bad;
      const std::size_t size = reader.length(rest);
      ASSERT_GT(size, 0u);
      const auto segment = reader.read(rest.substr(0, size), bad);
      ASSERT_TRUE(segment && !bad);
      EXPECT_FALSE(segment->self_contained);
      whole += segment->payload;
      rest.remove_prefix(size);
    }
    EXPECT_EQ(parts, 4);
    EXPECT_TRUE(whole == head + rows);
  }
}

TEST(parameters, names_and_paging_states_come_back) {
  Parameters parameters;
  parameters.values = {Value::of("a"), Value(), Value::unset()};
  parameters.names = {"one", "two", "three"};
  parameters.paging_state = "state";
  parameters.now_seconds = 7;
  for (const int version : {3, 4, 5}) {
    std::string body;
    append_request(body, version, Query{"SELECT", parameters});
    Query back;
    ASSERT_TRUE(decode(version, body, back));
    EXPECT_EQ(back.parameters.names, parameters.names);
    EXPECT_EQ(back.parameters.paging_state, "state");
    EXPECT_EQ(back.parameters.values[2].is_unset(), version >= 4);
    EXPECT_EQ(back.parameters.now_seconds.has_value(), version >= 5);
  }
}

}  // namespace
}  // namespace tailrace::cql_protocol
