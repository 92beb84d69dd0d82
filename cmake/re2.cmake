# Imported target for RE2, linked whole, before anything else, and kept hidden: the Arrow wheel's libarrow_compute
# exports an RE2 of another version, of which nothing may be taken.
find_library(RE2_ARCHIVE libre2.a REQUIRED)
add_library(tailrace_re2 INTERFACE)
target_link_options(tailrace_re2 INTERFACE
  LINKER:--whole-archive,${RE2_ARCHIVE},--no-whole-archive LINKER:--exclude-libs,libre2.a)
