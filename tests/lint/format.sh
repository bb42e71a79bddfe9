#!/usr/bin/env bash
# Every C file is as clang-format (.clang-format) would write it.
. "$(dirname "$0")/common.sh"
sources '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
