// What of kubectl v1.36 podnet's own does not do, by command; '' : what concerns all of them. The support matrix prints it.

export const NOT_MODELLED: Record<string, string> = {
  '': '--profile is refused; -v=6 says one millisecond of every request, -v=8 and -v=9 log no bodies; --cache-dir, --disable-compression and TLS flags change nothing',
  alpha: 'v1.36 has no alpha commands',
  get: '--raw of a watch or of the OpenAPI documents is refused (podnet serve has them)',
  kuberc: 'set and view are of ~/.kube/kuberc unless KUBERC or --kuberc name another; no credential plugin is run, whatever its policy',
  kustomize: 'Helm charts, functions and plugins are not run',
  plugin: 'plugins are listed, not run',
  proxy: '--keepalive changes nothing; files are served whole (no ranges)',
  top: 'needs the metrics-server add-on, as in reality',
};
