// The text of python/tailrace_function/check.py, between two symbols.
    .section .rodata
    .global app_function_check_begin
    .global app_function_check_end
app_function_check_begin:
    .incbin "check.py"
app_function_check_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
