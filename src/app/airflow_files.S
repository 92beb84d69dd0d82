// Files of python/ as bytes of the program: a table of name, begin and end, up to a null.
    .macro embed file
    .section .rodata
1:  .asciz "\file"
2:  .incbin "\file"
3:
    .section .data.rel.ro, "aw"
    .quad 1b, 2b, 3b
    .endm

    .section .data.rel.ro, "aw"
    .balign 8
    .globl app_airflow_files
app_airflow_files:
    embed tailrace_airflow/loader.py
    embed tailrace_provider/README.md
    embed tailrace_provider/pyproject.toml
    embed tailrace_provider/py.typed
    embed tailrace_provider/__init__.py
    embed tailrace_provider/get_provider_info.py
    embed tailrace_provider/hooks/__init__.py
    embed tailrace_provider/hooks/tailrace.py
    embed tailrace_provider/secrets.py
    embed tailrace_provider/operators/__init__.py
    embed tailrace_provider/operators/expect.py
    embed tailrace_provider/operators/ingest.py
    embed tailrace_provider/operators/refresh.py
    embed tailrace_provider/sensors/__init__.py
    embed tailrace_provider/sensors/table.py
    .quad 0
    .section .note.GNU-stack,"",@progbits
