kubectl -n bakery patch networkpolicy closed --type=merge -p '{"spec":{"ingress":[{"from":[{"podSelector":{"matchLabels":{"run":"customer"}}}]}]}}'
