// A connection of the door: bytes to messages. What a message asks for is conversation.h's.
//
//   before STARTUP, and versions 3 and 4:  message …             (cql_protocol/frame.h)
//   behind STARTUP of version 5:           segment …             (cql_protocol/segment.h)
//
// What is no message is answered as Cassandra does: an unknown version, a beta without its flag and
// a wrong opcode with an ERROR, and reading goes on; a damaged segment with an ERROR, and the
// connection ends. A message beyond the limit is dropped as it comes, then refused; so is one for
// whose bytes there is no memory, since other connections have too many unfinished ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cql/conversation.h"
#include "cql_protocol/segment.h"
#include "net/frame_server.h"

namespace tailrace::cql {

class Session final : public net::FrameSession {
 public:
  Session(Shared& shared, const net::Peer& peer);

  Result<std::size_t> frame_length(std::string_view bytes) override;
  void serve(std::string_view frame, net::Reply reply) override;

 private:
  using Head = cql_protocol::Head;
  using Failure = cql_types::Failure;

  std::size_t plain_length(std::string_view bytes);
  void serve_plain(std::string_view frame, net::Reply reply);
  void drop(std::string_view bytes, net::Reply reply);
  Failure crowded_out() const;
  void refuse_version(std::string_view frame, const Failure& why, net::Reply reply);

  void serve_segment(std::string_view segment, net::Reply reply);
  void serve_contained(std::string_view payload, net::Reply reply);
  bool serve_one(std::string_view& payload, net::Reply reply);
  void serve_first_part(std::string_view payload, net::Reply reply);
  void serve_part(std::string_view payload, net::Reply reply);
  void serve_large(net::Reply reply);
  bool fault(std::int16_t stream, const Failure& why, net::Reply reply);

  void tell(std::int16_t stream, const Failure& why, net::Reply reply, bool close_after = false);
  /// Of answers to what cannot be read.
  int version() const;

  Conversation conversation_;
  const std::uint32_t number_;  // of the connection, for messages
  Head dropped_;                // of a message that is not wanted
  std::uint64_t dropping_ = 0;  // its bytes that are still to come
  bool too_long_ = false;       // which is said when they have come
  bool crowded_out_ = false;    // as is this
  UnfinishedShare share_;
  std::optional<cql_protocol::SegmentReader> segments_;
  std::string large_;           // a message that comes in parts: its head alone if it is too long
  std::size_t large_size_ = 0;  // when it is whole; 0: none is coming
  std::size_t large_arrived_ = 0;
  std::size_t faults_ = 0;  // in this segment, one after the other
};

}  // namespace tailrace::cql
