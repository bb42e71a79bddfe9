/* A fuzz target, as libFuzzer calls it; without libFuzzer replay.c calls it for each file. */
#ifndef TESTS_FUZZ_ONE_H
#define TESTS_FUZZ_ONE_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
