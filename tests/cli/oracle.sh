#!/bin/bash
# The log, its exports and its proofs, checked by two programs that share no code with Tyto: tests/oracle/check_log.py (written from
# docs/log-format.md alone) and tests/oracle/tlogcheck (Go's sumdb/tlog and sumdb/note). Intact and with one byte changed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
oracle=$root/tests/oracle
tyto=${TYTO:-$root/build/src/cli/tyto}
n=0
failed=0

ok() { # status what [file with details]
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=$((failed + 1))
		[ -z "${3:-}" ] || head -n 5 "$3" | sed 's/^/# /'
	fi
}

tmp=$(mktemp -d) || exit 1
chmod 755 "$tmp" # the keeper's account reaches the states in it
trap 'rm -rf "$tmp"' EXIT
run() { timeout 120 "$@" >"$tmp/out" 2>&1; }
check() { run python3 "$oracle/check_log.py" "$@"; }
tlogcheck=$tmp/tlogcheck

run "$oracle/tlogcheck/build.sh" "$tlogcheck"
ok $? "tlogcheck builds from Debian's packages" "$tmp/out"
run python3 "$oracle/selftest.py"
ok $? "the Python checker finds each damage in logs of its own" "$tmp/out"
run "$tlogcheck" -selftest
ok $? "the Go checker finds each damage in exports of its own" "$tmp/out"

# Each checker against a writer that the other's author would recognise: the Python side's logs and exports, read by both.
for size in 1 256 257 700; do
	run python3 "$oracle/makelog.py" "$tmp/made-$size" "$size" "$tmp/made-export-$size"
	ok $? "a log of $size leaves is written from the page" "$tmp/out"
	check --strict "$tmp/made-$size"
	ok $? "$size leaves: check_log finds it sound" "$tmp/out"
	check --export "$tmp/made-export-$size" "$tmp/made-$size"
	ok $? "$size leaves: check_log accepts its export" "$tmp/out"
	run "$tlogcheck" "$tmp/made-export-$size"
	ok $? "$size leaves: tlogcheck accepts its export" "$tmp/out"
	for proof in "$tmp/made-export-$size"/proof-*; do
		check --proof "$proof" "$tmp/made-$size" && run "$tlogcheck" -proof "$proof" -entry "$tmp/made-export-$size" \
			-vkey "$tmp/made-export-$size/log.vkey"
		ok $? "$size leaves: both accept ${proof##*/}" "$tmp/out"
	done
	rm -rf "$tmp/made-$size" "$tmp/made-export-$size"
done

if [ -e "$root/docs/log-vectors.json" ]; then
	check --vectors "$root/docs/log-vectors.json"
	ok $? "the page's test vectors" "$tmp/out"
fi
if [ ! -x "$tyto" ]; then
	echo "# $tyto is not built: the rest needs it"
	echo "1..$n"
	exit $((failed > 0))
fi

leaves() { sed -n 's/^ok \([0-9]*\) leaves$/\1/p' "$tmp/out"; }

# A state of as many leaves as asked for: the leaves that one record needs are measured first, each further record is one more. A heartbeat
# may come in between on a slow machine: then it is counted, and tried again.
make_state() { # dir leaves
	local dir=$1 want=$2 records=$2 have
	for _ in 1 2 3 4; do
		rm -rf "$dir"
		[ "$records" -ge 1 ] || records=1
		python3 "$oracle/records.py" plain "$records" >"$tmp/in.jsonl"
		run "$tyto" --state "$dir" import "$tmp/in.jsonl" || return 1
		check "$dir" || return 1
		have=$(leaves)
		[ "$have" != "$want" ] || return 0
		[ "$records" -gt 1 ] || [ "$have" -lt "$want" ] || break
		records=$((records + want - have))
	done
	# One record needs its names and the import's own leaves: no import makes a log of 1 leaf, the smallest stands for it.
	[ "$want" -eq 1 ]
}

flip() { # file byte: changes one bit
	python3 - "$1" "$2" <<-'END'
	import sys
	with open(sys.argv[1], "r+b") as f:
	    f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1); f.write(bytes((b[0] ^ 4,)))
	END
}

# Files of a directory, each with a place in it to change: the first byte, the middle and the last.
places() { # dir
	local f size
	find "$1" -type f ! -name reserve ! -name names.jsonl ! -name 'proof-*' | LC_ALL=C sort | while read -r f; do
		size=$(stat -c %s "$f")
		[ "$size" -eq 0 ] || printf '%s 0\n%s %d\n%s %d\n' "$f" "$f" $((size / 2)) "$f" $((size - 1))
	done
}

