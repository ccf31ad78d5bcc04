#!/usr/bin/env bash
# Runs the blocks marked `try` of deploy/README.md, word for word, in a fresh Debian 12 folder, then starts the node
# there, asks it who it is, stops it and removes the folder. Needs root and debootstrap; at most half an hour.
# usage: deploy/try-in-debootstrap.sh        (MIRROR=… for another Debian mirror, KEEP=1 to keep the folder)
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
port=${PORT:-18473}
[ "$(id -u)" = 0 ] || { echo "try: needs root, for debootstrap and chroot" >&2; exit 2; }
for program in debootstrap chroot tar curl; do
  command -v "$program" > /dev/null || { echo "try: $program is not installed" >&2; exit 2; }
done

work=$(mktemp -d /var/tmp/tadamun-try.XXXXXX)
root=$work/root
server=
clean() {
  result=$?
  trap - EXIT
  if [ -n "$server" ]; then kill -TERM "$server" 2> /dev/null || true; fi
  for place in run dev/shm proc; do
    if mountpoint -q "$root/$place"; then umount -l "$root/$place"; fi
  done
  if [ "${KEEP:-}" = 1 ]; then echo "try: kept $work"; else rm -rf --one-file-system "$work"; fi
  exit "$result"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

say() { printf 'try: %s\n' "$*"; }

say "debootstrap bookworm"
timeout 900 debootstrap --variant=minbase bookworm "$root" ${MIRROR:+"$MIRROR"} > "$work/debootstrap.log" 2>&1 \
  || { tail -n 5 "$work/debootstrap.log" >&2; exit 1; }
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm"

say "lending the folder this machine's way to packages, and the repository"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
  if [ -e "$file" ]; then cp -L "$file" "$root$file"; fi
done
mkdir -p "$root/opt/tadamun"
# A network with its own certificate authority: `ca-certificates` takes these up when the steps install it.
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
unset PIP_FIND_LINKS
git -C "$repository" ls-files --cached --others --exclude-standard -z \
  | tar -C "$repository" --null --ignore-failed-read -T - -cf - | tar -C "$root/opt/tadamun" -xf - --no-same-owner

steps=$root/root/steps.sh
{
  echo 'set -eux'
  echo "export NODE_HOST=node.example NODE_HANDLE=alerts NODE_NAME='Exercise Organisation'"
  echo 'export NODE_LANGUAGE=ar NODE_COUNTRY=IQ DEBIAN_FRONTEND=noninteractive'
  awk '/^```sh try$/ { on = 1; next } /^```$/ { on = 0 } on' "$repository/deploy/README.md" \
    | sed '/^rm -rf \/run\/tadamun-paper$/i cp /run/tadamun-paper/sheet.txt /root/sheet.txt'
} > "$steps"

inside() { env -u TADAMUN_DATA HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"; }

say "the steps of deploy/README.md"
inside timeout 900 sh /root/steps.sh > "$work/steps.log" 2>&1 || { tail -n 20 "$work/steps.log" >&2; exit 1; }
grep -q '^.*1/7 ' "$root/root/sheet.txt" || { say "the recovery sheet has no key"; exit 1; }
say "recovery sheet written, $(wc -l < "$root/root/sheet.txt") lines"

say "tadamun serve"
env -u TADAMUN_DATA timeout 120 chroot --userspec=tadamun:tadamun "$root" /usr/bin/env -i \
  PATH=/usr/bin:/bin TADAMUN_DATA=/var/lib/tadamun /opt/tadamun/.venv/bin/tadamun serve --bind "127.0.0.1:$port" \
  > "$work/serve.log" 2>&1 &
server=$!
for _ in $(seq 60); do
  if curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$port/healthz" 2> /dev/null; then break; fi
  kill -0 "$server" 2> /dev/null || { tail -n 20 "$work/serve.log" >&2; exit 1; }
  sleep 0.5
done
ask() { curl -fsS -m 10 -H 'Host: node.example' -H 'Accept: application/activity+json' "http://127.0.0.1:$port$1"; }
ask /healthz > /dev/null
ask '/.well-known/webfinger?resource=acct:alerts@node.example' > "$work/webfinger.json"
actor=$(grep -o 'https://node.example/.well-known/apgateway/[^"]*/actor' "$work/webfinger.json" | head -n 1)
[ -n "$actor" ] || { say "webfinger names no actor"; cat "$work/webfinger.json" >&2; exit 1; }
ask "${actor#https://node.example}" | grep -q '"inbox"'
say "it answers as $actor"

say "SIGTERM"
kill -TERM "$server"
for _ in $(seq 30); do
  kill -0 "$server" 2> /dev/null || break
  sleep 0.5
done
if kill -0 "$server" 2> /dev/null; then say "still there after 15 s"; exit 1; fi
server=
say "done"
