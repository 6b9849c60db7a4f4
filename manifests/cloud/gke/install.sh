#!/usr/bin/env bash
# The whole platform on Google Kubernetes Engine.
# shellcheck source=../../lib/platform.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/platform.sh"

cluster=${CLUSTER:-todo}
region=${REGION:-europe-west4}
project=(${PROJECT:+--project "$PROJECT"})
usage="usage: [CLUSTER=todo] [PROJECT=…] [REGION=europe-west4] [NODES=1] DATABASE_URI=… install.sh [--dry-run]"

have_cluster() {
  need gcloud gke-gcloud-auth-plugin
  gcloud container clusters describe "$cluster" ${project[@]+"${project[@]}"} --region "$region" >/dev/null 2>&1
}

# NODES is the count in each of the three zones of the region.
make_cluster() {
  run gcloud container clusters create "$cluster" ${project[@]+"${project[@]}"} --region "$region" --num-nodes "${NODES:-1}" \
    --machine-type "${MACHINE:-e2-standard-4}" --enable-ip-alias --enable-dataplane-v2 --release-channel regular
}

use_cluster() { run gcloud container clusters get-credentials "$cluster" ${project[@]+"${project[@]}"} --region "$region"; }

platform "$@"
