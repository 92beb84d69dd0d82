#include "connect/source.h"

#include <fmt/format.h>

namespace tailrace::connect {

void Chunk::clear() {
  place.clear();
  separator = ':';
  position.clear();
  rejects.clear();
  wait = std::chrono::nanoseconds(0);
  error.clear();
  note_first = sync_first = restart_sequences = once = idle = finished = false;
  why.clear();
  behind.reset();
  bytes_.clear();
  entries_.clear();
  places_.clear();
  traces_.clear();
  came_ns = 0;
  trace = {};
}

std::uint32_t Chunk::add_trace(const telemetry::SpanContext& trace) {
  traces_.push_back(trace);
  return static_cast<std::uint32_t>(traces_.size());
}

const telemetry::SpanContext* Chunk::trace_of(std::size_t i) const {
  if (const std::uint32_t own = entries_[i].trace; own > 0) return &traces_[own - 1];
  return trace.valid() ? &trace : nullptr;
}

void Chunk::add(std::optional<std::string_view> key, std::string_view value, std::int64_t number) {
  Entry entry;
  entry.key_at = bytes_.size();
  entry.has_key = key.has_value();
  if (key) bytes_.append(*key);
  entry.key_bytes = bytes_.size() - entry.key_at;
  entry.value_at = bytes_.size();
  entry.value_bytes = value.size();
  entry.number = number;
  entry.place = static_cast<std::uint32_t>(places_.size());
  bytes_.append(value);
  entries_.push_back(entry);
}

void Chunk::add_tombstone(std::string_view key, std::int64_t number) {
  add(key, {}, number);
  entries_.back().has_value = false;
}

std::optional<std::string_view> Chunk::key(std::size_t i) const {
  const Entry& entry = entries_[i];
  if (!entry.has_key) return std::nullopt;
  return std::string_view(bytes_).substr(entry.key_at, entry.key_bytes);
}

std::string_view Chunk::value(std::size_t i) const {
  return std::string_view(bytes_).substr(entries_[i].value_at, entries_[i].value_bytes);
}

std::string_view Chunk::id(std::size_t i) const {
  return std::string_view(bytes_).substr(entries_[i].id_at, entries_[i].id_bytes);
}

std::string Chunk::origin(std::size_t i) const {
  const std::uint32_t at = entries_[i].place;
  return fmt::format("{}{}{}", at == 0 ? place : places_[at - 1], separator, entries_[i].number);
}

}  // namespace tailrace::connect
