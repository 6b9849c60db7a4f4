#!/usr/bin/env bash
# The whole platform on DigitalOcean Kubernetes.
# shellcheck source=../../lib/platform.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/platform.sh"

cluster=${CLUSTER:-todo}
region=${REGION:-ams3}
usage="usage: [CLUSTER=todo] [REGION=ams3] [NODES=3] DATABASE_URI=… install.sh [--dry-run] [--no-sample]"

have_cluster() {
  need doctl
  doctl kubernetes cluster get "$cluster" >/dev/null 2>&1
}

make_cluster() {
  run doctl kubernetes cluster create "$cluster" --region "$region" --ha --auto-upgrade --wait \
    --node-pool "name=workers;size=${MACHINE:-s-4vcpu-8gb};count=${NODES:-3}"
}

use_cluster() { run doctl kubernetes cluster kubeconfig save "$cluster"; }

platform "$@"