# Every place, but of many only every so many-th: 70,000 leaves have 274 tiles.
some() { # how-many
	awk -v want="$1" '{ a[NR] = $0 } END { step = NR > want ? NR / want : 1; for (i = 1; i <= NR; i += step) print a[int(i)] }'
}

damage_found() { # label dir how-many command…: each single changed byte makes the command fail
	local label=$1 dir=$2 many=$3 f at missed=0 tried=0
	shift 3
	while read -r f at; do
		flip "$f" "$at"
		tried=$((tried + 1))
		if run "$@"; then
			missed=$((missed + 1))
			echo "# not found: ${f#"$dir"/} byte $at"
		fi
		flip "$f" "$at"
	done < <(places "$dir" | some "$many")
	[ "$missed" -eq 0 ] && [ "$tried" -gt 0 ]
	ok $? "$label: $tried changed bytes, each found"
}

proofs() { # state export size
	local seq
	for seq in 0 $(($3 / 2)) $(($3 - 1)); do
		timeout 60 "$tyto" --state "$1" evidence proof "$seq" >"$tmp/proof" 2>"$tmp/out"
		ok $? "$3 leaves: proof of leaf $seq is made" "$tmp/out"
		check --proof "$tmp/proof" "$1"
		ok $? "$3 leaves: check_log accepts it" "$tmp/out"
		run "$tlogcheck" -proof "$tmp/proof" -entry "$2" -vkey "$2/log.vkey"
		ok $? "$3 leaves: tlogcheck accepts it" "$tmp/out"
		flip "$tmp/proof" $(($(stat -c %s "$tmp/proof") / 3))
		check --proof "$tmp/proof" "$1"
		[ $? -ne 0 ]
		ok $? "$3 leaves: check_log refuses it with one byte changed"
		run "$tlogcheck" -proof "$tmp/proof" -entry "$2" -vkey "$2/log.vkey"
		[ $? -ne 0 ]
		ok $? "$3 leaves: tlogcheck refuses it with one byte changed"
	done
}

for want in 1 255 256 257 70000; do
	state=$tmp/state export=$tmp/export many=8
	[ "$want" -lt 1000 ] || many=5
	rm -rf "$state" "$export"
	make_state "$state" "$want"
	ok $? "a log of $want leaves, or in place of 1 the smallest" "$tmp/out"
	check --strict "$state"
	ok $? "check_log finds it sound, without a remark" "$tmp/out"
	size=$(leaves)
	want=${size:-0}
	echo "# it has $want leaves"
	run "$tyto" --state "$state" evidence export "$export"
	ok $? "$want leaves: export" "$tmp/out"
	run "$tlogcheck" "$export"
	ok $? "$want leaves: tlogcheck accepts the export" "$tmp/out"
	[ "$(leaves)" = "$size" ]
	ok $? "$want leaves: the export has as many leaves as the log ($size)" "$tmp/out"
	check --export "$export" "$state"
	ok $? "$want leaves: check_log accepts the export; its entries are the log's leaves" "$tmp/out"
	[ -z "$size" ] || proofs "$state" "$export" "$size"
	damage_found "$want leaves, export, tlogcheck" "$export" "$many" "$tlogcheck" "$export"
	damage_found "$want leaves, export, check_log" "$export" "$many" python3 "$oracle/check_log.py" --export "$export"
	damage_found "$want leaves, log, check_log" "$state/log" "$many" python3 "$oracle/check_log.py" --strict "$state"
	damage_found "$want leaves, log, tyto verify" "$state/log" "$many" "$tyto" --state "$state" verify
	run "$tyto" --state "$state" verify
	ok $? "$want leaves: tyto verify, after all bytes were put back" "$tmp/out"
done

state=$tmp/awkward
python3 "$oracle/records.py" awkward >"$tmp/awkward.jsonl"
run "$tyto" --state "$state" import "$tmp/awkward.jsonl"
ok $? "awkward records are imported" "$tmp/out"
timeout 60 "$tyto" --state "$state" events --json >"$tmp/tyto.jsonl" 2>"$tmp/out"
ok $? "events --json" "$tmp/out"
timeout 60 python3 "$oracle/check_log.py" --events "$state" >"$tmp/checker.jsonl" 2>"$tmp/out"
ok $? "check_log decodes them" "$tmp/out"
run python3 "$oracle/compare.py" "$tmp/tyto.jsonl" "$tmp/checker.jsonl"
ok $? "both print the same events, key by key" "$tmp/out"
[ "$(wc -l <"$tmp/checker.jsonl")" -eq "$(wc -l <"$tmp/awkward.jsonl")" ]
ok $? "as many as were imported"

echo "1..$n"
exit $((failed > 0))
