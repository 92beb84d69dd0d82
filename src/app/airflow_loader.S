// python/tailrace_airflow/loader.py as bytes of the program.
    .section .rodata
    .globl app_airflow_loader_begin
    .globl app_airflow_loader_end
app_airflow_loader_begin:
    .incbin "loader.py"
app_airflow_loader_end:
    .section .note.GNU-stack,"",@progbits
