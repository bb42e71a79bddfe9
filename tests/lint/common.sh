# Read by every check: where the tree is, and which files are ours. The checks run from the root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# sources PATTERN...: our files of these names, NUL-ended.
sources() {
	local names=()
	for name in "$@"; do
		names+=(-o -name "$name")
	done
	find ui-api engine trackers schema tests \( "${names[@]:1}" \) -type f -print0 | sort -z
}
