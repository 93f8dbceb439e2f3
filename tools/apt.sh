# SPDX-License-Identifier: Apache-2.0
# What tools/setup and tools/fetch-arm64 share about apt. Read with "."; it runs nothing by itself.
# Nothing here or there names a mirror: it is the one that the system's own apt sources use.

# retry COMMAND...: mirrors and locks fail for a moment now and then; a lasting failure is told.
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

# Where update would fetch InRelease files from, one "'URI' ..." a line. apt reads its own
# configuration (deb822 and one-line sources, options, disabled entries); no network is used.
apt_uris()
{
	apt-get update --print-uris 2>/dev/null | grep "/InRelease'" || true
}

# apt_has_suite SUITE: is it among the system's own sources already?
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
