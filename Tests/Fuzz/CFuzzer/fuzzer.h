// libFuzzer as a library (compiler-rt, lib/fuzzer/FuzzerInterface.h has no declaration of it).
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
