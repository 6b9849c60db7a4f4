# shellcheck shell=bash
# What the scripts of minikube/ and cloud/ share: Strimzi, Dapr, the operator and a sample, by Helm and kubectl. Everything
# can be run again: what is there already stays, or is brought to these versions.
#
# A script sets `usage` and `cluster`, defines `have_cluster`, `make_cluster` and `use_cluster`, and calls `platform "$@"`.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
STRIMZI_VERSION=${STRIMZI_VERSION:-1.2.0}
DAPR_VERSION=${DAPR_VERSION:-1.18.3}
dry_run=false
with_sample=true
# Of the services; empty for that of the release.
image=
chart_arguments=()

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# Runs a command, or only says it.
run() {
  printf '+%s\n' "$(printf ' %q' "$@")"
  $dry_run || "$@"
}

need() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail "$command is missing; install it and try again"
  done
}

help() {
  cat <<END
$usage
Makes the cluster '$cluster' unless it is there, installs Strimzi $STRIMZI_VERSION, Dapr $DAPR_VERSION and todo-operator in it,
and applies manifests/samples. It can be run again at any time.

  --dry-run      print the commands and do nothing
  --no-sample    install the operator only
  --set KEY=VAL  a value of the chart charts/todo-operator; may be repeated
  --help         this text
END
}

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry_run=true ;;
      --no-sample) with_sample=false ;;
      --set)
        [ $# -gt 1 ] || fail "--set takes KEY=VALUE"
        chart_arguments+=(--set "$2")
        shift
        ;;
      --help)
        help
        exit 0
        ;;
      *) fail "there is no option $1; see --help" ;;
    esac
    shift
  done
}

# release NAME NAMESPACE CHART ARGUMENT...
release() {
  run helm upgrade --install "$1" "$3" --namespace "$2" --create-namespace --wait --timeout 10m "${@:4}"
}

install_neighbours() {
  release strimzi strimzi oci://quay.io/strimzi-helm/strimzi-kafka-operator \
    --version "$STRIMZI_VERSION" --set watchAnyNamespace=true
  release dapr dapr-system dapr --repo https://dapr.github.io/helm-charts --version "$DAPR_VERSION"
}

install_operator() {
  release todo-operator todo-system "$root/charts/todo-operator" \
    ${chart_arguments[@]+"${chart_arguments[@]}"}  # bash 4.3 and before take an empty list for unset
}

# The namespace of the sample, and in it the Secret todo-db with the address of its database. Nothing that is there changes.
prepare_namespace() {
  if $dry_run; then
    echo "+ kubectl create namespace todo"
    echo "+ kubectl create secret generic todo-db --namespace todo --from-file=uri=/dev/stdin"
    return
  fi
  kubectl get namespace todo >/dev/null 2>&1 || run kubectl create namespace todo
  kubectl get secret todo-db --namespace todo >/dev/null 2>&1 || make_database_secret
}

# Unless the script knows a database of its own.
make_database_secret() {
  [ -n "${DATABASE_URI:-}" ] \
    || fail "set DATABASE_URI to the address of a PostgreSQL, postgresql://user:password@host:5432/database, or use --no-sample"
  # By standard input: what is in the arguments every process of this machine can see.
  printf '%s' "$DATABASE_URI" | kubectl create secret generic todo-db --namespace todo --from-file=uri=/dev/stdin
}

apply_sample() {
  prepare_namespace
  run kubectl apply --server-side --kustomize "${sample:-$root/manifests/samples}"
  if [ -n "$image" ]; then
    run kubectl patch todoapp todo --namespace todo --type merge --patch "{\"spec\":{\"image\":\"$image\"}}"
  fi
  run kubectl wait --namespace todo --for=condition=Ready --timeout=15m todoapp/todo
}

platform() {
  parse "$@"
  $dry_run || need helm kubectl
  if $dry_run || ! have_cluster; then make_cluster; fi
  use_cluster
  install_neighbours
  install_operator
  if $with_sample; then apply_sample; fi
}
