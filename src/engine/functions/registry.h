// The families of functions; each appends its own.
#pragma once

#include "engine/functions/function.h"

namespace tailrace::engine {

void add_arithmetic(Functions& out);
void add_comparison(Functions& out);
void add_logic(Functions& out);
void add_conditional(Functions& out);
void add_pattern(Functions& out);
void add_strings(Functions& out);
void add_letter_case(Functions& out);
void add_more_strings(Functions& out);
void add_regex(Functions& out);
void add_hashes(Functions& out);
void add_math(Functions& out);
void add_rounding(Functions& out);
void add_dates(Functions& out);
void add_date_arithmetic(Functions& out);
void add_epochs(Functions& out);
void add_date_formats(Functions& out);
void add_windows(Functions& out);
void add_json(Functions& out);
void add_from_json(Functions& out);
void add_to_json(Functions& out);
void add_collections(Functions& out);
void add_arrays(Functions& out);
void add_format_string(Functions& out);

}  // namespace tailrace::engine
