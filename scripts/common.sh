# Shared by scripts/run, scripts/test and scripts/check. POSIX sh; to be sourced with $top set to the checkout.

PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:$PATH # Debian's own tools first: python3 with its packages
export PATH
jobs=$(nproc 2>/dev/null || echo 2)

say() { printf '== %s\n' "$*" >&2; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# How to become root: nothing, sudo, or not at all.
if [ "$(id -u)" = 0 ]; then
	as_root() { "$@"; }
	can_root=yes
elif command -v sudo >/dev/null; then
	as_root() { sudo -- "$@"; }
	can_root=yes
else
	as_root() { die "needs root for: $* (run it as root, or install sudo)"; }
	can_root=no
fi

# deps GROUP…: the packages of these groups, one a line.
deps() {
	awk -v want="$*" '
		BEGIN { n = split(want, g, " "); for (i = 1; i <= n; i++) wanted[g[i]] = 1 }
		{ sub(/#.*/, "") }
		NF == 0 { next }
		NF != 2 { printf "scripts/deps:%d: expected groups, one package and a comment\n", NR > "/dev/stderr"; exit 1 }
		{
			n = split($1, mine, ",")
			for (i = 1; i <= n; i++) if (mine[i] in wanted) { print $2; next }
		}' "${DEPS_FILE:-$top/scripts/deps}"
}

# The packages of the groups that are not installed. One dpkg-query, no apt.
missing() {
	deps "$@" | sort -u >"$work/wanted" || return 1
	# dpkg-query fails when it does not know one of them: that one is missing, which is what is asked.
	# shellcheck disable=SC2046
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(cat "$work/wanted") 2>/dev/null |
		awk '$1 == "installed" { print $2 }' | sort -u >"$work/have"
	comm -23 "$work/wanted" "$work/have"
}

# Runs COMMAND up to three times; its output is shown only when it failed for good.
quietly() {
	for pause in 2 10 0; do
		if as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$work/apt.log" 2>&1 </dev/null; then
			return 0
		fi
		sleep "$pause"
	done
	tail -n 40 "$work/apt.log" >&2
	return 1
}

# Debian starts a service as soon as it is installed. The tests bring sshd, smbd and others: they must not open ports on this machine.
policy=/usr/sbin/policy-rc.d
no_services() {
	[ ! -e "$policy" ] || return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy" && made_policy=yes
}
services_again() {
	[ -z "${made_policy:-}" ] || as_root rm -f "$policy"
	made_policy=
}

# need GROUP…: installs what is missing of these groups.
need() {
	command -v dpkg-query >/dev/null ||
		{ say "not a Debian: install the counterparts of the groups \"$*\" in scripts/deps yourself"; return 0; }
	lack=$(missing "$@") || return 1
	[ -n "$lack" ] || return 0
	# shellcheck disable=SC2086
	set -- $lack
	say "installing $# packages: $*"
	[ "$can_root" = yes ] || die "not installed: $* (run as root, or install them)"
	quietly apt-get -q update || die "apt-get update failed"
	no_services
	quietly apt-get -q install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
	rc=$?
	services_again
	[ "$rc" = 0 ] || die "apt-get install failed"
}

# configure DIR OPTION…: sets DIR up when it is new or its options differ from last time.
configure() {
	dir=$1
	shift
	options=$*
	wipe=
	if [ -f "$dir/build.ninja" ]; then
		[ "$(cat "$dir/.options" 2>/dev/null)" != "$options" ] || return 0
		wipe=--wipe
	fi
	# shellcheck disable=SC2086
	meson setup $wipe "$dir" $options >"$work/meson.log" 2>&1 || { cat "$work/meson.log" >&2; return 1; }
	printf '%s\n' "$options" >"$dir/.options"
}

compile() { # DIR [TARGET…]
	say "building in ${1#"$top"/}"
	ninja -C "$@" >"$work/ninja.log" 2>&1 || { grep -v '^\[' "$work/ninja.log" | tail -n 200 >&2; return 1; }
}

work=$(mktemp -d "${TMPDIR:-/tmp}/tyto-scripts.XXXXXX") || exit 1
at_exit() {
	services_again
	rm -rf "$work"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
