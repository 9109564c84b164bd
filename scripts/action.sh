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
if [ "${#models[@]}" -le 1 ] && "${TM:-tm}" ${models[0]:+-m "${models[0]}"} --report html -o "$out/report.html"; then
  echo "report=$out/report.html" >> "$GITHUB_OUTPUT"
fi
if [ -n "${BASE:-}" ] && [ "${#models[@]}" -le 1 ] \
  && "${TM:-tm}" diff "origin/$BASE..HEAD" ${models[0]:+-m "${models[0]}"} --format markdown -o "$out/changes.md"; then
  echo "changes=$out/changes.md" >> "$GITHUB_OUTPUT"
fi
exit "$code"
