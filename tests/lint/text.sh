#!/usr/bin/env bash
# Small habits: nothing made is committed, no file is too long, no loose ends.
. "$(dirname "$0")/common.sh"
status=0

complain() {
	printf '%s\n' "$1" "$2" >&2
	status=1
}

if git rev-parse --git-dir >/dev/null 2>&1; then
	made=$(git ls-files --cached --ignored --exclude-standard)
	[[ -z $made ]] || complain "committed, although .gitignore says that it is made:" "$made"
fi

long=$(sources '*.c' | xargs -0 wc -l | awk '$2 != "total" && $1 > 600')
[[ -z $long ]] || complain "longer than 600 lines:" "$long"

loose=$(sources '*.c' '*.h' '*.sql' '*.py' '*.sh' 'CMakeLists.txt' |
	xargs -0 grep -nE '\b(TODO|FIXME|XXX|HACK)\b|[[:blank:]]$' | grep -v '^tests/lint/text.sh' || true)
[[ -z $loose ]] || complain "loose ends:" "$loose"

exit $status
