#!/usr/bin/env bash
# What the documentation points to is there: relative links, and `paths` of our own tree.
. "$(dirname "$0")/common.sh"
status=0

while IFS= read -r -d '' page; do
	folder=$(dirname "$page")
	while IFS= read -r target; do
		if [[ ! -e $folder/$target ]]; then
			echo "$page: no such file: $target" >&2
			status=1
		fi
	done < <(grep -oE '\]\([^):#]+:?' "$page" | sed 's/^](//' | grep -v ':$' || true)
	while IFS= read -r path; do
		if [[ ! -e $path ]]; then
			echo "$page: no such file: $path" >&2
			status=1
		fi
	done < <(grep -oE '`(ui-api|engine|trackers|schema|tests|docs)/[A-Za-z0-9_./-]*`' "$page" | tr -d '`' || true)
done < <(find . -name '*.md' -not -path './build/*' -not -path './.git/*' -print0)
exit $status
