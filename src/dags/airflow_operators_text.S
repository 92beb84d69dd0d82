// The text of spec/airflow_operators.yml, between two symbols.
    .section .rodata
    .global dags_airflow_operators_begin
    .global dags_airflow_operators_end
dags_airflow_operators_begin:
    .incbin "airflow_operators.yml"
dags_airflow_operators_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
