#include "pipeline/value_reader.h"

#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include "columns/widening.h"
#include "pipeline/json_rows.h"

namespace tailrace::pipeline {

Result<ValueReader> ValueReader::make(ValueReading reading) {
  ValueReader reader;
  ASSIGN(reader.rows_, make_rows(reading.type->reader()));
  reader.reading_ = std::move(reading);
  return reader;
}

Result<const ValueReader::Writer*> ValueReader::writer(std::int32_t id) {
  const auto known = writers_.find(id);
  if (known != writers_.end()) return &known->second;
  const auto unknown = unknown_.find(id);
  if (unknown != unknown_.end()) return &unknown->second;
  return new_writer(id);
}

Result<const ValueReader::Writer*> ValueReader::new_writer(std::int32_t id) {
  const subjects::RegisteredSchema& mine = reading_.type->latest();
  const auto keep = [&](Writer writer) {
    return &writers_.insert_or_assign(id, std::move(writer)).first->second;
  };
  auto found = reading_.schemas->by_id(id, mine.subject);
  if (!found && found.error().code == Code::kNotFound)
    return &unknown_
                .insert_or_assign(
                    id, Writer{{}, fmt::format("schema id {} is not in the registry", id)})
                .first->second;
  if (!found) return std::unexpected(found.error());
  const bool newer = found->version > mine.version && !reading_.refused.contains(id);
  if (newer && reading_.follow) {
    next_ = std::move(*found);
    return nullptr;
  }
  const std::string shown = found->version > 0
                                ? fmt::format("version {} of {}", found->version, mine.subject)
                                : fmt::format("schema id {}, no version of {}", id, mine.subject);
  const auto refused = [&](const Error& why) {
    return keep({{},
                 fmt::format("written by {}, which version {} cannot read: {}", shown, mine.version,
                             why.what)});
  };
  const auto parsed =
      schema::parse_schema(found->format, found->text, found->references, schema::Age::kKnown);
  if (!parsed) return refused(parsed.error());
  const auto number = rows_->add_writer(*parsed);
  if (!number) return refused(number.error());
  return keep({*number, fmt::format("written by {}, read by version {}", shown, mine.version)});
}

void ValueReader::flush(std::vector<Bad>& bad) {
  if (run_.empty()) return;
  run_bad_.clear();
  rows_->append(*run_writer_->number, run_, run_bad_);
  for (const Bad& one : run_bad_)
    bad.push_back({run_places_[one.index], run_writer_->why + ": " + one.why});
  run_.clear();
  run_places_.clear();
}

std::string ValueReader::self_contained(std::string_view value, std::string_view header) const {
  auto said = schema::header_schema(header);
  if (said && !said->guid.empty()) {
    const auto known = guids_.find(said->guid);
    known == guids_.end() ? said.reset() : void(said->id = known->second);
  }
  std::string out;
  if (said) {
    schema::append_wire_header(out, said->id);
    out += said->before;
  }
  return out += value;
}

Result<ValueReader::Named> ValueReader::name(std::string_view value,
                                             const std::optional<std::string_view>& header) {
  if (!header) {
    const auto id = schema::wire_schema_id(value);
    if (id) return Named{*id, value.substr(schema::kWireHeaderBytes)};
    return error(Code::kInvalidArgument,
                 "it does not begin with a zero and a schema's id, as records of this format do");
  }
  const auto said = schema::header_schema(*header);
  if (!said)
    return error(Code::kInvalidArgument,
                 fmt::format("its header {} is no schema's id", schema::kValueSchemaHeader));
  Named named{said->id, value};
  if (!said->guid.empty()) {
    const auto known = guids_.find(said->guid);
    if (known != guids_.end()) {
      named.id = known->second;
    } else {
      const auto id = reading_.schemas->id_of_guid(said->guid, reading_.type->latest().subject);
      if (!id && id.error().code == Code::kNotFound)
        return error(Code::kNotFound, fmt::format("schema {} is not in the registry", said->guid));
      if (!id) return error(Code::kUnavailable, id.error().what);
      named.id = guids_[said->guid] = *id;
    }
  }
  if (!said->before.empty()) {
    named.bytes = joined_.emplace_back(said->before).append(value);
  }
  return named;
}

Result<std::size_t> ValueReader::append(std::span<const std::optional<std::string_view>> values,
                                        std::vector<Bad>& bad,
                                        std::span<const std::optional<std::string_view>> headers) {
  unknown_.clear();
  joined_.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) {
      flush(bad);
      nulls_.push_back(rows_->size());
      rows_->append_null();
      continue;
    }
    const auto named = name(*values[i], headers.empty() ? std::nullopt : headers[i]);
    if (!named && named.error().code == Code::kUnavailable) {
      flush(bad);
      if (i == 0) return std::unexpected(named.error());
      return i;
    }
    if (!named) {
      bad.push_back({i, named.error().what});
      continue;
    }
    const auto by = writer(named->id);
    if (!by || !*by) {
      flush(bad);
      if (!by && i == 0) return std::unexpected(by.error());
      return i;
    }
    if (!(*by)->number) {
      bad.push_back({i, (*by)->why});
      continue;
    }
    if (*by != run_writer_) flush(bad);
    run_writer_ = *by;
    run_.push_back(as_bytes(named->bytes));
    run_places_.push_back(i);
  }
  flush(bad);
  return values.size();
}

Result<Array> ValueReader::finish() {
  const std::int64_t rows = rows_->size();
  const Batch batch = rows_->finish();
  std::shared_ptr<arrow::Buffer> there;
  if (!nulls_.empty()) {
    ASSIGN(there, from_arrow(arrow::AllocateBitmap(rows)));
    arrow::bit_util::SetBitsTo(there->mutable_data(), 0, rows, true);
    for (const std::int64_t row : nulls_) arrow::bit_util::ClearBit(there->mutable_data(), row);
  }
  const auto nulls = static_cast<std::int64_t>(nulls_.size());
  nulls_.clear();
  const Type type = arrow::struct_(batch->schema()->fields());
  const auto values =
      std::make_shared<arrow::StructArray>(type, rows, batch->columns(), there, nulls);
  return widened(values, reading_.type->value());
}

}  // namespace tailrace::pipeline
