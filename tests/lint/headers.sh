#!/usr/bin/env bash
# Every header compiles alone.
. "$(dirname "$0")/common.sh"
read -ra libraries < <(pkg-config --cflags libevent libcurl libpq libxml-2.0 json-c libcares libconfuse talloc libsodium cmocka)
sources '*.h' | xargs -0 -n 1 -P "$(nproc)" gcc -fsyntax-only -x c -std=gnu11 -Wall -Wextra \
	-Wno-unused-parameter -Werror -D_GNU_SOURCE -DBUGWATCH_VERSION='"0"' -I. -Ibuild/dev "${libraries[@]}"
