#include "schema/avro/decoder.h"

#include "base/check.h"
#include "schema/avro/interpreter.h"

namespace tailrace::schema::avro {

Result<Decoder> Decoder::make(const AvroSchema& writer, const AvroSchema& reader) {
  Decoder decoder;
  ASSIGN(Plan plan, make_plan(writer, reader));
  decoder.plan_ = std::make_shared<const Plan>(std::move(plan));
  return decoder;
}

void Decoder::append(std::span<const Bytes> records, Rows& rows,
                     std::vector<BadRecord>& bad) const {
  CHECK(rows.schema()->Equals(*plan_->columns));
  Interpreter interpreter(*plan_, rows.all());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (interpreter.run(records[i])) [[likely]] {
      rows.keep_row();
      continue;
    }
    bad.push_back({i, interpreter.why()});
    rows.drop_row();
  }
}

}  // namespace tailrace::schema::avro
