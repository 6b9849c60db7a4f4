#!/usr/bin/env bash
# The whole platform on Azure Kubernetes Service.
# shellcheck source=../../lib/platform.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/platform.sh"

cluster=${CLUSTER:-todo}
group=${RESOURCE_GROUP:-todo}
location=${LOCATION:-westeurope}
usage="usage: [CLUSTER=todo] [RESOURCE_GROUP=todo] [LOCATION=westeurope] [NODES=3] DATABASE_URI=… install.sh [--dry-run]"

have_cluster() {
  need az
  az aks show --resource-group "$group" --name "$cluster" >/dev/null 2>&1
}

make_cluster() {
  run az group create --name "$group" --location "$location"
  run az aks create --resource-group "$group" --name "$cluster" --node-count "${NODES:-3}" --zones 1 2 3 \
    --node-vm-size "${MACHINE:-Standard_D4as_v5}" --network-plugin azure --network-plugin-mode overlay \
    --network-dataplane cilium --enable-oidc-issuer --enable-workload-identity --generate-ssh-keys
}

use_cluster() { run az aks get-credentials --resource-group "$group" --name "$cluster" --overwrite-existing; }

platform "$@"
