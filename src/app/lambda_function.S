// The Lambda function (src/lambda/main.cc), a program of its own, as bytes of this one; none where the build has none.
    .section .rodata
    .globl app_lambda_function_begin
    .globl app_lambda_function_end
app_lambda_function_begin:
    .incbin "bootstrap"
app_lambda_function_end:
    .section .note.GNU-stack,"",@progbits
