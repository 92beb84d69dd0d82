// The texts of python/tailrace_task, each between two symbols.
    .section .rodata
    .global tasks_values_begin
    .global tasks_values_end
    .global tasks_worker_begin
    .global tasks_worker_end
    .global tasks_virtualenv_begin
    .global tasks_virtualenv_end
tasks_values_begin:
    .incbin "values.py"
tasks_values_end:
    .byte 0
tasks_worker_begin:
    .incbin "worker.py"
tasks_worker_end:
    .byte 0
tasks_virtualenv_begin:
    .incbin "virtualenv.py"
tasks_virtualenv_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
