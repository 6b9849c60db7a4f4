#!/usr/bin/env bash
# The whole platform in a minikube of this machine, with a PostgreSQL beside it.
# shellcheck source=../lib/platform.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/platform.sh"

cluster=${CLUSTER:-todo}
usage="usage: [CLUSTER=todo] [CPUS=4] [MEMORY=8g] [IMAGE=…] install.sh [--dry-run] [--no-sample]"
sample=$root/manifests/minikube
chart_arguments=(--set replicas=1)

image=${IMAGE:-}
case ${image##*/} in
  '' | *:*) ;;
  *) fail "IMAGE has to name a tag, such as $image:dev" ;;
esac

have_cluster() { minikube status --profile "$cluster" >/dev/null 2>&1; }

make_cluster() {
  $dry_run || need minikube
  run minikube start --profile "$cluster" --cpus "${CPUS:-4}" --memory "${MEMORY:-8g}"
}

use_cluster() {
  run kubectl config use-context "$cluster"
  # An image that was built here and is in no registry.
  if [ -n "$image" ]; then
    run minikube image load --profile "$cluster" "$image"
    chart_arguments+=(--set "image.repository=${image%:*}" --set "image.tag=${image##*:}")
  fi
}

# That of postgresql.yaml, with a password that is made once.
make_database_secret() {
  local password
  password=$(LC_ALL=C tr -dc 'a-zA-Z0-9' </dev/urandom | head -c 32 || true)
  kubectl apply --namespace todo --filename - <<END
apiVersion: v1
kind: Secret
metadata:
  name: todo-db
stringData:
  password: $password
  uri: postgresql://todo:$password@postgresql.todo.svc:5432/todo
END
}

platform "$@"
