// The text of python/tailrace_function/worker.py, between two symbols.
    .section .rodata
    .global hooks_worker_begin
    .global hooks_worker_end
hooks_worker_begin:
    .incbin "worker.py"
hooks_worker_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
