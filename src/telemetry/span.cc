#include "telemetry/span.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <mutex>

#include "rt/random.h"

namespace tailrace::telemetry {
namespace {

std::mutex sink_mutex;

std::shared_ptr<SpanSink>& shared_sink() {
  static std::shared_ptr<SpanSink> sink;
  return sink;
}

std::shared_ptr<SpanSink> current_sink() {
  const std::lock_guard lock(sink_mutex);
  return shared_sink();
}

template <std::size_t N>
void fill_random(std::array<std::uint8_t, N>& id) {
  thread_local rt::Random random(rt::system_seed());
  for (std::size_t at = 0; at < N; at += 8) {
    std::uint64_t bits = random.next();
    while (bits == 0) bits = random.next();
    std::memcpy(id.data() + at, &bits, 8);
  }
}

std::int64_t monotonic_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

namespace internal {
std::atomic<bool> is_on = false;
}

std::int64_t now_ns() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void set_sink(std::shared_ptr<SpanSink> sink) {
  const std::lock_guard lock(sink_mutex);
  internal::is_on = sink != nullptr;
  shared_sink() = std::move(sink);
}

void Origins::add(const SpanContext& context) {
  if (!context.valid()) return;
  if (!all_.empty() && all_.back().same(context)) return;
  if (all_.size() == kMostLinks) {
    ++dropped_;
    return;
  }
  if (std::ranges::any_of(all_, [&](const SpanContext& one) { return one.same(context); })) return;
  all_.push_back(context);
}

void Origins::add(const Origins& others) {
  for (const SpanContext& one : others.all_) add(one);
  dropped_ += others.dropped_;
}

Span begin(std::string_view name, SpanKind kind, const SpanContext& parent) {
  Span span;
  if (!on()) return span;
  auto sink = current_sink();
  if (!sink) return span;
  SpanContext& context = span.context_;
  const bool has_parent = parent.valid();
  if (has_parent) {
    context.trace_id = parent.trace_id;
    context.state = parent.state;
  } else {
    fill_random(context.trace_id);
  }
  fill_random(context.span_id);
  context.sampled = sink->sample(parent, context);
  if (!context.sampled) return span;
  span.data_ = std::make_unique<SpanData>();
  span.data_->context = context;
  if (has_parent) span.data_->parent = parent.span_id;
  span.data_->name = name;
  span.data_->kind = kind;
  span.data_->begun_ns = now_ns();
  span.clock_begun_ns_ = monotonic_ns();
  span.sink_ = std::move(sink);
  return span;
}

Span begin_from(std::string_view name, SpanKind kind, const Origins& origins) {
  const SpanContext parent = origins.only();
  Span span = begin(name, kind, parent);
  if (!parent.valid()) span.link(origins);
  return span;
}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  end();
  context_ = std::move(other.context_);
  data_ = std::move(other.data_);
  sink_ = std::move(other.sink_);
  clock_begun_ns_ = other.clock_begun_ns_;
  return *this;
}

void Span::set(std::string_view key, std::string value) {
  if (data_) data_->attributes.emplace_back(key, std::move(value));
}

void Span::set(std::string_view key, std::int64_t value) {
  if (data_) data_->attributes.emplace_back(key, value);
}

void Span::link(const Origins& origins) {
  if (!data_) return;
  data_->links = origins.all();
  data_->dropped_links = origins.dropped();
}

void Span::fail(std::string why) {
  if (!data_) return;
  data_->failed = true;
  data_->failure = std::move(why);
}

void Span::begun_at(std::int64_t ns) {
  if (!data_) return;
  clock_begun_ns_ -= data_->begun_ns - ns;
  data_->begun_ns = ns;
}

void Span::end() {
  if (data_) end_at(data_->begun_ns + (monotonic_ns() - clock_begun_ns_));
}

void Span::end_at(std::int64_t ns) {
  if (!data_) return;
  data_->ended_ns = std::max(ns, data_->begun_ns);
  sink_->take(std::move(data_));
  sink_.reset();
}

}  // namespace tailrace::telemetry
