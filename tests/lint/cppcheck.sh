#!/usr/bin/env bash
# cppcheck: certain errors, and what is slow or not portable.
. "$(dirname "$0")/common.sh"
mkdir -p build/dev/cppcheck
# autoVariables is off: a flag on the stack is how a caller learns that its object was freed.
# Our lists are macros that cppcheck must see through; their header lies in a folder of the machine's kind.
queue=$(gcc -E -M -include sys/queue.h -x c /dev/null | tr ' ' '\n' | sed -n '\|/sys/queue.h$|p')
cppcheck --quiet --enable=warning,performance,portability --std=c11 --error-exitcode=1 \
	--inline-suppr --cppcheck-build-dir=build/dev/cppcheck -j "$(nproc)" \
	--suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
	--suppress=autoVariables \
	--include="$queue" -D_GNU_SOURCE -D'BUGWATCH_VERSION="0"' -I. -Ibuild/dev ui-api engine trackers schema tests
