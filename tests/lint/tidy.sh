#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy, over every source that is built.
. "$(dirname "$0")/common.sh"
sed -n 's/^ *"file": "\(.*\)",*$/\1/p' build/dev/compile_commands.json | grep -v /build/ | sort -u |
	tr '\n' '\0' |
	xargs -0 -n 2 -P "$(nproc)" clang-tidy -p build/dev --quiet --warnings-as-errors='*' \
		--extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-string-concatenation 2> >(grep -v 'warnings\? generated\.$\|^Suppressed ' >&2)
