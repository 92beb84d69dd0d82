// pgoutput's messages as its protocol has them, and no message that is damaged is taken or crashes.
#include "postgres/pgoutput.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/bytes.h"
#include "postgres/replication.h"

namespace tailrace::postgres {
namespace {

/// Writes messages as PostgreSQL does.
class Writer {
 public:
  explicit Writer(char kind) : bytes_(1, kind) {}
  template <typename T>
  Writer& number(T value) {
    append_be<T>(bytes_, value);
    return *this;
  }
  Writer& letter(char c) {
    bytes_ += c;
    return *this;
  }
  Writer& text(std::string_view text) {
    bytes_.append(text);
    bytes_ += '\0';
    return *this;
  }
  Writer& cell(std::string_view value) {
    letter('t').number(static_cast<std::int32_t>(value.size()));
    bytes_.append(value);
    return *this;
  }
  Writer& raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  std::string bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string relation() {
  Writer out('R');
  out.number<std::uint32_t>(16384).text("public").text("t").letter('d').number<std::int16_t>(2);
  out.letter(1).text("id").number<std::uint32_t>(23).number<std::int32_t>(-1);
  out.letter(0).text("name").number<std::uint32_t>(25).number<std::int32_t>(-1);
  return out.bytes();
}

std::string update() {
  Writer out('U');
  out.number<std::uint32_t>(16384).letter('K').number<std::int16_t>(2).cell("1").letter('n');
  out.letter('N').number<std::int16_t>(2).cell("2").letter('u');
  return out.bytes();
}

std::string in_stream(std::string message) {
  message.insert(1, std::string("\0\0\x02\x3B", 4));
  return message;
}

std::vector<std::string> all_messages() {
  Writer begin('B'), commit('C'), truncate('T'), message('M'), abort('A'), stop('c');
  begin.number<std::uint64_t>(100).number<std::int64_t>(5).number<std::uint32_t>(571);
  commit.letter(0).number<std::uint64_t>(100).number<std::uint64_t>(108).number<std::int64_t>(5);
  truncate.number<std::uint32_t>(2).letter(1).number<std::uint32_t>(1).number<std::uint32_t>(2);
  message.letter(1).number<std::uint64_t>(90).text("mine").number<std::int32_t>(3).raw("low");
  abort.number<std::uint32_t>(571).number<std::uint32_t>(572);
  stop.number<std::uint32_t>(571).letter(0).number<std::uint64_t>(100).number<std::uint64_t>(108);
  stop.number<std::int64_t>(5);
  return {relation(),       update(),        begin.bytes(), commit.bytes(),
          truncate.bytes(), message.bytes(), abort.bytes(), stop.bytes()};
}

template <typename T>
T decoded(const std::string& bytes) {
  PgoutputDecoder decoder;
  const auto found = decoder.decode(bytes, false);
  EXPECT_TRUE(found) << found.error().what;
  return std::get<T>(found->message);
}

TEST(Pgoutput, a_relation_names_its_columns) {
  const auto found = decoded<Relation>(relation());
  EXPECT_EQ(found.oid, Oid(16384));
  EXPECT_EQ(found.schema, "public");
  EXPECT_EQ(found.identity, 'd');
  ASSERT_EQ(found.columns.size(), 2U);
  EXPECT_TRUE(found.columns[0].of_identity);
  EXPECT_EQ(found.columns[1].name, "name");
  EXPECT_EQ(found.columns[1].type, Oid(25));
}

TEST(Pgoutput, an_update_has_its_old_key_and_what_was_not_sent) {
  PgoutputDecoder decoder;
  const std::string bytes = update();
  const auto found = decoder.decode(bytes, false);
  ASSERT_TRUE(found);
  const Change& change = *std::get<const Change*>(found->message);
  EXPECT_EQ(change.kind, Change::Kind::kUpdate);
  EXPECT_EQ(change.old, Change::Old::kKey);
  EXPECT_EQ(change.old_row[0].text, "1");
  EXPECT_EQ(change.row[0].text, "2");
  EXPECT_EQ(change.row[1].kind, Cell::Kind::kUnchanged);
}

TEST(Pgoutput, times_are_since_1970) {
  EXPECT_EQ(decoded<Begin>(all_messages()[2]).time_us, kEpochUs + 5);
  EXPECT_EQ(decoded<Commit>(all_messages()[3]).end, Lsn(108));
}

TEST(Pgoutput, a_message_in_a_stream_says_of_which_transaction) {
  PgoutputDecoder decoder;
  const std::string bytes = in_stream(update());
  const auto found = decoder.decode(bytes, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->of, Xid(571));
  EXPECT_EQ(std::get<const Change*>(found->message)->row[0].text, "2");
}

TEST(Pgoutput, a_message_that_is_cut_anywhere_is_refused) {
  PgoutputDecoder decoder;
  for (const std::string& whole : all_messages())
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto found = decoder.decode(std::string_view(whole).substr(0, size), false);
      ASSERT_FALSE(found) << whole[0] << " of " << size << " bytes";
      EXPECT_EQ(found.error().code, Code::kDataLoss);
    }
}

TEST(Pgoutput, damaged_messages_are_taken_or_refused_but_never_read_beyond) {
  const char* given = std::getenv("TAILRACE_FUZZ_ROUNDS");
  const int rounds = given ? std::atoi(given) : 20'000;
  std::mt19937_64 random(7);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  PgoutputDecoder decoder;
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = all_messages()[below(8)];
    for (std::size_t i = 0; i <= below(3); ++i)
      bytes[below(bytes.size())] = static_cast<char>(below(256));
    if (below(4) == 0) bytes.resize(below(bytes.size()));
    // A buffer of its own size, so that a sanitizer sees each byte too many.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const auto found = decoder.decode({exact.data(), exact.size()}, below(2) == 0);
    refused += found ? 0 : 1;
    if (!found) continue;
    if (const auto* change = std::get_if<const Change*>(&found->message))
      for (const Cell& cell : (*change)->row) {
        const bool inside = cell.text.data() >= exact.data() &&
                            cell.text.data() + cell.text.size() <= exact.data() + exact.size();
        EXPECT_TRUE(cell.text.empty() || inside);
      }
  }
  EXPECT_GT(refused, rounds / 10);
}

TEST(Replication, frames_and_answers) {
  Writer data('w');
  data.number<std::uint64_t>(7).number<std::uint64_t>(9).number<std::int64_t>(0).raw("B…");
  const std::string bytes = data.bytes();
  const auto frame = parse_frame(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->start, Lsn(7));
  EXPECT_EQ(frame->server_end, Lsn(9));
  EXPECT_EQ(frame->message, "B…");
  EXPECT_FALSE(parse_frame(bytes.substr(0, 24)));
  EXPECT_FALSE(parse_frame("x"));
  EXPECT_EQ(encode_status(Lsn(2), Lsn(1), kEpochUs, true).size(), 34U);
}

TEST(Lsn, is_written_as_postgresql_writes_it) {
  EXPECT_EQ(text(Lsn((std::uint64_t{0x16} << 32) | 0xB374D848)), "16/B374D848");
  EXPECT_EQ(parse_lsn("16/B374D848"), Lsn((std::uint64_t{0x16} << 32) | 0xB374D848));
  for (const char* wrong : {"", "16", "/", "16/", "16/x", "1/123456789"})
    EXPECT_EQ(parse_lsn(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace tailrace::postgres
