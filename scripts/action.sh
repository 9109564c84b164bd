#!/usr/bin/env bash
# What the action's step "Check" runs: every input comes by the environment, and none is ever part of a command's text.
# It writes the check in all forms, the report, and what changed since the pull request's base; the check's exit code is
# the step's.
set -uo pipefail

out="${RUNNER_TEMP:?}/threat-model"
mkdir -p "$out"

# What one command works out the next ones need not; what another job left in the runner's home is never taken.
XDG_CACHE_HOME="$(mktemp -d)"
export XDG_CACHE_HOME
trap 'rm -rf "$XDG_CACHE_HOME"' EXIT
arguments=(check --fail-on "${FAIL_ON:-high}")
read -r -a models <<< "${MODEL:-}"
arguments+=("${models[@]}")
[ -n "${BASELINE:-}" ] && arguments+=(--baseline "$BASELINE")
[ -n "${POLICY:-}" ] && arguments+=(--policy "$POLICY")
[ "${REQUIRE_PROOF:-false}" = true ] && arguments+=(--require-proof)
"${TM:-tm}" "${arguments[@]}" --format github \
  --format sarif -o "$out/threat-model.sarif" --format markdown -o "$out/summary.md" --format text -o "$out/check.txt"
code=$?

if [ -s "$out/threat-model.sarif" ]; then
  echo "sarif=$out/threat-model.sarif" >> "${GITHUB_OUTPUT:?}"
  head -c 1000000 "$out/summary.md" >> "${GITHUB_STEP_SUMMARY:?}" # GitHub takes 1 MiB a step
  if [ "$(wc -c < "$out/summary.md")" -gt 1000000 ]; then
    printf '\n\nThere is more than GitHub shows here: tm check -v has all of it.\n' >> "$GITHUB_STEP_SUMMARY"
  fi
fi

# A report of each model, and what changed in them; the one that is found where none is named.  What cannot be made is
# left out: the check has told why.
each=("${models[@]:-}")
aged=()
[ -n "${BASELINE:-}" ] && aged=(--baseline "$BASELINE")
mkdir -p "$out/reports"
for at in "${!each[@]}"; do
  model=(${each[$at]:+-m "${each[$at]}"})
  name="$(printf '%s' "${each[$at]:-threat-model}" | tr -c 'A-Za-z0-9._\n-' '-')"
  "${TM:-tm}" "${model[@]}" "${aged[@]}" --report html -o "$out/reports/$((at + 1))-$name.html"
done
if [ -n "$(ls -A "$out/reports")" ]; then echo "report=$out/reports" >> "$GITHUB_OUTPUT"; fi
if [ -n "${BASE:-}" ]; then
  if [ "${#models[@]}" -gt 1 ]; then
    changes=(--models "${models[@]}")
  else
    changes=(${models[0]:+-m "${models[0]}"})
  fi
  "${TM:-tm}" diff "origin/$BASE..HEAD" "${changes[@]}" --format markdown -o "$out/changes.md"
  [ -s "$out/changes.md" ] && echo "changes=$out/changes.md" >> "$GITHUB_OUTPUT"
fi
exit "$code"
