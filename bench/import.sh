#!/bin/sh
# Import end to end: evidence and index, RECORDS office records (1,000,000), ROUNDS times (5): records a second, bytes a record, verify.
set -eu
cd "$(dirname "$0")/.."
records=${RECORDS:-1000000}
rounds=${ROUNDS:-5}
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/tyto-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
build/bench/office-gen --days "${DAYS:-30}" --records "$records" >"$dir/office.jsonl"
n=$(wc -l <"$dir/office.jsonl")
for i in $(seq "$rounds"); do
	rm -rf "$dir/state"
	start=$(date +%s%N)
	build/src/cli/tyto import -q --state "$dir/state" "$dir/office.jsonl"
	end=$(date +%s%N)
	echo "import: $((n * 1000000000 / (end - start))) records/s ($n records)"
done
start=$(date +%s%N)
build/src/cli/tyto verify --state "$dir/state" >"$dir/verify"
end=$(date +%s%N)
leaves=$(sed -n 's/^intact: \([0-9,]*\) leaves.*/\1/p' "$dir/verify" | tr -d ,)
echo "verify: $((leaves * 1000000000 / (end - start))) leaves/s ($leaves leaves)"
log=$(du -sb "$dir/state/log" | cut -f1)
index=$(du -sb "$dir/state/index" | cut -f1)
echo "disk: log $((log * 10 / n / 10)).$((log * 10 / n % 10)) bytes a record, index $((index / n))"
