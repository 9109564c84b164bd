#!/usr/bin/env bash
# What the action's step "Check" runs: every input comes by the environment, and none is ever part of a command's text.
# It writes the check in all forms, the report, and what changed since the pull request's base; the check's exit code is
# the step's.
set -uo pipefail

out="${RUNNER_TEMP:?}/threat-model"
mkdir -p "$out"
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
  cat "$out/summary.md" >> "${GITHUB_STEP_SUMMARY:?}"
fi

# A report and the changes of each model; the one that is found where none is named. What cannot be made is left out:
# the check has told why.
each=("${models[@]:-}")
aged=()
[ -n "${BASELINE:-}" ] && aged=(--baseline "$BASELINE")
mkdir -p "$out/reports"
: > "$out/changes.md"
for at in "${!each[@]}"; do
  model=(${each[$at]:+-m "${each[$at]}"})
  name="$(printf '%s' "${each[$at]:-threat-model}" | tr -c 'A-Za-z0-9._\n-' '-')"
  "${TM:-tm}" "${model[@]}" "${aged[@]}" --report html -o "$out/reports/$((at + 1))-$name.html"
  if [ -n "${BASE:-}" ] && "${TM:-tm}" diff "origin/$BASE..HEAD" "${model[@]}" --format markdown -o "$out/change.md"; then
    cat "$out/change.md" >> "$out/changes.md"
    echo >> "$out/changes.md"
  fi
done
if [ -n "$(ls -A "$out/reports")" ]; then echo "report=$out/reports" >> "$GITHUB_OUTPUT"; fi
if [ -s "$out/changes.md" ]; then
  if [ "$(wc -c < "$out/changes.md")" -gt 60000 ]; then # GitHub takes 65,536 characters a comment
    head -c 60000 "$out/changes.md" > "$out/change.md"
    printf '\n\nThere is more: tm diff MODEL shows all of one model.\n' >> "$out/change.md"
    mv "$out/change.md" "$out/changes.md"
  fi
  echo "changes=$out/changes.md" >> "$GITHUB_OUTPUT"
fi
exit "$code"
