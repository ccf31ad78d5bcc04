#!/bin/sh
# One backup, sealed to the keys in RECIPIENTS (age), the newest 14 kept.
# usage: backup.sh RECIPIENTS FOLDER
set -eu
umask 077
recipients=$1
folder=$2
tadamun=${TADAMUN:-/opt/tadamun/.venv/bin/tadamun}
plain=$folder/plain
target=$folder/tadamun-$(date -u +%Y%m%dT%H%M%SZ).age
trap 'rm -f "$plain" "$target.part"' EXIT
trap 'exit 1' HUP INT TERM
rm -f "$plain"
"$tadamun" backup "$plain"
age -R "$recipients" -o "$target.part" "$plain"
rm -f "$plain"
mv "$target.part" "$target"
find "$folder" -maxdepth 1 -name 'tadamun-*.age' | sort -r | tail -n +15 | while read -r old; do rm -f "$old"; done
