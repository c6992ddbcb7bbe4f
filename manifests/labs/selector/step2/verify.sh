#!/bin/bash
answer=$(kubectl -n bakery exec customer -- curl -s -m 3 http://bread/)
if [ "$answer" != rye ]; then
  echo "the customer still gets no bread"
  exit 1
fi
