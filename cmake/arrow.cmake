# Imported targets for Arrow and Parquet. A system Arrow is preferred; otherwise the shared libraries and
# headers of the pyarrow wheel are used, which `./dev` unpacks (pinned by hash in deps/wheels.txt).
find_package(Arrow QUIET)
if(Arrow_FOUND)
  find_package(Parquet REQUIRED)
  find_package(ArrowCompute QUIET)
  add_library(tailrace_arrow INTERFACE)
  target_link_libraries(tailrace_arrow INTERFACE Arrow::arrow_shared Parquet::parquet_shared)
  if(TARGET ArrowCompute::arrow_compute_shared)
    target_link_libraries(tailrace_arrow INTERFACE ArrowCompute::arrow_compute_shared)
  endif()
else()
  set(TAILRACE_ARROW_DIR "${CMAKE_SOURCE_DIR}/build/deps/pyarrow" CACHE PATH "unpacked pyarrow wheel")
  file(GLOB arrow_headers "${TAILRACE_ARROW_DIR}/include/arrow/util/config.h")
  if(NOT arrow_headers)
    message(FATAL_ERROR "Arrow not found in ${TAILRACE_ARROW_DIR}: run ./dev build, which fetches it")
  endif()
  file(STRINGS "${arrow_headers}" so_line REGEX "define ARROW_SO_VERSION ")
  string(REGEX MATCH "[0-9]+" arrow_so "${so_line}")
  add_library(tailrace_arrow INTERFACE)
  foreach(name arrow arrow_compute parquet)
    add_library(wheel_${name} SHARED IMPORTED GLOBAL)
    set_target_properties(wheel_${name} PROPERTIES
      IMPORTED_LOCATION "${TAILRACE_ARROW_DIR}/lib${name}.so.${arrow_so}"
      IMPORTED_SONAME "lib${name}.so.${arrow_so}")
    target_include_directories(wheel_${name} SYSTEM INTERFACE "${TAILRACE_ARROW_DIR}/include")
    target_link_libraries(tailrace_arrow INTERFACE wheel_${name})
  endforeach()
endif()
# The wheel's libparquet exports a simdjson and an OpenSSL of its own, of other versions. Ours must come first in every
# program, or our parsers and libcurl's TLS get the wheel's functions and crash.
find_library(SIMDJSON_LIBRARY simdjson REQUIRED)
find_library(CRYPTO_LIBRARY crypto REQUIRED)
add_link_options("LINKER:--push-state,--no-as-needed" "${SIMDJSON_LIBRARY}" "${CRYPTO_LIBRARY}" "LINKER:--pop-state")
