// A span: one piece of a batch's way, begun, described and ended. Without an exporter spans are
// empty: on() is the one branch that tracing costs then.
//
//   telemetry::Span span = telemetry::on() ? telemetry::begin("send users", …) : telemetry::Span();
//   … span.set("messaging.batch.message_count", n);          does nothing when it is empty
//                                                            ends when it goes out of scope, or by
//                                                            end()
//
// Names and attributes are those of OpenTelemetry's semantic conventions where they have one; the
// others begin with `tailrace.`. Names have few values: no ids in them.
//
// Threads: one has a span at a time; begin() and on() from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "telemetry/context.h"

namespace tailrace::telemetry {

/// As OTLP numbers them.
enum class SpanKind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };

struct Attribute {
  std::string_view key;  ///< a literal
  std::variant<std::string, std::int64_t, double, bool> value;
};

/// Links of a span; what is beyond is counted.
inline constexpr std::size_t kMostLinks = 128;

/// Spans that something comes from, each once, as far as there is room for links.
class Origins {
 public:
  void add(const SpanContext& context);
  void add(const Origins& others);
  void clear() { *this = {}; }
  const std::vector<SpanContext>& all() const { return all_; }
  std::uint32_t dropped() const { return dropped_; }
  /// The one that all of it comes from: then that is the parent, and nothing is linked.
  SpanContext only() const {
    return all_.size() == 1 && dropped_ == 0 ? all_.front() : SpanContext();
  }

 private:
  std::vector<SpanContext> all_;
  std::uint32_t dropped_ = 0;
};

/// A span that has ended.
struct SpanData {
  SpanContext context;
  std::array<std::uint8_t, 8> parent{};  ///< zero: the first of its trace
  bool remote_parent = false;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::int64_t begun_ns = 0, ended_ns = 0;  ///< since 1970
  std::vector<Attribute> attributes;
  std::vector<SpanContext> links;
  std::uint32_t dropped_links = 0;
  bool failed = false;
  std::string failure;
};

/// Where ended spans go.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  /// Whether a trace that begins here is to be recorded.
  virtual bool sample(const SpanContext& parent, const SpanContext& child) = 0;
  /// Never blocks. From any thread.
  virtual void take(std::unique_ptr<SpanData> span) = 0;
};

class Span {
 public:
  Span() = default;
  Span(Span&&) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { end(); }

  /// To be given on; not valid of an empty span.
  const SpanContext& context() const { return context_; }
  /// Whether what is set is kept: false of an empty span, and of one that is not sampled.
  bool recording() const { return data_ != nullptr; }

  void set(std::string_view key, std::string value);
  void set(std::string_view key, std::int64_t value);
  void link(const Origins& origins);
  void fail(std::string why);
  void begun_at(std::int64_t ns);
  void end();
  void end_at(std::int64_t ns);

 private:
  friend Span begin(std::string_view name, SpanKind kind, const SpanContext& parent);
  SpanContext context_;
  std::unique_ptr<SpanData> data_;
  std::shared_ptr<SpanSink> sink_;
  std::int64_t clock_begun_ns_ = 0;  ///< of the clock that does not jump
};

namespace internal {
extern std::atomic<bool> is_on;
}

/// Whether spans go anywhere.
inline bool on() {
  return internal::is_on.load(std::memory_order_relaxed);
}
/// A child of `parent`; where that is not valid, the first span of a new trace. Empty when off.
Span begin(std::string_view name, SpanKind kind, const SpanContext& parent = {});
/// As begin(): its parent is the only origin, else they are linked.
Span begin_from(std::string_view name, SpanKind kind, const Origins& origins);
/// Nanoseconds since 1970, now.
std::int64_t now_ns();

/// From here on spans go there; null: nowhere. Spans under way keep theirs.
void set_sink(std::shared_ptr<SpanSink> sink);

}  // namespace tailrace::telemetry
