kubectl -n bakery patch service bread -p '{"spec":{"selector":{"app":"bread"}}}'
