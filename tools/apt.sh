# SPDX-License-Identifier: Apache-2.0
# What tools/setup, tools/fetch-arm64 and tools/fetch-qemu share about apt. Read with "."; it runs nothing by itself.
# Nothing here or there names a mirror: it is the one that the system's own apt sources use.

# retry COMMAND...: mirrors and locks sometimes fail for a moment; a lasting failure is reported.
retry()
{
	try=1
	until "$@"; do
		[ "$try" -lt 3 ] || return 1
		echo "apt: try $try failed, again in $((try * 5)) s" >&2
		sleep $((try * 5))
		try=$((try + 1))
	done
}

os_codename()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null
}

# Prints where update would fetch InRelease files from, one "'URI' ..." a line. apt reads its own configuration (deb822
# and one-line sources, options, disabled entries); no network is used.
apt_uris()
{
	apt-get update --print-uris 2>/dev/null | grep "/InRelease'" || true
}

# apt_has_suite SUITE: whether it is among the system's own sources already.
apt_has_suite()
{
	apt_uris | grep -q "/dists/$1/InRelease'"
}

# The Debian mirror of the system's own sources; DEBIAN_MIRROR overrides it.
apt_mirror()
{
	if [ -n "${DEBIAN_MIRROR:-}" ]; then
		echo "$DEBIAN_MIRROR"
		return
	fi
	uris=$(apt_uris)
	for suite in $(os_codename) stable testing unstable sid oldstable; do
		uri=$(echo "$uris" | sed -n "s|^'\([^']*\)/dists/$suite/InRelease' .*|\1|p" |
			grep -v '^cdrom:' | head -n 1)
		if [ -n "$uri" ]; then
			echo "$uri"
			return
		fi
	done
	return 1
}

# The keys that Debian's archive is signed with; DEBIAN_KEYRING overrides it.
apt_keyring()
{
	for key in ${DEBIAN_KEYRING:-} /usr/share/keyrings/debian-archive-keyring.pgp \
		/usr/share/keyrings/debian-archive-keyring.gpg; do
		if [ -r "$key" ]; then
			echo "$key"
			return
		fi
	done
	return 1
}

# apt_options DIR: prints options, one a line, that keep lists, cache and locks in DIR, which must be
# absolute, and leave verification on whatever the system's configuration says.
apt_options()
{
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	cat <<-END
		-oDir::State::lists=$1/lists
		-oDir::Cache=$1/cache
		-oDir::Cache::pkgcache=
		-oDir::Cache::srcpkgcache=
		-oAPT::Sandbox::User=root
		-oAPT::Update::Error-Mode=any
		-oAPT::Get::AllowUnauthenticated=false
		-oAcquire::AllowInsecureRepositories=false
		-oAcquire::Languages=none
		-oAcquire::Retries=3
		-oDPkg::Lock::Timeout=300
		-qq
	END
}

# ---- an apt root in build/: nothing is installed, packages are only looked up, downloaded and unpacked ---------------

# apt_root DIR ARCH SUITE: reads what SUITE has for ARCH, into DIR, and sets opts, the options that every apt command
# on it takes. For backports the release that they build on is read as well. DIR/status is empty: to apt nothing is
# installed there. One at a time: waits for another that uses DIR. Needs a die() of the caller's.
apt_root()
{
	apt_dir=$1 apt_arch=$2 apt_suite=$3
	mkdir -p "$apt_dir/parts" "$apt_dir/debs"
	exec 9>"$apt_dir/busy"
	flock 9
	mirror=$(apt_mirror) || die "no Debian mirror among the system's apt sources: set DEBIAN_MIRROR to one"
	keyring=$(apt_keyring) || die "no Debian keyring on the system: install debian-archive-keyring"
	: >"$apt_dir/status"
	opts="$(apt_options "$apt_dir")
		-oAPT::Architecture=$apt_arch -oAPT::Architectures=$apt_arch
		-oDir::Etc::sourcelist=$apt_dir/sources.list -oDir::Etc::sourceparts=$apt_dir/parts
		-oDir::Etc::preferences=$apt_dir/parts/none -oDir::Etc::preferencesparts=$apt_dir/parts
		-oDir::State=$apt_dir -oDir::State::status=$apt_dir/status"
	apt_sources "$apt_suite"
	if ! retry apt-get $opts update; then
		apt_newer_keyring || die "cannot read $apt_suite from the mirror, see above"
		apt_sources "$apt_suite"
		apt-get $opts update || die "cannot read $apt_suite with the newest keys either, see above"
	fi
}

# apt_sources SUITE: prints the suite and, for backports, the release that they build on.
apt_sources()
{
	for s in ${1%-backports} "$1"; do
		echo "deb [arch=$apt_arch signed-by=$keyring] $mirror $s main"
	done | sort -u >"$apt_dir/sources.list"
}

# An old system may lack the keys of a new suite. Its own release's newest keyring package, which it can verify,
# has them from a point release on.
apt_newer_keyring()
{
	apt_sources "$(os_codename)"
	(
		apt-get $opts update &&
			cd "$apt_dir/debs" &&
			rm -f debian-archive-keyring_*.deb &&
			retry apt-get $opts download debian-archive-keyring
	) || return 1
	dpkg-deb -x "$apt_dir"/debs/debian-archive-keyring_*.deb "$apt_dir/keyring"
	keyring=$apt_dir/keyring/usr/share/keyrings/debian-archive-keyring.gpg
}

# apt_closure SUITE PACKAGE...: prints, a "name version" a line, what apt would install for them if nothing were
# installed, without what they merely recommend. Versions are SUITE's where it has them; without SUITE ('') what apt
# prefers.
apt_closure()
{
	apt_from=${1:+-t $1}
	shift
	apt-get $opts -s install --no-install-recommends $apt_from "$@" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' | LC_ALL=C sort -u
}

# apt_unpack DIR NAME VERSION...: downloads packages and unpacks them into DIR, which must be empty.
apt_unpack()
{
	apt_to=$1
	shift
	rm -rf "$apt_dir/debs" "$apt_to"
	mkdir -p "$apt_dir/debs" "$apt_to"
	cd "$apt_dir/debs"
	retry apt-get $opts download $(printf '%s=%s ' "$@")
	for deb in *.deb; do
		dpkg-deb -x "$deb" "$apt_to"
	done
}

# apt_needed FILE: prints the names of the shared libraries and of the loader that it needs.
apt_needed()
{
	readelf -dl "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p; s|.*program interpreter: .*/\(.*\)\]$|\1|p'
}

# apt_take FROM TO FILE: copies FILE and what it needs from FROM, where apt_unpack put it, to the same place in TO.
apt_take()
{
	[ ! -e "$2/$3" ] || return 0
	install -D -m 755 "$1/$3" "$2/$3"
	for apt_lib in $(apt_needed "$2/$3"); do
		apt_found=$(cd "$1" && find usr/lib usr/lib64 lib lib64 -name "$apt_lib" 2>/dev/null | LC_ALL=C sort | head -n 1)
		[ -n "$apt_found" ] || die "no package has $apt_lib, which $3 needs"
		apt_take "$1" "$2" "$apt_found"
	done
}
