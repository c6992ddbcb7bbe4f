#!/bin/bash
ip=$(kubectl -n bakery get endpointslices -l kubernetes.io/service-name=bread -o jsonpath='{.items[*].endpoints[*].addresses[0]}')
if [ -z "$ip" ]; then
  echo "the Service has no endpoint yet"
  exit 1
fi
