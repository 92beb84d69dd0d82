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
void add_encodings(Functions& out);
void add_charsets(Functions& out);
void add_math(Functions& out);
void add_trigonometry(Functions& out);
void add_bits(Functions& out);
void add_dates(Functions& out);
void add_date_units(Functions& out);
void add_epochs(Functions& out);
void add_date_formats(Functions& out);
void add_windows(Functions& out);
void add_json(Functions& out);
void add_from_json(Functions& out);
void add_to_json(Functions& out);
void add_collections(Functions& out);
void add_arrays(Functions& out);
void add_sequences(Functions& out);
void add_maps(Functions& out);
void add_lambdas(Functions& out);
void add_format_string(Functions& out);

/// concat and reverse of arrays (arrays.cc); those of texts call them.
Result<Array> concat_arrays(Call& call);
Result<Array> reverse_arrays(Call& call);

}  // namespace tailrace::engine
