#!/bin/sh
# A release without a lost request: fetches the code into a folder of its own, moves the symlink, reloads the workers.
#   ./reload.sh <pid of the primary, or its pid file> [branch]     for instance ./reload.sh /run/app/cluster_pidfile
# Folders: $BASE/repo (a clone), $BASE/releases/<commit>, $BASE/current (the symlink, PROJECT_ROOT of the cluster).
set -eu

pid=${1:?usage: reload.sh <pid or pid file> [branch]}
branch=${2:-main}
base=${BASE:-/srv/app}

git -C "$base/repo" fetch --quiet origin "$branch"
commit=$(git -C "$base/repo" rev-parse FETCH_HEAD)
release="$base/releases/$commit"

if [ ! -d "$release" ]; then
  # Under another name until it is complete: a release that is half there is never used.
  rm -rf "$release.part"
  mkdir -p "$release.part"
  git -C "$base/repo" archive "$commit" | tar -x -C "$release.part"
  if [ -f "$release.part/package-lock.json" ]; then
    (cd "$release.part" && npm ci --omit=dev --no-audit --no-fund)
  fi
  mv "$release.part" "$release"
fi

# Beside the old link and over it in one step: at no moment is there none.
rm -f "$base/current.next"
ln -s "$release" "$base/current.next"
mv -T "$base/current.next" "$base/current" 2>/dev/null || mv -h "$base/current.next" "$base/current"

[ ! -f "$pid" ] || pid=$(cat "$pid")
kill -USR2 "$pid"
echo "reloading to $commit"
