// The text of python/tailrace_task/worker.py, between two symbols.
    .section .rodata
    .global tasks_worker_begin
    .global tasks_worker_end
tasks_worker_begin:
    .incbin "worker.py"
tasks_worker_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
