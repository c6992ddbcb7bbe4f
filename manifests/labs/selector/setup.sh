#!/bin/bash
set -e
kubectl create namespace bakery
kubectl -n bakery create deployment bread --image=hashicorp/http-echo:1.0 --port=5678 -- /http-echo -text=rye
kubectl -n bakery create service clusterip bread --tcp=80:5678
kubectl -n bakery patch service bread -p '{"spec":{"selector":{"app":"cake"}}}'
kubectl -n bakery run customer --image=curlimages/curl -- sleep infinity
kubectl -n bakery apply -f - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec:
  podSelector: {matchLabels: {app: bread}}
  policyTypes: [Ingress]
YAML
kubectl -n bakery wait --for=condition=Ready pod --all --timeout=60s
