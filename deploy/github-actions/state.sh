#!/usr/bin/env bash
# The state of a watcher without a server: JSON lines on a branch of its own, and the reports on the main one.
#   state.sh load      import the state from the branch, if there is one
#   state.sh save      export the state and replace the branch's only commit
#   state.sh reports   commit what is new under reports/ and push it
set -euo pipefail

branch="${WATCHER_STATE_BRANCH:-watcher-state}"
file="state.jsonl"
author=(-c user.name=model-release-watcher -c user.email=model-release-watcher@users.noreply.github.com)

load() {
  if ! git ls-remote --exit-code --heads origin "$branch" >/dev/null; then
    echo "no branch $branch yet: the first run starts from nothing and announces nothing old"
    return
  fi
  git fetch --quiet --depth=1 origin "$branch"
  git show "FETCH_HEAD:$file" >"$file"
  watcher import "$file"
  rm "$file"
}

save() {
  watcher export "$file"
  local blob tree commit
  blob=$(git hash-object -w "$file")
  tree=$(printf '100644 blob %s\t%s\n' "$blob" "$file" | git mktree)
  commit=$(git "${author[@]}" commit-tree "$tree" -m "State after the run of $(date -u +%Y-%m-%dT%H:%M:%SZ)")
  rm "$file"
  git push --quiet --force origin "$commit:refs/heads/$branch"
}

reports() {
  if [ ! -d reports ]; then
    echo "no reports yet"
    return
  fi
  git add --all reports
  if git diff --cached --quiet; then
    echo "no new reports"
    return
  fi
  git "${author[@]}" commit --quiet -m "Reports of $(date -u +%Y-%m-%d)"
  for _ in 1 2 3 4 5; do
    if git push --quiet origin HEAD; then return; fi
    git "${author[@]}" pull --quiet --rebase
  done
  echo "the reports could not be pushed; the next run tries again" >&2
  return 1
}

case "${1:-}" in
  load | save | reports) "$1" ;;
  *) echo "usage: state.sh load|save|reports" >&2; exit 2 ;;
esac
