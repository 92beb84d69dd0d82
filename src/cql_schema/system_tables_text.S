// The text of spec/cql/system_tables.cql, between two symbols.
    .section .rodata
    .global cql_schema_system_tables_begin
    .global cql_schema_system_tables_end
cql_schema_system_tables_begin:
    .incbin "system_tables.cql"
cql_schema_system_tables_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
