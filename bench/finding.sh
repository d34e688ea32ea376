#!/bin/sh
# The detectors beside ripgrep (bytes), YARA and clamscan with the same patterns on the same three texts: the shape only, none of them checks a digit.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}
dir=$(mktemp -d "${TMPDIR:-/dev/shm}/tyto-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
build/bench/bench-finding "${ROUNDS:-11}"
build/bench/bench-finding --write "$dir"

cat >"$dir/patterns" <<'END'
[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}
3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}
[A-Z]{2}[0-9]{2}[ ]?[A-Z0-9]{4}[ ]?[0-9]{4}
[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}[.][A-Za-z0-9.-]{2,63}
0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}
[+][0-9]{1,3}[ -][0-9 -]{7,14}
[(]?[2-9][0-9]{2}[) .-]{1,2}[2-9][0-9]{2}[.-][0-9]{4}
[0-9]{3}-[0-9]{2}-[0-9]{4}
[0-9]{3}-[0-9]{4}
[0-9]{4}-[0-9]{6}
T[0-9]{13}
[A-Z]{2}[0-9]{7}
[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}
AKIA[A-Z2-7]{16}
gh[opsu]_[A-Za-z0-9]{36}
npm_[A-Za-z0-9]{36}
xox[bpars]-[A-Za-z0-9-]{20,}
[sr]k_(live|test)_[A-Za-z0-9]{16,}
AIza[A-Za-z0-9_-]{35}
eyJ[A-Za-z0-9_-]{10,}[.]ey[A-Za-z0-9_-]{5,}[.][A-Za-z0-9_-]{16,}
-----BEGIN [A-Z ]{0,20}PRIVATE KEY
END
{
	echo 'rule shapes { strings:'
	n=0
	while read -r p; do
		n=$((n + 1))
		echo "  \$s$n = /$p/"
	done <"$dir/patterns"
	echo '  condition: any of them and #s1 >= 0 }' | sed 's/ and #s1 >= 0//'
} >"$dir/shapes.yar"
n=0
# clamscan runs an expression only where some fixed bytes stand in the file too: bytes that each of the three texts has.
while read -r p; do
	n=$((n + 1))
	echo "Shape.$n;Engine:81-255,Target:0;(0|1|2)&3;20746865;e38081e3;2c323032;0|1|2/$(printf '%s' "$p" | sed 's/;/\\x3b/g')/g"
done <"$dir/patterns" >"$dir/shapes.ldb"

# rate NAME FILE COMMAND…: best of the rounds in MB/s.
rate() {
	name=$1 file=$2
	shift 2
	best=0
	size=$(stat -c %s "$file")
	for _ in $(seq "$rounds"); do
		start=$(date +%s%N)
		timeout 120 "$@" >/dev/null 2>"$dir/err" || [ $? = 1 ] || { echo "$name ${file##*/}: failed: $(head -n 1 "$dir/err")"; return 0; }
		end=$(date +%s%N)
		mbs=$((size * 1000 / (end - start)))
		[ "$mbs" -le "$best" ] || best=$mbs
	done
	echo "$name ${file##*/}: best $best MB/s"
}
for tool in rg yara clamscan; do
	command -v "$tool" >/dev/null || { echo "bench: SKIPPED $tool: not installed (scripts/deps, group bench)" >&2; continue; }
	for file in english.txt japanese.txt clients.csv; do
		case $tool in
		rg) rate ripgrep "$dir/$file" rg -j1 --no-config -a -o --no-unicode --count-matches -f "$dir/patterns" "$dir/$file" ;;
		yara) rate yara "$dir/$file" yara -p 1 -w "$dir/shapes.yar" "$dir/$file" ;;
		clamscan) rate clamscan "$dir/$file" clamscan --max-filesize=100M --max-scansize=100M --pcre-max-filesize=100M --no-summary -d "$dir/shapes.ldb" "$dir/$file" ;;
		esac
	done
done
