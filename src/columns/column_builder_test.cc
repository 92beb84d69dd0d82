// Columns that grow: what is appended comes out, and a row taken back leaves no trace at any depth.
#include "columns/column_builder.h"

#include <gtest/gtest.h>

namespace tailrace {
namespace {

std::string text(const Array& array) {
  const auto valid = array->ValidateFull();
  EXPECT_TRUE(valid.ok()) << valid.ToString();
  std::string made;
  for (std::int64_t row = 0; row < array->length(); ++row)
    made += (row > 0 ? " " : "") + array->GetScalar(row).ValueOrDie()->ToString();
  return made;
}

// One row: a list of two structs, of which the second has nulls.
void append_row(ColumnBuilder& list, std::int32_t number, std::string_view word) {
  ColumnBuilder& item = list.child(0);
  item.append_struct();
  item.child(0).append(number);
  item.child(1).append_bytes(word);
  item.child(2).append_bool(number % 2 == 0);
  item.append_struct();
  item.child(0).append_null();
  item.child(1).append_null();
  item.child(2).append_null();
  list.close_list();
}

TEST(column_builder, a_row_taken_back_leaves_no_trace_at_any_depth) {
  const auto type = arrow::list(
      arrow::struct_({arrow::field("n", arrow::int32()), arrow::field("s", arrow::utf8()),
                      arrow::field("b", arrow::boolean())}));
  const auto kept = ColumnBuilder::make(type).value();
  const auto tried = ColumnBuilder::make(type).value();
  for (std::int32_t i = 0; i < 20; ++i) {
    append_row(*kept, i, "word");
    append_row(*tried, i, "word");
    // Half a row more: elements that no list closes, and fields that are not all there.
    tried->child(0).append_struct();
    tried->child(0).child(0).append(std::int32_t{-1});
    if (i % 2 == 0) tried->child(0).child(1).append_null();
    if (i % 3 == 0) tried->child(0).child(1).values().append('x');
    tried->truncate(i + 1);
    if (i % 5 == 0) {
      kept->append_null();
      tried->append_null();
      kept->truncate(i + 1);
      tried->truncate(i + 1);
    }
  }
  EXPECT_EQ(text(tried->finish()), text(kept->finish()));
  append_row(*tried, 7, "again");
  EXPECT_EQ(tried->length(), 1);
  EXPECT_EQ(text(tried->finish()),
            "list<item: struct<n: int32, s: string, b: bool>>[{n:int32 = 7, s:string = again, "
            "b:bool = false}, {n:int32 = null, s:string = null, b:bool = null}]");
}

TEST(column_builder, validity_is_written_from_the_first_null_on) {
  const auto column = ColumnBuilder::make(arrow::int64()).value();
  for (std::int64_t i = 0; i < 11; ++i) column->append(i);
  column->append_null();
  column->append(std::int64_t{12});
  const auto array = column->finish();
  EXPECT_EQ(array->null_count(), 1);
  EXPECT_EQ(text(array), "0 1 2 3 4 5 6 7 8 9 10 null 12");
  column->append(std::int64_t{1});
  const auto next = column->finish();
  EXPECT_EQ(next->null_bitmap(), nullptr);
  EXPECT_EQ(text(next), "1");
}

}  // namespace
}  // namespace tailrace
