#!/usr/bin/env bash
# What the action's step "Check" runs: every input comes by the environment, and none is ever part of a command's text.
# It writes the check in all forms, the report, and what changed since the pull request's base.  The check's exit code is
# the step's, and 2 where an input is not understood or the comparison with the base fails.
set -uo pipefail

refuse() { # INPUT VALUE EXPECTED
  printf '::error title=threat model::input %s: %q is not understood; expected %s\n' "$1" "${2:0:80}" "$3" >&2
  exit 2
}

# An input that is left out has its default; one that is empty, such as an unset variable of the workflow, has not.
trimmed() { local text="${1#"${1%%[![:space:]]*}"}"; printf '%s' "${text%"${text##*[![:space:]]}"}"; }
yes_or_no() { # INPUT VALUE
  case "$(trimmed "$2")" in
    true | True | TRUE) answer=true ;;
    false | False | FALSE) answer=false ;;
    *) refuse "$1" "$2" "true or false" ;;
  esac
}
one_line() { # INPUT VALUE
  answer="$(trimmed "$2")"
  case "$answer" in
    *$'\n'* | *$'\r'*) refuse "$1" "$2" "one path" ;;
    -*) refuse "$1" "$2" "a path, and no option" ;;
  esac
}

yes_or_no require-proof "${REQUIRE_PROOF-false}"; require_proof="$answer"
yes_or_no upload-sarif "${UPLOAD_SARIF-true}"; upload="$answer"
yes_or_no comment "${COMMENT-true}"; comment="$answer"
one_line baseline "${BASELINE-}"; baseline="$answer"
one_line policy "${POLICY-}"; policy="$answer"
work="$(trimmed "${WORK-100000}")"
[[ "$work" =~ ^[1-9][0-9]{0,11}$ ]] || refuse work "${WORK-}" "a number of operations such as 100000"
fail_on="$(trimmed "${FAIL_ON-as-configured}")"
case "$fail_on" in
  as-configured) fail_on="" ;; # the configuration's, which cannot be weaker than high
  low | medium | high | critical) ;;
  *) refuse fail-on "${FAIL_ON-}" "as-configured, low, medium, high or critical" ;;
esac
read -r -d '' -a models <<< "${MODEL-}" # of every line, not of the first alone
for model in ${models[@]+"${models[@]}"}; do
  case "$model" in -*) refuse model "$model" "paths of models, and no option" ;; esac
done

# The folder is this step's alone: what an earlier step of the job left there is neither kept nor read.
out="${RUNNER_TEMP:?}/threat-model"
rm -rf "$out" && mkdir -p "$out" || exit 2

# What one command works out the next ones need not; what another job left in the runner's home is never taken.
TM_CACHE="$(mktemp -d)" || exit 2
export TM_CACHE
trap 'rm -rf "$TM_CACHE"' EXIT
arguments=(check ${fail_on:+--fail-on "$fail_on"} "--work=$work" ${models[@]+"${models[@]}"})
[ -n "$baseline" ] && arguments+=("--baseline=$baseline")
[ -n "$policy" ] && arguments+=("--policy=$policy")
[ "$require_proof" = true ] && arguments+=(--require-proof)
"${TM:-tm}" "${arguments[@]}" --format github \
  --format sarif -o "$out/threat-model.sarif" --format markdown -o "$out/summary.md" --format text -o "$out/check.txt"
code=$?

{
  echo "upload=$upload"
  echo "comment=$comment"
} >> "${GITHUB_OUTPUT:?}"
if [ -s "$out/threat-model.sarif" ]; then
  echo "sarif=$out/threat-model.sarif" >> "$GITHUB_OUTPUT"
  head -c 1000000 "$out/summary.md" >> "${GITHUB_STEP_SUMMARY:?}" # GitHub takes 1 MiB a step
  if [ "$(wc -c < "$out/summary.md")" -gt 1000000 ]; then
    printf '\n\nThere is more than GitHub shows here: tm check -v has all of it.\n' >> "$GITHUB_STEP_SUMMARY"
  fi
fi

# A report of each model, the one that is found where none is named.  What cannot be made is left out: the check has
# told why.
each=("${models[@]:-}")
aged=()
[ -n "$baseline" ] && aged=("--baseline=$baseline")
mkdir -p "$out/reports"
for at in "${!each[@]}"; do
  model=(${each[$at]:+-m "${each[$at]}"})
  name="$(printf '%s' "${each[$at]:-threat-model}" | tr -c 'A-Za-z0-9._\n-' '-')"
  "${TM:-tm}" ${model[@]+"${model[@]}"} ${aged[@]+"${aged[@]}"} "--work=$work" --report html -o "$out/reports/$((at + 1))-$name.html"
done
if [ -n "$(ls -A "$out/reports")" ]; then echo "report=$out/reports" >> "$GITHUB_OUTPUT"; fi

# What changed: the whole name of the base, since a tag of its short name would come first.  What cannot be compared is
# told in the comment, in place of what an earlier run said, and fails the step.
if [ -n "${BASE:-}" ]; then
  "${TM:-tm}" diff "refs/remotes/origin/$BASE..HEAD" "--work=$work" --models ${models[@]+"${models[@]}"} --format markdown -o "$out/changes.md"
  changed=$?
  [ -s "$out/changes.md" ] && echo "changes=$out/changes.md" >> "$GITHUB_OUTPUT"
  if [ "$changed" != 0 ] && [ "$code" -lt 2 ]; then code=2; fi
fi
exit "$code"
