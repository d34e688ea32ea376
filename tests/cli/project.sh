#!/bin/bash
# The scripts around the code: the package list, the house rules, the count of tests.
. "$(dirname "$0")/../lib.sh"

# DEPS_FILE lets common.sh read another list.
list() { DEPS_FILE=$1 top=$top sh -c '. "$top/scripts/common.sh"; deps "$@"' sh "${@:2}"; }
printf '# x\n\nbuild gcc # why\ntest,check mandoc # why\nbench auditd # why\n' >"$tmp/deps"
is "deps of one group" "$(list "$tmp/deps" build)" gcc
is "deps of a shared line" "$(list "$tmp/deps" check)" mandoc
is "deps of two groups" "$(list "$tmp/deps" build bench | tr '\n' ' ')" "gcc auditd "
printf 'build gcc meson # two\n' >"$tmp/bad"
like "a line with two packages is named" "$(list "$tmp/bad" build 2>&1)" ':1: expected'
is "every package has a reason" "$(grep -vE '^(#|$)' "$top/scripts/deps" | grep -cv '# .')" 0

plant() { # makes a clean tree in $tmp/tree
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/src/base" "$tmp/tree/src/cli"
	printf '/* Purpose: x. Ownership: x. Threads: x. Errors: x. */\n' | tee "$tmp/tree/src/base/a.h" >"$tmp/tree/src/cli/c.h"
	echo '#include "base/a.h"' | tee "$tmp/tree/src/base/a.c" >"$tmp/tree/src/cli/c.c"
	echo "'a.c'" >"$tmp/tree/src/base/meson.build"
	echo "'c.c'" >"$tmp/tree/src/cli/meson.build"
}
rules() { "$top/scripts/check-includes" "$tmp/tree" 2>&1; }
plant
ok "a clean tree passes" rules
echo '#include "cli/c.h"' >>"$tmp/tree/src/base/a.c"
is "an include upwards is named with its line" "$(rules)" "src/base/a.c:2: base includes cli, which stands above it"
plant
yes '' | head -n 701 >>"$tmp/tree/src/cli/c.c"
like "a file too long" "$(rules)" 'c.c: 702 lines'
plant
echo '/* Purpose: x. */' >"$tmp/tree/src/base/a.h"
like "a header without its opening" "$(rules)" 'does not name Ownership'
plant
echo >"$tmp/tree/src/base/b.c"
is "a source that is not built" "$(rules)" "src/base/b.c: stands in no meson.build"

style() { "$top/scripts/check-style" "$tmp/tree" 2>&1; }
plant
ok "a tree of good style passes" style
printf '/* %s */\n' "$(printf 'é%.0s' {1..134})" >>"$tmp/tree/src/base/a.c"
ok "a line of 140 characters passes" style
printf '/* %s */\n' "$(printf 'é%.0s' {1..135})" >>"$tmp/tree/src/base/a.c"
is "one more is named" "$(style)" "src/base/a.c:3: 141 characters; 140 at most"
plant
printf 'int x; \n    int y;' >"$tmp/tree/src/cli/c.c"
is "white space at an end, spaces before, no newline" "$(style | sort)" "$(printf 'src/cli/c.c%s\n' ': no newline at its end' ':1: white space at its end' \
	':2: indented by spaces')"

# What the documents and scripts/vm name is there.
is "the tests that scripts/vm runs" "$(cd "$top" && sed 's/#.*//' tests/vm/default | grep . | while read -r t; do [ -f "$t" ] || echo "$t"; done)" ""
is "the tests that tests/kernel/README.md names" "$(cd "$top" && grep '^| ☑' tests/kernel/README.md | sed 's/ |$//; s/.*| //' | grep -oE '\b(sensor|e2e|who)_[a-z]+\b' | sort -u |
	while read -r t; do [ -f "tests/kernel/$t.sh" ] || echo "$t"; done)" ""

count() { "$top/scripts/tap-count" "$tmp/tap" 2>&1; }
mkdir "$tmp/tap"
is "nothing ran" "$(count; echo $?)" "$(printf '0 passed, 0 failed\n1')"
printf 'ok 1 - a\nok 2 - b # SKIP no loop\n1..2\n# exit 0\n' >"$tmp/tap/x.tap"
is "a skipped one is named and counted" "$(count; echo $?)" "$(printf 'skipped: x: b (no loop)\n1 passed, 0 failed, 1 skipped\n0')"
printf 'ok 1 - a\n1..2\n# exit 0\n' >"$tmp/tap/x.tap"
like "a test that stopped early fails" "$(count; echo $?)" '1 failed.1$'
printf 'ok 1 - a\n1..1\n# exit 3\n' >"$tmp/tap/x.tap"
like "a bad end fails" "$(count; echo $?)" 'ended with status 3'
printf 'ok 1 - a\n' >"$tmp/tap/x.tap"
like "a test without a plan fails" "$(count; echo $?)" 'without a plan'
: >"$tmp/tap/x.tap"
like "a test that never ran fails" "$(count; echo $?)" 'without a plan'
done_testing
