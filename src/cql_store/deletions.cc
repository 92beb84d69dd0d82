#include "cql_store/deletions.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "cql_store/record.h"
#include "cql_store/vint.h"

namespace tailrace::cql_store {
namespace {

void put_deletion(std::string& out, const Deletion& deletion) {
  out.append(reinterpret_cast<const char*>(&deletion.timestamp), sizeof deletion.timestamp);
  put_signed(out, deletion.local_time);
}

bool take_deletion(std::string_view& from, Deletion& deletion) {
  if (from.size() < sizeof deletion.timestamp) return false;
  std::memcpy(&deletion.timestamp, from.data(), sizeof deletion.timestamp);
  from.remove_prefix(sizeof deletion.timestamp);
  return take_signed(from, deletion.local_time);
}

void put_piece(std::string& out, const Deletions::Piece& piece) {
  put_bytes(out, piece.begin);
  put_bytes(out, piece.end);
  put_deletion(out, piece.deletion);
}

/// Whether a slice that ends at `end` (empty: never) has rows from `begin` on.
bool reaches(std::string_view end, std::string_view begin) {
  return end.empty() || begin < end;
}
std::string_view earlier_end(std::string_view a, std::string_view b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return std::min(a, b);
}

/// Slices apart from each other; the newest deletion wins where they meet.
class Painter {
 public:
  void paint(const Deletions::Piece& piece) {
    std::string_view at = piece.begin;
    auto next = first_reaching(at);
    while (reaches(piece.end, at)) {
      if (next == pieces_.end() || !reaches(piece.end, next->first)) {
        put(at, piece.end, piece.deletion);
        return;
      }
      if (at < next->first) put(at, next->first, piece.deletion);
      const auto over = next++;
      const std::string_view over_end = over->second.end;
      if (supersedes(piece.deletion, over->second.deletion)) cover(over, piece);
      if (over_end.empty()) return;
      at = std::max(at, over_end);
    }
  }

  void write(std::string& out) const {
    for (auto at = pieces_.begin(); at != pieces_.end();) {
      Deletions::Piece piece{at->first, at->second.end, at->second.deletion};
      // Neighbours of one deletion are one slice.
      for (++at; at != pieces_.end() && at->first == piece.end &&
                 !supersedes(at->second.deletion, piece.deletion) &&
                 !supersedes(piece.deletion, at->second.deletion);
           ++at)
        piece.end = at->second.end;
      put_piece(out, piece);
    }
  }

 private:
  struct Rest {
    std::string_view end;
    Deletion deletion;
  };
  using Pieces = std::map<std::string_view, Rest>;

  Pieces::iterator first_reaching(std::string_view at) {
    auto next = pieces_.upper_bound(at);
    if (next != pieces_.begin() && reaches(std::prev(next)->second.end, at)) --next;
    return next;
  }
  void put(std::string_view begin, std::string_view end, const Deletion& deletion) {
    pieces_.insert_or_assign(begin, Rest{end, deletion});
  }
  /// The part of `over` that `piece` has gets the piece's deletion; what is outside stays.
  void cover(Pieces::iterator over, const Deletions::Piece& piece) {
    const std::string_view begin = over->first;
    const Rest old = over->second;
    const std::string_view from = std::max(begin, piece.begin);
    const std::string_view to = earlier_end(old.end, piece.end);
    if (begin < from) over->second.end = from;
    put(from, to, piece.deletion);
    if (to != old.end) put(to, old.end, old.deletion);
  }

  Pieces pieces_;
};

}  // namespace

void Deletions::clear() {
  partition_ = {};
  pieces_.clear();
}

bool Deletions::read(std::string_view record) {
  clear();
  if (!take_deletion(record, partition_)) return false;
  while (!record.empty()) {
    Piece piece;
    if (!take_bytes(record, piece.begin) || !take_bytes(record, piece.end) ||
        !take_deletion(record, piece.deletion))
      return false;
    pieces_.push_back(piece);
  }
  return true;
}

Deletion Deletions::of(std::string_view clustering) const {
  const auto after = std::ranges::upper_bound(pieces_, clustering, {}, &Piece::begin);
  if (after == pieces_.begin()) return partition_;
  const Piece& piece = *std::prev(after);
  const bool inside = reaches(piece.end, clustering) && supersedes(piece.deletion, partition_);
  return inside ? piece.deletion : partition_;
}

bool Deletions::any_before(std::int64_t seconds) const {
  return (!partition_.live() && partition_.local_time < seconds) ||
         std::ranges::any_of(pieces_,
                             [&](const Piece& p) { return p.deletion.local_time < seconds; });
}

void Deletions::keep_before(std::int64_t seconds) {
  if (partition_.local_time >= seconds) partition_ = {};
  std::erase_if(pieces_, [&](const Piece& p) { return p.deletion.local_time >= seconds; });
}

void append_partition_deletion(std::string& out, const Deletion& deletion) {
  put_deletion(out, deletion);
}

void append_slice_deletion(std::string& out, const Slice& slice, const Deletion& deletion) {
  put_deletion(out, {});
  put_piece(out, {slice.begin, slice.end, deletion});
}

bool fold_deletions(std::span<const std::string_view> records, std::string& out) {
  std::vector<Deletions> all(records.size());
  Deletion partition;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!all[i].read(records[i])) return false;
    if (supersedes(all[i].partition(), partition)) partition = all[i].partition();
  }
  Painter painter;
  for (const Deletions& some : all)
    for (const Deletions::Piece& piece : some.pieces())
      if (piece.deletion.timestamp > partition.timestamp) painter.paint(piece);
  out.clear();
  put_deletion(out, partition);
  painter.write(out);
  return true;
}

bool keep_recent(const Deletions& deletions, std::int64_t before_seconds, std::string& out) {
  const auto recent = [&](const Deletion& deletion) {
    return !deletion.live() && deletion.local_time >= before_seconds;
  };
  out.clear();
  bool any = recent(deletions.partition());
  put_deletion(out, any ? deletions.partition() : Deletion{});
  for (const Deletions::Piece& piece : deletions.pieces()) {
    if (!recent(piece.deletion)) continue;
    put_piece(out, piece);
    any = true;
  }
  return any;
}

}  // namespace tailrace::cql_store
