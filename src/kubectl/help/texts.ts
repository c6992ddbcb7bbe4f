// Help of every command: texts of k8s.io/kubectl v0.36.3 (Apache-2.0), as its command tree gives them. Flag types and defaults are in flag-table.ts.

export interface CommandHelp {
  use: string;
  short: string;
  long: string;
  example: string;
  aliases: string[];
  usage: string;
  runnable: boolean;
  /** Usage of each own flag. */
  flags: Record<string, string>;
  hiddenFlags?: string[];
  deprecated?: string;
}

export const HELP: Record<string, CommandHelp> = {
  '': {
    use: 'kubectl',
    short: 'kubectl controls the Kubernetes cluster manager',
    long: 'kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/',
    example: '',
    aliases: [],
    usage: 'kubectl',
    runnable: true,
    flags: {
      as: 'Username to impersonate for the operation. User could be a regular user or a service account in a namespace.',
      'as-group': 'Group to impersonate for the operation, this flag can be repeated to specify multiple groups.',
      'as-uid': 'UID to impersonate for the operation.',
      'as-user-extra':
        'User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same key.',
      'cache-dir': 'Default cache directory',
      'certificate-authority': 'Path to a cert file for the certificate authority',
      'client-certificate': 'Path to a client certificate file for TLS',
      'client-key': 'Path to a client key file for TLS',
      cluster: 'The name of the kubeconfig cluster to use',
      context: 'The name of the kubeconfig context to use',
      'disable-compression': 'If true, opt-out of response compression for all requests to the server',
      'insecure-skip-tls-verify':
        "If true, the server's certificate will not be checked for validity. This will make your HTTPS connections insecure",
      kubeconfig: 'Path to the kubeconfig file to use for CLI requests.',
      kuberc:
        'Path to the kuberc file to use for preferences. This can be disabled by exporting KUBECTL_KUBERC=false feature gate or turning off the feature KUBERC=off.',
      'match-server-version': 'Require server version to match client version',
      namespace: 'If present, the namespace scope for this CLI request',
      password: 'Password for basic authentication to the API server',
      profile: 'Name of profile to capture. One of (none|cpu|heap|goroutine|threadcreate|block|mutex|trace)',
      'profile-output': 'Name of the file to write the profile to',
      'request-timeout':
        "The length of time to wait before giving up on a single server request. Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests.",
      server: 'The address and port of the Kubernetes API server',
      'tls-server-name':
        'Server name to use for server certificate validation. If it is not provided, the hostname used to contact the server is used',
      token: 'Bearer token for authentication to the API server',
      user: 'The name of the kubeconfig user to use',
      username: 'Username for basic authentication to the API server',
      'warnings-as-errors': 'Treat warnings received from the server as errors and exit with a non-zero exit code',
    },
  },
  alpha: {
    use: 'alpha',
    short: 'Commands for features in alpha',
    long: 'These commands correspond to alpha features that are not enabled in Kubernetes clusters by default.',
    example: '',
    aliases: [],
    usage: 'kubectl alpha',
    runnable: false,
    flags: {},
  },
  annotate: {
    use: 'annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
    short: 'Update the annotations on a resource',
    long: 'Update the annotations on one or more resources.\n\n All Kubernetes objects support the ability to store additional data with the object as annotations. Annotations are key/value pairs that can be larger than labels and include arbitrary string values such as structured JSON. Tools and system extensions may use annotations to store their own data.\n\n Attempting to set an annotation that already exists will fail unless --overwrite is set. If --resource-version is specified and does not match the current resource version on the server the command will fail.\n\nUse "kubectl api-resources" for a complete list of supported resources.',
    example:
      "  # Update pod 'foo' with the annotation 'description' and the value 'my frontend'\n  # If the same annotation is set multiple times, only the last value will be applied\n  kubectl annotate pods foo description='my frontend'\n  \n  # Update a pod identified by type and name in \"pod.json\"\n  kubectl annotate -f pod.json description='my frontend'\n  \n  # Update pod 'foo' with the annotation 'description' and the value 'my frontend running nginx', overwriting any existing value\n  kubectl annotate --overwrite pods foo description='my frontend running nginx'\n  \n  # Update all pods in the namespace\n  kubectl annotate pods --all description='my frontend running nginx'\n  \n  # Update pod 'foo' only if the resource is unchanged from version 1\n  kubectl annotate pods foo description='my frontend running nginx' --resource-version=1\n  \n  # Update pod 'foo' by removing an annotation named 'description' if it exists\n  # Does not require the --overwrite flag\n  kubectl annotate pods foo description-",
    aliases: [],
    usage: 'kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types.',
      'all-namespaces': 'If true, check the specified action in all namespaces.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      filename: 'Filename, directory, or URL to files identifying the resource to update the annotation',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      list: 'If true, display the annotations for a given resource.',
      local: 'If true, annotation will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      overwrite: 'If true, allow annotations to be overwritten, otherwise reject annotation updates that overwrite existing annotations.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'resource-version':
        'If non-empty, the annotation update will only succeed if this is the current resource-version for the object. Only valid when specifying a single resource.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  'api-resources': {
    use: 'api-resources',
    short: 'Print the supported API resources on the server',
    long: 'Print the supported API resources on the server.',
    example:
      '  # Print the supported API resources\n  kubectl api-resources\n  \n  # Print the supported API resources with more information\n  kubectl api-resources -o wide\n  \n  # Print the supported API resources sorted by a column\n  kubectl api-resources --sort-by=name\n  \n  # Print the supported namespaced resources\n  kubectl api-resources --namespaced=true\n  \n  # Print the supported non-namespaced resources\n  kubectl api-resources --namespaced=false\n  \n  # Print the supported API resources with a specific APIGroup\n  kubectl api-resources --api-group=rbac.authorization.k8s.io',
    aliases: [],
    usage: 'kubectl api-resources [flags]',
    runnable: true,
    flags: {
      'api-group': 'Limit to resources in the specified API group.',
      cached: 'Use the cached list of resources if available.',
      categories: 'Limit to resources that belong to the specified categories.',
      namespaced: 'If false, non-namespaced resources will be returned, otherwise returning namespaced resources by default.',
      'no-headers': "When using the default or custom-column output format, don't print headers (default print headers).",
      output: 'Output format. One of: (json, yaml, kyaml, name, wide).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      'sort-by': "If non-empty, sort list of resources using specified field. The field can be either 'name' or 'kind'.",
      verbs: 'Limit to resources that support the specified verbs.',
    },
  },
  'api-versions': {
    use: 'api-versions',
    short: 'Print the supported API versions on the server, in the form of "group/version"',
    long: 'Print the supported API versions on the server, in the form of "group/version".',
    example: '  # Print the supported API versions\n  kubectl api-versions',
    aliases: [],
    usage: 'kubectl api-versions',
    runnable: true,
    flags: {},
  },
  apply: {
    use: 'apply (-f FILENAME | -k DIRECTORY)',
    short: 'Apply a configuration to a resource by file name or stdin',
    long: "Apply a configuration to a resource by file name or stdin. The resource name must be specified. This resource will be created if it doesn't exist yet. To use 'apply', always create the resource initially with either 'apply' or 'create --save-config'.\n\n JSON and YAML formats are accepted.\n\n Alpha Disclaimer: the --prune functionality is not yet complete. Do not use unless you are aware of what the current state is. See https://issues.k8s.io/34274.",
    example:
      "  # Apply the configuration in pod.json to a pod\n  kubectl apply -f ./pod.json\n  \n  # Apply resources from a directory containing kustomization.yaml - e.g. dir/kustomization.yaml\n  kubectl apply -k dir/\n  \n  # Apply the JSON passed into stdin to a pod\n  cat pod.json | kubectl apply -f -\n  \n  # Apply the configuration from all files that end with '.json'\n  kubectl apply -f '*.json'\n  \n  # Note: --prune is still in Alpha\n  # Apply the configuration in manifest.yaml that matches label app=nginx and delete all other resources that are not in the file and match label app=nginx\n  kubectl apply --prune -f manifest.yaml -l app=nginx\n  \n  # Apply the configuration in manifest.yaml and delete all the other config maps that are not in the file\n  kubectl apply --prune -f manifest.yaml --all --prune-allowlist=core/v1/ConfigMap",
    aliases: [],
    usage: 'kubectl apply (-f FILENAME | -k DIRECTORY)',
    runnable: true,
    flags: {
      all: 'Select all resources in the namespace of the specified resource types.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      applyset:
        '[alpha] The name of the ApplySet that tracks which resources are being managed, for the purposes of determining what to prune. Live resources that are part of the ApplySet but have been removed from the provided configs will be deleted. Format: [RESOURCE][.GROUP]/NAME. A Secret will be used if no resource or group is specified.',
      cascade:
        'Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents (e.g. Pods created by a ReplicationController). Defaults to background.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'The files that contain the configurations to apply.',
      force:
        'If true, immediately remove resources from API and bypass graceful deletion. Note that immediate deletion of some resources may result in inconsistency or data loss and requires confirmation.',
      'force-conflicts': 'If true, server-side apply will force the changes against conflicts.',
      'grace-period':
        'Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true (force deletion).',
      kustomize: "Process a kustomization directory. This flag can't be used together with -f or -R.",
      'openapi-patch':
        'If true, use openapi to calculate diff when the openapi presents and the resource can be found in the openapi spec. Otherwise, fall back to use baked-in types.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      overwrite:
        'Automatically resolve conflicts between the modified and live configuration by using values from the modified configuration',
      prune:
        'Automatically delete resource objects, that do not appear in the configs and are created by either apply or create --save-config. Should be used with either -l or --all.',
      'prune-allowlist': 'Overwrite the default allowlist with <group/version/kind> for --prune',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'server-side': 'If true, apply runs in the server instead of the client.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      subresource: 'If specified, apply will operate on the subresource of the requested object.  Only allowed when using --server-side.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      timeout: 'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      wait: 'If true, wait for resources to be gone before returning. This waits for finalizers.',
    },
    hiddenFlags: ['record'],
  },
  'apply edit-last-applied': {
    use: 'edit-last-applied (RESOURCE/NAME | -f FILENAME)',
    short: 'Edit latest last-applied-configuration annotations of a resource/object',
    long: "Edit the latest last-applied-configuration annotations of resources from the default editor.\n\n The edit-last-applied command allows you to directly edit any API resource you can retrieve via the command-line tools. It will open the editor defined by your KUBE_EDITOR, or EDITOR environment variables, or fall back to 'vi' for Linux or 'notepad' for Windows. You can edit multiple objects, although changes are applied one at a time. The command accepts file names as well as command-line arguments, although the files you point to must be previously saved versions of resources.\n\n The default format is YAML. To edit in JSON, specify \"-o json\".\n\n The flag --windows-line-endings can be used to force Windows line endings, otherwise the default for your operating system will be used.\n\n In the event an error occurs while updating, a temporary file will be created on disk that contains your unapplied changes. The most common error when updating a resource is another editor changing the resource on the server. When this occurs, you will have to apply your changes to the newer version of the resource, or update your temporary saved copy to include the latest resource version.",
    example:
      '  # Edit the last-applied-configuration annotations by type/name in YAML\n  kubectl apply edit-last-applied deployment/nginx\n  \n  # Edit the last-applied-configuration annotations by file in JSON\n  kubectl apply edit-last-applied -f deploy.yaml -o json',
    aliases: [],
    usage: 'kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME)',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files to use to edit the resource',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      'windows-line-endings': 'Defaults to the line ending native to your platform.',
    },
    hiddenFlags: ['record'],
  },
  'apply set-last-applied': {
    use: 'set-last-applied -f FILENAME',
    short: 'Set the last-applied-configuration annotation on a live object to match the contents of a file',
    long: "Set the latest last-applied-configuration annotations by setting it to match the contents of a file. This results in the last-applied-configuration being updated as though 'kubectl apply -f<file> ' was run, without updating any other parts of the object.",
    example:
      '  # Set the last-applied-configuration of a resource to match the contents of a file\n  kubectl apply set-last-applied -f deploy.yaml\n  \n  # Execute set-last-applied against each configuration file in a directory\n  kubectl apply set-last-applied -f path/\n  \n  # Set the last-applied-configuration of a resource to match the contents of a file; will create the annotation if it does not already exist\n  kubectl apply set-last-applied -f deploy.yaml --create-annotation=true',
    aliases: [],
    usage: 'kubectl apply set-last-applied -f FILENAME',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'create-annotation': "Will create 'last-applied-configuration' annotations if current objects doesn't have one",
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      filename: 'Filename, directory, or URL to files that contains the last-applied-configuration annotations',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'apply view-last-applied': {
    use: 'view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)',
    short: 'View the latest last-applied-configuration annotations of a resource/object',
    long: 'View the latest last-applied-configuration annotations by type/name or file.\n\n The default output will be printed to stdout in YAML format. You can use the -o option to change the output format.',
    example:
      '  # View the last-applied-configuration annotations by type/name in YAML\n  kubectl apply view-last-applied deployment/nginx\n  \n  # View the last-applied-configuration annotations by file in JSON\n  kubectl apply view-last-applied -f deploy.yaml -o json',
    aliases: [],
    usage: 'kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)',
    runnable: true,
    flags: {
      all: 'Select all resources in the namespace of the specified resource types',
      filename: 'Filename, directory, or URL to files that contains the last-applied-configuration annotations',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output: 'Output format. Must be one of (yaml, json)',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    },
  },
  attach: {
    use: 'attach (POD | TYPE/NAME) -c CONTAINER',
    short: 'Attach to a running container',
    long: 'Attach to a process that is already running inside an existing container.',
    example:
      "  # Get output from running pod mypod; use the 'kubectl.kubernetes.io/default-container' annotation\n  # for selecting the container to be attached or the first container in the pod will be chosen\n  kubectl attach mypod\n  \n  # Get output from ruby-container from pod mypod\n  kubectl attach mypod -c ruby-container\n  \n  # Switch to raw terminal mode; sends stdin to 'bash' in ruby-container from pod mypod\n  # and sends stdout/stderr from 'bash' back to the client\n  kubectl attach mypod -c ruby-container -i -t\n  \n  # Get output from the first pod of a replica set named nginx\n  kubectl attach rs/nginx",
    aliases: [],
    usage: 'kubectl attach (POD | TYPE/NAME) -c CONTAINER',
    runnable: true,
    flags: {
      container:
        'Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen',
      'detach-keys': 'Override the key sequence for detaching a container',
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
      quiet: 'Only print output from the remote session',
      stdin: 'Pass stdin to the container',
      tty: 'Stdin is a TTY',
    },
  },
  auth: {
    use: 'auth',
    short: 'Inspect authorization',
    long: 'Inspect authorization.',
    example: '',
    aliases: [],
    usage: 'kubectl auth',
    runnable: true,
    flags: {},
  },
  'auth can-i': {
    use: 'can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
    short: 'Check whether an action is allowed',
    long: "Check whether an action is allowed.\n\n VERB is a logical Kubernetes API verb like 'get', 'list', 'watch', 'delete', etc. TYPE is a Kubernetes resource. Shortcuts and groups will be resolved. NONRESOURCEURL is a partial URL that starts with \"/\". NAME is the name of a particular Kubernetes resource. This command pairs nicely with impersonation. See --as global flag.",
    example:
      '  # Check to see if I can create pods in any namespace\n  kubectl auth can-i create pods --all-namespaces\n  \n  # Check to see if I can list deployments in my current namespace\n  kubectl auth can-i list deployments.apps\n  \n  # Check to see if service account "foo" of namespace "dev" can list pods in the namespace "prod"\n  # You must be allowed to use impersonation for the global option "--as"\n  kubectl auth can-i list pods --as=system:serviceaccount:dev:foo -n prod\n  \n  # Check to see if I can do everything in my current namespace ("*" means all)\n  kubectl auth can-i \'*\' \'*\'\n  \n  # Check to see if I can get the job named "bar" in namespace "foo"\n  kubectl auth can-i list jobs.batch/bar -n foo\n  \n  # Check to see if I can read pod logs\n  kubectl auth can-i get pods --subresource=log\n  \n  # Check to see if I can access the URL /logs/\n  kubectl auth can-i get /logs/\n  \n  # Check to see if I can approve certificates.k8s.io\n  kubectl auth can-i approve certificates.k8s.io\n  \n  # List all allowed actions in namespace "foo"\n  kubectl auth can-i --list --namespace=foo',
    aliases: [],
    usage: 'kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
    runnable: true,
    flags: {
      'all-namespaces': 'If true, check the specified action in all namespaces.',
      list: 'If true, prints all allowed actions.',
      'no-headers': 'If true, prints allowed actions without headers',
      quiet: 'If true, suppress output and just return the exit code.',
      subresource: 'SubResource such as pod/log or deployment/scale',
    },
  },
  'auth reconcile': {
    use: 'reconcile -f FILENAME',
    short: 'Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects',
    long: "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects.\n\n Missing objects are created, and the containing namespace is created for namespaced objects, if required.\n\n Existing roles are updated to include the permissions in the input objects, and remove extra permissions if --remove-extra-permissions is specified.\n\n Existing bindings are updated to include the subjects in the input objects, and remove extra subjects if --remove-extra-subjects is specified.\n\n This is preferred to 'apply' for RBAC resources so that semantically-aware merging of rules and subjects is done.",
    example: '  # Reconcile RBAC resources from a file\n  kubectl auth reconcile -f my-rbac-rules.yaml',
    aliases: [],
    usage: 'kubectl auth reconcile -f FILENAME',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      filename: 'Filename, directory, or URL to files identifying the resource to reconcile.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'remove-extra-permissions': 'If true, removes extra permissions added to roles',
      'remove-extra-subjects': 'If true, removes extra subjects added to rolebindings',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'auth whoami': {
    use: 'whoami',
    short: 'Experimental: Check self subject attributes',
    long: 'Experimental: Check who you are and your attributes (groups, extra).\n\n        This command is helpful to get yourself aware of the current user attributes,\n        especially when dynamic authentication, e.g., token webhook, auth proxy, or OIDC provider,\n        is enabled in the Kubernetes cluster.',
    example:
      '  # Get your subject attributes\n  kubectl auth whoami\n  \n  # Get your subject attributes in JSON format\n  kubectl auth whoami -o json',
    aliases: [],
    usage: 'kubectl auth whoami',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  autoscale: {
    use: 'autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]',
    short: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
    long: 'Creates an autoscaler that automatically chooses and sets the number of pods that run in a Kubernetes cluster. The command will attempt to use the autoscaling/v2 API first, in case of an error, it will fall back to autoscaling/v1 API.\n\n Looks up a deployment, replica set, stateful set, or replication controller by name and creates an autoscaler that uses the given resource as a reference. An autoscaler can automatically increase or decrease number of pods deployed within the system as needed.',
    example:
      '  # Auto scale a deployment "foo", with the number of pods between 2 and 10, no target CPU utilization specified so a default autoscaling policy will be used\n  kubectl autoscale deployment foo --min=2 --max=10\n  \n  # Auto scale a replication controller "foo", with the number of pods between 1 and 5, target CPU utilization at 80%\n  kubectl autoscale rc foo --max=5 --cpu=80%\n  \n  # Auto scale a deployment "bar", with the number of pods between 3 and 6, target average CPU of 500m and memory of 200Mi\n  kubectl autoscale deployment bar --min=3 --max=6 --cpu=500m --memory=200Mi\n  \n  # Auto scale a deployment "bar", with the number of pods between 2 and 8, target CPU utilization 60% and memory utilization 70%\n  kubectl autoscale deployment bar --min=3 --max=6 --cpu=60% --memory=70%',
    aliases: [],
    usage: 'kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      cpu: 'Target CPU utilization over all the pods. When specified as a percentage (e.g."70%" for 70% of requested CPU) it will target average utilization. When specified as quantity (e.g."500m" for 500 milliCPU) it will target average value. Value without units is treated as a quantity with miliCPU being the unit (e.g."500" is "500m").',
      'cpu-percent':
        "The target average CPU utilization (represented as a percent of requested CPU) over all the pods. If it's not specified or negative, a default autoscaling policy will be used.",
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to autoscale.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      max: 'The upper limit for the number of pods that can be set by the autoscaler. Required.',
      memory:
        'Target memory utilization over all the pods. When specified  as a percentage (e.g."60%" for 60% of requested memory) it will target average utilization. When specified as quantity (e.g."200Mi" for 200 MiB, "1Gi" for 1 GiB) it will target average value. Value without units is treated as a quantity with mebibytes being the unit (e.g."200" is "200Mi").',
      min: "The lower limit for the number of pods that can be set by the autoscaler. If it's not specified or negative, the server will apply a default value.",
      name: 'The name for the newly created object. If not specified, the name of the input resource will be used.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['cpu-percent', 'record'],
  },
  certificate: {
    use: 'certificate SUBCOMMAND',
    short: 'Modify certificate resources',
    long: 'Modify certificate resources.',
    example: '',
    aliases: [],
    usage: 'kubectl certificate SUBCOMMAND',
    runnable: true,
    flags: {},
  },
  'certificate approve': {
    use: 'approve (-f FILENAME | NAME)',
    short: 'Approve a certificate signing request',
    long: 'Approve a certificate signing request.\n\n kubectl certificate approve allows a cluster admin to approve a certificate signing request (CSR). This action tells a certificate signing controller to issue a certificate to the requester with the attributes requested in the CSR.\n\n SECURITY NOTICE: Depending on the requested attributes, the issued certificate can potentially grant a requester access to cluster resources or to authenticate as a requested identity. Before approving a CSR, ensure you understand what the signed certificate can do.',
    example: "  # Approve CSR 'csr-sqgzp'\n  kubectl certificate approve csr-sqgzp",
    aliases: [],
    usage: 'kubectl certificate approve (-f FILENAME | NAME)',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      filename: 'Filename, directory, or URL to files identifying the resource to update',
      force: 'Update the CSR even if it is already approved.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'certificate deny': {
    use: 'deny (-f FILENAME | NAME)',
    short: 'Deny a certificate signing request',
    long: 'Deny a certificate signing request.\n\n kubectl certificate deny allows a cluster admin to deny a certificate signing request (CSR). This action tells a certificate signing controller to not to issue a certificate to the requester.',
    example: "  # Deny CSR 'csr-sqgzp'\n  kubectl certificate deny csr-sqgzp",
    aliases: [],
    usage: 'kubectl certificate deny (-f FILENAME | NAME)',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      filename: 'Filename, directory, or URL to files identifying the resource to update',
      force: 'Update the CSR even if it is already denied.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'cluster-info': {
    use: 'cluster-info',
    short: 'Display cluster information',
    long: "Display addresses of the control plane and services with label kubernetes.io/cluster-service=true. To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.",
    example: '  # Print the address of the control plane and cluster services\n  kubectl cluster-info',
    aliases: [],
    usage: 'kubectl cluster-info',
    runnable: true,
    flags: {},
  },
  'cluster-info dump': {
    use: 'dump',
    short: 'Dump relevant information for debugging and diagnosis',
    long: "Dump cluster information out suitable for debugging and diagnosing cluster problems.  By default, dumps everything to stdout. You can optionally specify a directory with --output-directory.  If you specify a directory, Kubernetes will build a set of files in that directory.  By default, only dumps things in the current namespace and 'kube-system' namespace, but you can switch to a different namespace with the --namespaces flag, or specify --all-namespaces to dump all namespaces.\n\n The command also dumps the logs of all of the pods in the cluster; these logs are dumped into different directories based on namespace and pod name.",
    example:
      '  # Dump current cluster state to stdout\n  kubectl cluster-info dump\n  \n  # Dump current cluster state to /path/to/cluster-state\n  kubectl cluster-info dump --output-directory=/path/to/cluster-state\n  \n  # Dump all namespaces to stdout\n  kubectl cluster-info dump --all-namespaces\n  \n  # Dump a set of namespaces to /path/to/cluster-state\n  kubectl cluster-info dump --namespaces default,kube-system --output-directory=/path/to/cluster-state',
    aliases: [],
    usage: 'kubectl cluster-info dump [flags]',
    runnable: true,
    flags: {
      'all-namespaces': 'If true, dump all namespaces.  If true, --namespaces is ignored.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      namespaces: 'A comma separated list of namespaces to dump.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'output-directory':
        "Where to output the files.  If empty or '-' uses stdout, otherwise creates a directory hierarchy in that directory",
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  completion: {
    use: 'completion SHELL',
    short: 'Output shell completion code for the specified shell (bash, zsh, fish, or powershell)',
    long: 'Output shell completion code for the specified shell (bash, zsh, fish, or powershell). The shell code must be evaluated to provide interactive completion of kubectl commands.  This can be done by sourcing it from the .bash_profile.\n\n Detailed instructions on how to do this are available here:\n\n        for macOS:\n        https://kubernetes.io/docs/tasks/tools/install-kubectl-macos/#enable-shell-autocompletion\n        \n        for linux:\n        https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/#enable-shell-autocompletion\n        \n        for windows:\n        https://kubernetes.io/docs/tasks/tools/install-kubectl-windows/#enable-shell-autocompletion\n        \n Note for zsh users: [1] zsh completions are only supported in versions of zsh >= 5.2.',
    example:
      '  # Installing bash completion on macOS using homebrew\n  ## If running Bash 3.2 included with macOS\n  brew install bash-completion\n  ## or, if running Bash 4.1+\n  brew install bash-completion@2\n  ## If kubectl is installed via homebrew, this should start working immediately\n  ## If you\'ve installed via other means, you may need add the completion to your completion directory\n  kubectl completion bash > $(brew --prefix)/etc/bash_completion.d/kubectl\n  \n  \n  # Installing bash completion on Linux\n  ## If bash-completion is not installed on Linux, install the \'bash-completion\' package\n  ## via your distribution\'s package manager.\n  ## Load the kubectl completion code for bash into the current shell\n  source <(kubectl completion bash)\n  ## Write bash completion code to a file and source it from .bash_profile\n  kubectl completion bash > ~/.kube/completion.bash.inc\n  printf "\n  # kubectl shell completion\n  source \'$HOME/.kube/completion.bash.inc\'\n  " >> $HOME/.bash_profile\n  source $HOME/.bash_profile\n  \n  # Load the kubectl completion code for zsh[1] into the current shell\n  source <(kubectl completion zsh)\n  # Set the kubectl completion code for zsh[1] to autoload on startup\n  kubectl completion zsh > "${fpath[1]}/_kubectl"\n  \n  \n  # Load the kubectl completion code for fish[2] into the current shell\n  kubectl completion fish | source\n  # To load completions for each session, execute once:\n  kubectl completion fish > ~/.config/fish/completions/kubectl.fish\n  \n  # Load the kubectl completion code for powershell into the current shell\n  kubectl completion powershell | Out-String | Invoke-Expression\n  # Set kubectl completion code for powershell to run on startup\n  ## Save completion code to a script and execute in the profile\n  kubectl completion powershell > "$HOME\\.kube\\completion.ps1"\n  Add-Content $PROFILE ". \'$HOME\\.kube\\completion.ps1\'"\n  ## Execute completion code in the profile\n  Add-Content $PROFILE "if (Get-Command kubectl -ErrorAction SilentlyContinue) {\n  kubectl completion powershell | Out-String | Invoke-Expression\n  }"\n  ## Add completion code directly to the $PROFILE script\n  kubectl completion powershell >> $PROFILE',
    aliases: [],
    usage: 'kubectl completion SHELL',
    runnable: true,
    flags: {},
  },
  config: {
    use: 'config SUBCOMMAND',
    short: 'Modify kubeconfig files',
    long: 'Modify kubeconfig files using subcommands like "kubectl config set current-context my-context".\n\n The loading order follows these rules:\n\n  1.  If the --kubeconfig flag is set, then only that file is loaded. The flag may only be set once and no merging takes place.\n  2.  If $KUBECONFIG environment variable is set, then it is used as a list of paths (normal path delimiting rules for your system). These paths are merged. When a value is modified, it is modified in the file that defines the stanza. When a value is created, it is created in the first file that exists. If no files in the chain exist, then it creates the last file in the list.\n  3.  Otherwise, ${HOME}/.kube/config is used and no merging takes place.',
    example: '',
    aliases: [],
    usage: 'kubectl config SUBCOMMAND',
    runnable: true,
    flags: { kubeconfig: 'use a particular kubeconfig file' },
  },
  'config current-context': {
    use: 'current-context',
    short: 'Display the current-context',
    long: 'Display the current-context.',
    example: '  # Display the current-context\n  kubectl config current-context',
    aliases: [],
    usage: 'kubectl config current-context',
    runnable: true,
    flags: {},
  },
  'config delete-cluster': {
    use: 'delete-cluster NAME',
    short: 'Delete the specified cluster from the kubeconfig',
    long: 'Delete the specified cluster from the kubeconfig.',
    example: '  # Delete the minikube cluster\n  kubectl config delete-cluster minikube',
    aliases: [],
    usage: 'kubectl config delete-cluster NAME',
    runnable: true,
    flags: {},
  },
  'config delete-context': {
    use: 'delete-context NAME',
    short: 'Delete the specified context from the kubeconfig',
    long: 'Delete the specified context from the kubeconfig.',
    example: '  # Delete the context for the minikube cluster\n  kubectl config delete-context minikube',
    aliases: [],
    usage: 'kubectl config delete-context NAME',
    runnable: true,
    flags: {},
  },
  'config delete-user': {
    use: 'delete-user NAME',
    short: 'Delete the specified user from the kubeconfig',
    long: 'Delete the specified user from the kubeconfig.',
    example: '  # Delete the minikube user\n  kubectl config delete-user minikube',
    aliases: [],
    usage: 'kubectl config delete-user NAME',
    runnable: true,
    flags: {},
  },
  'config get-clusters': {
    use: 'get-clusters',
    short: 'Display clusters defined in the kubeconfig',
    long: 'Display clusters defined in the kubeconfig.',
    example: '  # List the clusters that kubectl knows about\n  kubectl config get-clusters',
    aliases: [],
    usage: 'kubectl config get-clusters',
    runnable: true,
    flags: {},
  },
  'config get-contexts': {
    use: 'get-contexts [(-o|--output=)name)]',
    short: 'Describe one or many contexts',
    long: 'Display one or many contexts from the kubeconfig file.',
    example:
      '  # List all the contexts in your kubeconfig file\n  kubectl config get-contexts\n  \n  # Describe one context in your kubeconfig file\n  kubectl config get-contexts my-context',
    aliases: [],
    usage: 'kubectl config get-contexts [(-o|--output=)name)]',
    runnable: true,
    flags: {
      'no-headers': "When using the default or custom-column output format, don't print headers (default print headers).",
      output: 'Output format. One of: (name).',
    },
  },
  'config get-users': {
    use: 'get-users',
    short: 'Display users defined in the kubeconfig',
    long: 'Display users defined in the kubeconfig.',
    example: '  # List the users that kubectl knows about\n  kubectl config get-users',
    aliases: [],
    usage: 'kubectl config get-users',
    runnable: true,
    flags: {},
  },
  'config rename-context': {
    use: 'rename-context CONTEXT_NAME NEW_NAME',
    short: 'Rename a context from the kubeconfig file',
    long: "Renames a context from the kubeconfig file.\n\n CONTEXT_NAME is the context name that you want to change.\n\n NEW_NAME is the new name you want to set.\n\n Note: If the context being renamed is the 'current-context', this field will also be updated.",
    example: "  # Rename the context 'old-name' to 'new-name' in your kubeconfig file\n  kubectl config rename-context old-name new-name",
    aliases: [],
    usage: 'kubectl config rename-context CONTEXT_NAME NEW_NAME',
    runnable: true,
    flags: {},
  },
  'config set': {
    use: 'set PROPERTY_NAME PROPERTY_VALUE',
    short: 'Set an individual value in a kubeconfig file',
    long: "Set an individual value in a kubeconfig file.\n\n PROPERTY_NAME is a dot delimited name where each token represents either an attribute name or a map key.  Map keys may not contain dots.\n\n PROPERTY_VALUE is the new value you want to set. Binary fields such as 'certificate-authority-data' expect a base64 encoded string unless the --set-raw-bytes flag is used.\n\n Specifying an attribute name that already exists will merge new fields on top of existing values.",
    example:
      '  # Set the server field on the my-cluster cluster to https://1.2.3.4\n  kubectl config set clusters.my-cluster.server https://1.2.3.4\n  \n  # Set the certificate-authority-data field on the my-cluster cluster\n  kubectl config set clusters.my-cluster.certificate-authority-data $(echo "cert_data_here" | base64 -i -)\n  \n  # Set the cluster field in the my-context context to my-cluster\n  kubectl config set contexts.my-context.cluster my-cluster\n  \n  # Set the client-key-data field in the cluster-admin user using --set-raw-bytes option\n  kubectl config set users.cluster-admin.client-key-data cert_data_here --set-raw-bytes=true',
    aliases: [],
    usage: 'kubectl config set PROPERTY_NAME PROPERTY_VALUE',
    runnable: true,
    flags: { 'set-raw-bytes': 'When writing a []byte PROPERTY_VALUE, write the given string directly without base64 decoding.' },
  },
  'config set-cluster': {
    use: 'set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]',
    short: 'Set a cluster entry in kubeconfig',
    long: 'Set a cluster entry in kubeconfig.\n\n Specifying a name that already exists will merge new fields on top of existing values for those fields.',
    example:
      '  # Set only the server field on the e2e cluster entry without touching other values\n  kubectl config set-cluster e2e --server=https://1.2.3.4\n  \n  # Embed certificate authority data for the e2e cluster entry\n  kubectl config set-cluster e2e --embed-certs --certificate-authority=~/.kube/e2e/kubernetes.ca.crt\n  \n  # Disable cert checking for the e2e cluster entry\n  kubectl config set-cluster e2e --insecure-skip-tls-verify=true\n  \n  # Set the custom TLS server name to use for validation for the e2e cluster entry\n  kubectl config set-cluster e2e --tls-server-name=my-cluster-name\n  \n  # Set the proxy URL for the e2e cluster entry\n  kubectl config set-cluster e2e --proxy-url=https://1.2.3.4',
    aliases: [],
    usage:
      'kubectl config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]',
    runnable: true,
    flags: {
      'certificate-authority': 'Path to certificate-authority file for the cluster entry in kubeconfig',
      'embed-certs': 'embed-certs for the cluster entry in kubeconfig',
      'insecure-skip-tls-verify': 'insecure-skip-tls-verify for the cluster entry in kubeconfig',
      'proxy-url': 'proxy-url for the cluster entry in kubeconfig',
      server: 'server for the cluster entry in kubeconfig',
      'tls-server-name': 'tls-server-name for the cluster entry in kubeconfig',
    },
  },
  'config set-context': {
    use: 'set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
    short: 'Set a context entry in kubeconfig',
    long: 'Set a context entry in kubeconfig.\n\n Specifying a name that already exists will merge new fields on top of existing values for those fields.',
    example:
      '  # Set the user field on the gce context entry without touching other values\n  kubectl config set-context gce --user=cluster-admin',
    aliases: [],
    usage: 'kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
    runnable: true,
    flags: {
      cluster: 'cluster for the context entry in kubeconfig',
      current: 'Modify the current context',
      namespace: 'namespace for the context entry in kubeconfig',
      user: 'user for the context entry in kubeconfig',
    },
  },
  'config set-credentials': {
    use: 'set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]',
    short: 'Set a user entry in kubeconfig',
    long: 'Set a user entry in kubeconfig.\n\n Specifying a name that already exists will merge new fields on top of existing values.\n\n        Client-certificate flags:\n        --client-certificate=certfile --client-key=keyfile\n        \n        Bearer token flags:\n        --token=bearer_token\n        \n        Basic auth flags:\n        --username=basic_user --password=basic_password\n        \n Bearer token and basic auth are mutually exclusive.',
    example:
      '  # Set only the "client-key" field on the "cluster-admin"\n  # entry, without touching other values\n  kubectl config set-credentials cluster-admin --client-key=~/.kube/admin.key\n  \n  # Set basic auth for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --username=admin --password=uXFGweU9l35qcif\n  \n  # Embed client certificate data in the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --client-certificate=~/.kube/admin.crt --embed-certs=true\n  \n  # Enable the Google Compute Platform auth provider for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --auth-provider=gcp\n  \n  # Enable the OpenID Connect auth provider for the "cluster-admin" entry with additional arguments\n  kubectl config set-credentials cluster-admin --auth-provider=oidc --auth-provider-arg=client-id=foo --auth-provider-arg=client-secret=bar\n  \n  # Remove the "client-secret" config value for the OpenID Connect auth provider for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --auth-provider=oidc --auth-provider-arg=client-secret-\n  \n  # Enable new exec auth plugin for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --exec-command=/path/to/the/executable --exec-api-version=client.authentication.k8s.io/v1beta1\n  \n  # Enable new exec auth plugin for the "cluster-admin" entry with interactive mode\n  kubectl config set-credentials cluster-admin --exec-command=/path/to/the/executable --exec-api-version=client.authentication.k8s.io/v1beta1 --exec-interactive-mode=Never\n  \n  # Define new exec auth plugin arguments for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --exec-arg=arg1 --exec-arg=arg2\n  \n  # Create or update exec auth plugin environment variables for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --exec-env=key1=val1 --exec-env=key2=val2\n  \n  # Remove exec auth plugin environment variables for the "cluster-admin" entry\n  kubectl config set-credentials cluster-admin --exec-env=var-to-remove-',
    aliases: [],
    usage:
      'kubectl config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]',
    runnable: true,
    flags: {
      'auth-provider': 'Auth provider for the user entry in kubeconfig',
      'auth-provider-arg': "'key=value' arguments for the auth provider",
      'client-certificate': 'Path to client-certificate file for the user entry in kubeconfig',
      'client-key': 'Path to client-key file for the user entry in kubeconfig',
      'embed-certs': 'Embed client cert/key for the user entry in kubeconfig',
      'exec-api-version': 'API version of the exec credential plugin for the user entry in kubeconfig',
      'exec-arg': 'New arguments for the exec credential plugin command for the user entry in kubeconfig',
      'exec-command': 'Command for the exec credential plugin for the user entry in kubeconfig',
      'exec-env': "'key=value' environment values for the exec credential plugin",
      'exec-interactive-mode': 'InteractiveMode of the exec credentials plugin for the user entry in kubeconfig',
      'exec-provide-cluster-info': 'ProvideClusterInfo of the exec credentials plugin for the user entry in kubeconfig',
      password: 'password for the user entry in kubeconfig',
      token: 'token for the user entry in kubeconfig',
      username: 'username for the user entry in kubeconfig',
    },
  },
  'config unset': {
    use: 'unset PROPERTY_NAME',
    short: 'Unset an individual value in a kubeconfig file',
    long: 'Unset an individual value in a kubeconfig file.\n\n PROPERTY_NAME is a dot delimited name where each token represents either an attribute name or a map key.  Map keys may not contain dots.',
    example:
      '  # Unset the current-context\n  kubectl config unset current-context\n  \n  # Unset namespace in foo context\n  kubectl config unset contexts.foo.namespace',
    aliases: [],
    usage: 'kubectl config unset PROPERTY_NAME',
    runnable: true,
    flags: {},
  },
  'config use-context': {
    use: 'use-context CONTEXT_NAME',
    short: 'Set the current-context in a kubeconfig file',
    long: 'Set the current-context in a kubeconfig file.',
    example: '  # Use the context for the minikube cluster\n  kubectl config use-context minikube',
    aliases: ['use'],
    usage: 'kubectl config use-context CONTEXT_NAME',
    runnable: true,
    flags: {},
  },
  'config view': {
    use: 'view',
    short: 'Display merged kubeconfig settings or a specified kubeconfig file',
    long: 'Display merged kubeconfig settings or a specified kubeconfig file.\n\n You can use --output jsonpath={...} to extract specific values using a jsonpath expression.',
    example:
      '  # Show merged kubeconfig settings\n  kubectl config view\n  \n  # Show merged kubeconfig settings, raw certificate data, and exposed secrets\n  kubectl config view --raw\n  \n  # Get the password for the e2e user\n  kubectl config view -o jsonpath=\'{.users[?(@.name == "e2e")].user.password}\'',
    aliases: [],
    usage: 'kubectl config view [flags]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      flatten: 'Flatten the resulting kubeconfig file into self-contained output (useful for creating portable kubeconfig files)',
      merge: 'Merge the full hierarchy of kubeconfig files',
      minify: 'Remove all information not used by current-context from the output',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      raw: 'Display raw byte data and sensitive data',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  cordon: {
    use: 'cordon NODE',
    short: 'Mark node as unschedulable',
    long: 'Mark node as unschedulable.',
    example: '  # Mark node "foo" as unschedulable\n  kubectl cordon foo',
    aliases: [],
    usage: 'kubectl cordon NODE',
    runnable: true,
    flags: {
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    },
  },
  cp: {
    use: 'cp <file-spec-src> <file-spec-dest>',
    short: 'Copy files and directories to and from containers',
    long: 'Copy files and directories to and from containers.',
    example:
      "  # !!!Important Note!!!\n  # Requires that the 'tar' binary is present in your container\n  # image.  If 'tar' is not present, 'kubectl cp' will fail.\n  #\n  # For advanced use cases, such as symlinks, wildcard expansion or\n  # file mode preservation, consider using 'kubectl exec'.\n  \n  # Copy /tmp/foo local file to /tmp/bar in a remote pod in namespace <some-namespace>\n  tar cf - /tmp/foo | kubectl exec -i -n <some-namespace> <some-pod> -- tar xf - -C /tmp/bar\n  \n  # Copy /tmp/foo from a remote pod to /tmp/bar locally\n  kubectl exec -n <some-namespace> <some-pod> -- tar cf - /tmp/foo | tar xf - -C /tmp/bar\n  \n  # Copy /tmp/foo_dir local directory to /tmp/bar_dir in a remote pod in the default namespace\n  kubectl cp /tmp/foo_dir <some-pod>:/tmp/bar_dir\n  \n  # Copy /tmp/foo local file to /tmp/bar in a remote pod in a specific container\n  kubectl cp /tmp/foo <some-pod>:/tmp/bar -c <specific-container>\n  \n  # Copy /tmp/foo local file to /tmp/bar in a remote pod in namespace <some-namespace>\n  kubectl cp /tmp/foo <some-namespace>/<some-pod>:/tmp/bar\n  \n  # Copy /tmp/foo from a remote pod to /tmp/bar locally\n  kubectl cp <some-namespace>/<some-pod>:/tmp/foo /tmp/bar",
    aliases: [],
    usage: 'kubectl cp <file-spec-src> <file-spec-dest>',
    runnable: true,
    flags: {
      container:
        'Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen',
      'no-preserve': "The copied file/directory's ownership and permissions will not be preserved in the container",
      retries:
        'Set number of retries to complete a copy operation from a container. Specify 0 to disable or any negative value for infinite retrying. The default is 0 (no retry).',
    },
  },
  create: {
    use: 'create -f FILENAME',
    short: 'Create a resource from a file or from stdin',
    long: 'Create a resource from a file or from stdin.\n\n JSON and YAML formats are accepted.',
    example:
      '  # Create a pod using the data in pod.json\n  kubectl create -f ./pod.json\n  \n  # Create a pod based on the JSON passed into stdin\n  cat pod.json | kubectl create -f -\n  \n  # Edit the data in registry.yaml in JSON then create the resource using the edited data\n  kubectl create -f registry.yaml --edit -o json',
    aliases: [],
    usage: 'kubectl create -f FILENAME',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      edit: 'Edit the API resource before creating',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files to use to create the resource',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      raw: 'Raw URI to POST to the server.  Uses the transport specified by the kubeconfig file.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      'windows-line-endings': 'Only relevant if --edit=true. Defaults to the line ending native to your platform.',
    },
    hiddenFlags: ['record'],
  },
  'create clusterrole': {
    use: 'clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]',
    short: 'Create a cluster role',
    long: 'Create a cluster role.',
    example:
      '  # Create a cluster role named "pod-reader" that allows user to perform "get", "watch" and "list" on pods\n  kubectl create clusterrole pod-reader --verb=get,list,watch --resource=pods\n  \n  # Create a cluster role named "pod-reader" with ResourceName specified\n  kubectl create clusterrole pod-reader --verb=get --resource=pods --resource-name=readablepod --resource-name=anotherpod\n  \n  # Create a cluster role named "foo" with API Group specified\n  kubectl create clusterrole foo --verb=get,list,watch --resource=rs.apps\n  \n  # Create a cluster role named "foo" with SubResource specified\n  kubectl create clusterrole foo --verb=get,list,watch --resource=pods,pods/status\n  \n  # Create a cluster role name "foo" with NonResourceURL specified\n  kubectl create clusterrole "foo" --verb=get --non-resource-url=/logs/*\n  \n  # Create a cluster role name "monitoring" with AggregationRule specified\n  kubectl create clusterrole monitoring --aggregation-rule="rbac.example.com/aggregate-to-monitoring=true"',
    aliases: [],
    usage:
      'kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'aggregation-rule': 'An aggregation label selector for combining ClusterRoles.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'non-resource-url': 'A partial url that user should have access to.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      resource: 'Resource that the rule applies to',
      'resource-name': 'Resource in the white list that the rule applies to, repeat this flag for multiple items',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      verb: 'Verb that applies to the resources contained in the rule',
    },
  },
  'create clusterrolebinding': {
    use: 'clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    short: 'Create a cluster role binding for a particular cluster role',
    long: 'Create a cluster role binding for a particular cluster role.',
    example:
      '  # Create a cluster role binding for user1, user2, and group1 using the cluster-admin cluster role\n  kubectl create clusterrolebinding cluster-admin --clusterrole=cluster-admin --user=user1 --user=user2 --group=group1',
    aliases: [],
    usage:
      'kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      clusterrole: 'ClusterRole this ClusterRoleBinding should reference',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      group: 'Groups to bind to the clusterrole. The flag can be repeated to add multiple groups.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      serviceaccount:
        'Service accounts to bind to the clusterrole, in the format <namespace>:<name>. The flag can be repeated to add multiple service accounts.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      user: 'Usernames to bind to the clusterrole. The flag can be repeated to add multiple users.',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create configmap': {
    use: 'configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
    short: 'Create a config map from a local file, directory or literal value',
    long: 'Create a config map based on a file, directory, or specified literal value.\n\n A single config map may package one or more key/value pairs.\n\n When creating a config map based on a file, the key will default to the basename of the file, and the value will default to the file content.  If the basename is an invalid key, you may specify an alternate key.\n\n When creating a config map based on a directory, each file whose basename is a valid key in the directory will be packaged into the config map.  Any directory entries except regular files are ignored (e.g. subdirectories, symlinks, devices, pipes, etc).',
    example:
      '  # Create a new config map named my-config based on folder bar\n  kubectl create configmap my-config --from-file=path/to/bar\n  \n  # Create a new config map named my-config with specified keys instead of file basenames on disk\n  kubectl create configmap my-config --from-file=key1=/path/to/bar/file1.txt --from-file=key2=/path/to/bar/file2.txt\n  \n  # Create a new config map named my-config with key1=config1 and key2=config2\n  kubectl create configmap my-config --from-literal=key1=config1 --from-literal=key2=config2\n  \n  # Create a new config map named my-config with key=value pairs from an env file\n  kubectl create configmap my-config --from-env-file=path/to/bar.env',
    aliases: ['cm'],
    usage: 'kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'append-hash': 'Append a hash of the configmap to its name.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'from-env-file': 'Specify the path to a file to read lines of key=val pairs to create a configmap.',
      'from-file':
        'Key file can be specified using its file path, in which case file basename will be used as configmap key, or optionally with a key and file path, in which case the given key will be used.  Specifying a directory will iterate each named file in the directory whose basename is a valid configmap key.',
      'from-literal': 'Specify a key and literal value to insert in configmap (i.e. mykey=somevalue)',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create cronjob': {
    use: "cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
    short: 'Create a cron job with the specified name',
    long: 'Create a cron job with the specified name.',
    example:
      '  # Create a cron job\n  kubectl create cronjob my-job --image=busybox --schedule="*/1 * * * *"\n  \n  # Create a cron job with a command\n  kubectl create cronjob my-job --image=busybox --schedule="*/1 * * * *" -- date',
    aliases: ['cj'],
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      image: 'Image name to run.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      restart: "job's restart policy. supported values: OnFailure, Never",
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      schedule: 'A schedule in the Cron format the job should be run with.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create deployment': {
    use: 'deployment NAME --image=image -- [COMMAND] [args...]',
    short: 'Create a deployment with the specified name',
    long: 'Create a deployment with the specified name.',
    example:
      '  # Create a deployment named my-dep that runs the busybox image\n  kubectl create deployment my-dep --image=busybox\n  \n  # Create a deployment with a command\n  kubectl create deployment my-dep --image=busybox -- date\n  \n  # Create a deployment named my-dep that runs the nginx image with 3 replicas\n  kubectl create deployment my-dep --image=nginx --replicas=3\n  \n  # Create a deployment named my-dep that runs the busybox image and expose port 5701\n  kubectl create deployment my-dep --image=busybox --port=5701\n  \n  # Create a deployment named my-dep that runs multiple containers\n  kubectl create deployment my-dep --image=busybox:latest --image=ubuntu:latest --image=nginx',
    aliases: ['deploy'],
    usage: 'kubectl create deployment NAME --image=image -- [COMMAND] [args...]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      image: 'Image names to run. A deployment can have multiple images set for multi-container pod.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      port: 'The containerPort that this deployment exposes.',
      replicas: 'Number of replicas to create. Default is 1.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create ingress': {
    use: 'ingress NAME --rule=host/path=service:port[,tls[=secret]] ',
    short: 'Create an ingress with the specified name',
    long: 'Create an ingress with the specified name.',
    example:
      '  # Create a single ingress called \'simple\' that directs requests to foo.com/bar to svc\n  # svc1:8080 with a TLS secret "my-cert"\n  kubectl create ingress simple --rule="foo.com/bar=svc1:8080,tls=my-cert"\n  \n  # Create a catch all ingress of "/path" pointing to service svc:port and Ingress Class as "otheringress"\n  kubectl create ingress catch-all --class=otheringress --rule="/path=svc:port"\n  \n  # Create an ingress with two annotations: ingress.annotation1 and ingress.annotations2\n  kubectl create ingress annotated --class=default --rule="foo.com/bar=svc:port" \\\n  --annotation ingress.annotation1=foo \\\n  --annotation ingress.annotation2=bla\n  \n  # Create an ingress with the same host and multiple paths\n  kubectl create ingress multipath --class=default \\\n  --rule="foo.com/=svc:port" \\\n  --rule="foo.com/admin/=svcadmin:portadmin"\n  \n  # Create an ingress with multiple hosts and the pathType as Prefix\n  kubectl create ingress ingress1 --class=default \\\n  --rule="foo.com/path*=svc:8080" \\\n  --rule="bar.com/admin*=svc2:http"\n  \n  # Create an ingress with TLS enabled using the default ingress certificate and different path types\n  kubectl create ingress ingtls --class=default \\\n  --rule="foo.com/=svc:https,tls" \\\n  --rule="foo.com/path/subpath*=othersvc:8080"\n  \n  # Create an ingress with TLS enabled using a specific secret and pathType as Prefix\n  kubectl create ingress ingsecret --class=default \\\n  --rule="foo.com/*=svc:8080,tls=secret1"\n  \n  # Create an ingress with a default backend\n  kubectl create ingress ingdefault --class=default \\\n  --default-backend=defaultsvc:http \\\n  --rule="foo.com/*=svc:8080,tls=secret1"',
    aliases: ['ing'],
    usage: 'kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]] ',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      annotation: 'Annotation to insert in the ingress object, in the format annotation=value',
      class: 'Ingress Class to be used',
      'default-backend': 'Default service for backend, in format of svcname:port',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      rule: "Rule in format host/path=service:port[,tls=secretname]. Paths containing the leading character '*' are considered pathType=Prefix. tls argument is optional.",
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create job': {
    use: 'job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
    short: 'Create a job with the specified name',
    long: 'Create a job with the specified name.',
    example:
      '  # Create a job\n  kubectl create job my-job --image=busybox\n  \n  # Create a job with a command\n  kubectl create job my-job --image=busybox -- date\n  \n  # Create a job from a cron job named "a-cronjob"\n  kubectl create job test-job --from=cronjob/a-cronjob',
    aliases: [],
    usage: 'kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      from: 'The name of the resource to create a Job from (only CronJob is supported).',
      image: 'Image name to run.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create namespace': {
    use: 'namespace NAME [--dry-run=server|client|none]',
    short: 'Create a namespace with the specified name',
    long: 'Create a namespace with the specified name.',
    example: '  # Create a new namespace named my-namespace\n  kubectl create namespace my-namespace',
    aliases: ['ns'],
    usage: 'kubectl create namespace NAME [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create poddisruptionbudget': {
    use: 'poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]',
    short: 'Create a pod disruption budget with the specified name',
    long: 'Create a pod disruption budget with the specified name, selector, and desired minimum available pods.',
    example:
      '  # Create a pod disruption budget named my-pdb that will select all pods with the app=rails label\n  # and require at least one of them being available at any point in time\n  kubectl create poddisruptionbudget my-pdb --selector=app=rails --min-available=1\n  \n  # Create a pod disruption budget named my-pdb that will select all pods with the app=nginx label\n  # and require at least half of the pods selected to be available at any point in time\n  kubectl create pdb my-pdb --selector=app=nginx --min-available=50%',
    aliases: ['pdb'],
    usage: 'kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'max-unavailable': 'The maximum number or percentage of unavailable pods this budget requires.',
      'min-available': 'The minimum number or percentage of available pods this budget requires.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      selector: 'A label selector to use for this budget. Only equality-based selector requirements are supported.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create priorityclass': {
    use: 'priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]',
    short: 'Create a priority class with the specified name',
    long: 'Create a priority class with the specified name, value, globalDefault and description.',
    example:
      '  # Create a priority class named high-priority\n  kubectl create priorityclass high-priority --value=1000 --description="high priority"\n  \n  # Create a priority class named default-priority that is considered as the global default priority\n  kubectl create priorityclass default-priority --value=1000 --global-default=true --description="default priority"\n  \n  # Create a priority class named high-priority that cannot preempt pods with lower priority\n  kubectl create priorityclass high-priority --value=1000 --description="high priority" --preemption-policy="Never"',
    aliases: ['pc'],
    usage: 'kubectl create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      description: 'description is an arbitrary string that usually provides guidelines on when this priority class should be used.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'global-default': 'global-default specifies whether this PriorityClass should be considered as the default priority.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'preemption-policy': 'preemption-policy is the policy for preempting pods with lower priority.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      value: 'the value of this priority class.',
    },
  },
  'create quota': {
    use: 'quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]',
    short: 'Create a quota with the specified name',
    long: 'Create a resource quota with the specified name, hard limits, and optional scopes.',
    example:
      '  # Create a new resource quota named my-quota\n  kubectl create quota my-quota --hard=cpu=1,memory=1G,pods=2,services=3,replicationcontrollers=2,resourcequotas=1,secrets=5,persistentvolumeclaims=10\n  \n  # Create a new resource quota named best-effort\n  kubectl create quota best-effort --hard=pods=100 --scopes=BestEffort',
    aliases: ['resourcequota'],
    usage: 'kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      hard: 'A comma-delimited set of resource=quantity pairs that define a hard limit.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      scopes: 'A comma-delimited set of quota scopes that must all match each object tracked by the quota.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create role': {
    use: 'role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]',
    short: 'Create a role with single rule',
    long: 'Create a role with single rule.',
    example:
      '  # Create a role named "pod-reader" that allows user to perform "get", "watch" and "list" on pods\n  kubectl create role pod-reader --verb=get --verb=list --verb=watch --resource=pods\n  \n  # Create a role named "pod-reader" with ResourceName specified\n  kubectl create role pod-reader --verb=get --resource=pods --resource-name=readablepod --resource-name=anotherpod\n  \n  # Create a role named "foo" with API Group specified\n  kubectl create role foo --verb=get,list,watch --resource=rs.apps\n  \n  # Create a role named "foo" with SubResource specified\n  kubectl create role foo --verb=get,list,watch --resource=pods,pods/status',
    aliases: [],
    usage:
      'kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      resource: 'Resource that the rule applies to',
      'resource-name': 'Resource in the white list that the rule applies to, repeat this flag for multiple items',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      verb: 'Verb that applies to the resources contained in the rule',
    },
  },
  'create rolebinding': {
    use: 'rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    short: 'Create a role binding for a particular role or cluster role',
    long: 'Create a role binding for a particular role or cluster role.',
    example:
      '  # Create a role binding for user1, user2, and group1 using the admin cluster role\n  kubectl create rolebinding admin --clusterrole=admin --user=user1 --user=user2 --group=group1\n  \n  # Create a role binding for service account monitoring:sa-dev using the admin role\n  kubectl create rolebinding admin-binding --role=admin --serviceaccount=monitoring:sa-dev',
    aliases: [],
    usage:
      'kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      clusterrole: 'ClusterRole this RoleBinding should reference',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      group: 'Groups to bind to the role. The flag can be repeated to add multiple groups.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      role: 'Role this RoleBinding should reference',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      serviceaccount:
        'Service accounts to bind to the role, in the format <namespace>:<name>. The flag can be repeated to add multiple service accounts.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      user: 'Usernames to bind to the role. The flag can be repeated to add multiple users.',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create secret': {
    use: 'secret (docker-registry | generic | tls)',
    short: 'Create a secret using a specified subcommand',
    long: 'Create a secret with specified type.\n\n A docker-registry type secret is for accessing a container registry.\n\n A generic type secret indicate an Opaque secret type.\n\n A tls type secret holds TLS certificate and its associated key.',
    example: '',
    aliases: [],
    usage: 'kubectl create secret (docker-registry | generic | tls)',
    runnable: true,
    flags: {},
  },
  'create secret docker-registry': {
    use: 'docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]',
    short: 'Create a secret for use with a Docker registry',
    long: "Create a new secret for use with Docker registries.\n        \n        Dockercfg secrets are used to authenticate against Docker registries.\n        \n        When using the Docker command line to push images, you can authenticate to a given registry by running:\n        '$ docker login DOCKER_REGISTRY_SERVER --username=DOCKER_USER --password=DOCKER_PASSWORD --email=DOCKER_EMAIL'.\n        \n That produces a ~/.dockercfg file that is used by subsequent 'docker push' and 'docker pull' commands to authenticate to the registry. The email address is optional.\n\n        When creating applications, you may have a Docker registry that requires authentication.  In order for the\n        nodes to pull images on your behalf, they must have the credentials.  You can provide this information\n        by creating a dockercfg secret and attaching it to your service account.",
    example:
      '  # If you do not already have a .dockercfg file, create a dockercfg secret directly\n  kubectl create secret docker-registry my-secret --docker-server=DOCKER_REGISTRY_SERVER --docker-username=DOCKER_USER --docker-password=DOCKER_PASSWORD --docker-email=DOCKER_EMAIL\n  \n  # Create a new secret named my-secret from ~/.docker/config.json\n  kubectl create secret docker-registry my-secret --from-file=path/to/.docker/config.json',
    aliases: [],
    usage:
      'kubectl create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'append-hash': 'Append a hash of the secret to its name.',
      'docker-email': 'Email for Docker registry',
      'docker-password': 'Password for Docker registry authentication',
      'docker-server': 'Server location for Docker registry',
      'docker-username': 'Username for Docker registry authentication',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'from-file':
        'Key files can be specified using their file path, in which case a default name of .dockerconfigjson will be given to them, or optionally with a name and file path, in which case the given name will be used. Specifying a directory will iterate each named file in the directory that is a valid secret key. For this command, the key should always be .dockerconfigjson.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create secret generic': {
    use: 'generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
    short: 'Create a secret from a local file, directory, or literal value',
    long: 'Create a secret based on a file, directory, or specified literal value.\n\n A single secret may package one or more key/value pairs.\n\n When creating a secret based on a file, the key will default to the basename of the file, and the value will default to the file content. If the basename is an invalid key or you wish to chose your own, you may specify an alternate key.\n\n When creating a secret based on a directory, each file whose basename is a valid key in the directory will be packaged into the secret. Any directory entries except regular files are ignored (e.g. subdirectories, symlinks, devices, pipes, etc).',
    example:
      '  # Create a new secret named my-secret with keys for each file in folder bar\n  kubectl create secret generic my-secret --from-file=path/to/bar\n  \n  # Create a new secret named my-secret with specified keys instead of names on disk\n  kubectl create secret generic my-secret --from-file=ssh-privatekey=path/to/id_rsa --from-file=ssh-publickey=path/to/id_rsa.pub\n  \n  # Create a new secret named my-secret with key1=supersecret and key2=topsecret\n  kubectl create secret generic my-secret --from-literal=key1=supersecret --from-literal=key2=topsecret\n  \n  # Create a new secret named my-secret using a combination of a file and a literal\n  kubectl create secret generic my-secret --from-file=ssh-privatekey=path/to/id_rsa --from-literal=passphrase=topsecret\n  \n  # Create a new secret named my-secret from env files\n  kubectl create secret generic my-secret --from-env-file=path/to/foo.env --from-env-file=path/to/bar.env',
    aliases: [],
    usage:
      'kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'append-hash': 'Append a hash of the secret to its name.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'from-env-file': 'Specify the path to a file to read lines of key=val pairs to create a secret.',
      'from-file':
        'Key files can be specified using their file path, in which case a default name will be given to them, or optionally with a name and file path, in which case the given name will be used.  Specifying a directory will iterate each named file in the directory that is a valid secret key.',
      'from-literal': 'Specify a key and literal value to insert in secret (i.e. mykey=somevalue)',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      type: 'The type of secret to create',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create secret tls': {
    use: 'tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]',
    short: 'Create a TLS secret',
    long: 'Create a TLS secret from the given public/private key pair.\n\n The public/private key pair must exist beforehand. The public key certificate must be .PEM encoded and match the given private key.',
    example:
      '  # Create a new TLS secret named tls-secret with the given key pair\n  kubectl create secret tls tls-secret --cert=path/to/tls.crt --key=path/to/tls.key',
    aliases: [],
    usage: 'kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'append-hash': 'Append a hash of the secret to its name.',
      cert: 'Path to PEM encoded public key certificate.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      key: 'Path to private key associated with given certificate.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create service': {
    use: 'service',
    short: 'Create a service using a specified subcommand',
    long: 'Create a service using a specified subcommand.',
    example: '',
    aliases: ['svc'],
    usage: 'kubectl create service',
    runnable: true,
    flags: {},
  },
  'create service clusterip': {
    use: 'clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]',
    short: 'Create a ClusterIP service',
    long: 'Create a ClusterIP service with the specified name.',
    example:
      '  # Create a new ClusterIP service named my-cs\n  kubectl create service clusterip my-cs --tcp=5678:8080\n  \n  # Create a new ClusterIP service named my-cs (in headless mode)\n  kubectl create service clusterip my-cs --clusterip="None"',
    aliases: [],
    usage: 'kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      clusterip: "Assign your own ClusterIP or set to 'None' for a 'headless' service (no loadbalancing).",
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      tcp: "Port pairs can be specified as '<port>:<targetPort>'.",
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create service externalname': {
    use: 'externalname NAME --external-name external.name [--dry-run=server|client|none]',
    short: 'Create an ExternalName service',
    long: 'Create an ExternalName service with the specified name.\n\n ExternalName service references to an external DNS address instead of only pods, which will allow application authors to reference services that exist off platform, on other clusters, or locally.',
    example: '  # Create a new ExternalName service named my-ns\n  kubectl create service externalname my-ns --external-name bar.com',
    aliases: [],
    usage: 'kubectl create service externalname NAME --external-name external.name [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'external-name': 'External name of service',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      tcp: "Port pairs can be specified as '<port>:<targetPort>'.",
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create service loadbalancer': {
    use: 'loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
    short: 'Create a LoadBalancer service',
    long: 'Create a LoadBalancer service with the specified name.',
    example: '  # Create a new LoadBalancer service named my-lbs\n  kubectl create service loadbalancer my-lbs --tcp=5678:8080',
    aliases: [],
    usage: 'kubectl create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      tcp: "Port pairs can be specified as '<port>:<targetPort>'.",
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create service nodeport': {
    use: 'nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
    short: 'Create a NodePort service',
    long: 'Create a NodePort service with the specified name.',
    example: '  # Create a new NodePort service named my-ns\n  kubectl create service nodeport my-ns --tcp=5678:8080',
    aliases: [],
    usage: 'kubectl create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'node-port': 'Port used to expose the service on each node in a cluster.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      tcp: "Port pairs can be specified as '<port>:<targetPort>'.",
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create serviceaccount': {
    use: 'serviceaccount NAME [--dry-run=server|client|none]',
    short: 'Create a service account with the specified name',
    long: 'Create a service account with the specified name.',
    example: '  # Create a new service account named my-service-account\n  kubectl create serviceaccount my-service-account',
    aliases: ['sa'],
    usage: 'kubectl create serviceaccount NAME [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  'create token': {
    use: 'token SERVICE_ACCOUNT_NAME',
    short: 'Request a service account token',
    long: 'Request a service account token.',
    example:
      '  # Request a token to authenticate to the kube-apiserver as the service account "myapp" in the current namespace\n  kubectl create token myapp\n  \n  # Request a token for a service account in a custom namespace\n  kubectl create token myapp --namespace myns\n  \n  # Request a token with a custom expiration\n  kubectl create token myapp --duration 10m\n  \n  # Request a token with a custom audience\n  kubectl create token myapp --audience https://example.com\n  \n  # Request a token bound to an instance of a Secret object\n  kubectl create token myapp --bound-object-kind Secret --bound-object-name mysecret\n  \n  # Request a token bound to an instance of a Secret object with a specific UID\n  kubectl create token myapp --bound-object-kind Secret --bound-object-name mysecret --bound-object-uid 0d4691ed-659b-4935-a832-355f77ee47cc',
    aliases: [],
    usage: 'kubectl create token SERVICE_ACCOUNT_NAME',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      audience:
        'Audience of the requested token. If unset, defaults to requesting a token for use with the Kubernetes API server. May be repeated to request a token valid for multiple audiences.',
      'bound-object-kind':
        'Kind of an object to bind the token to. Supported kinds are Node, Pod, Secret. If set, --bound-object-name must be provided.',
      'bound-object-name':
        'Name of an object to bind the token to. The token will expire when the object is deleted. Requires --bound-object-kind.',
      'bound-object-uid':
        'UID of an object to bind the token to. Requires --bound-object-kind and --bound-object-name. If unset, the UID of the existing object is used.',
      duration:
        'Requested lifetime of the issued token. If not set or if set to 0, the lifetime will be determined by the server automatically. The server may return a token with a longer or shorter lifetime.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  debug: {
    use: 'debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]',
    short: 'Create debugging sessions for troubleshooting workloads and nodes',
    long: "Debug cluster resources using interactive debugging containers.\n\n 'debug' provides automation for common debugging tasks for cluster objects identified by resource and name. Pods will be used by default if no resource is specified.\n\n The action taken by 'debug' varies depending on what resource is specified. Supported actions include:\n\n  *  Workload: Create a copy of an existing pod with certain attributes changed, for example changing the image tag to a new version.\n  *  Workload: Add an ephemeral container to an already running pod, for example to add debugging utilities without restarting the pod.\n  *  Node: Create a new pod that runs in the node's host namespaces and can access the node's filesystem.\n\n Note: When a non-root user is configured for the entire target Pod, some capabilities granted by debug profile may not work.",
    example:
      "  # Create an interactive debugging session in pod mypod and immediately attach to it.\n  kubectl debug mypod -it --image=busybox\n  \n  # Create an interactive debugging session for the pod in the file pod.yaml and immediately attach to it.\n  # (requires the EphemeralContainers feature to be enabled in the cluster)\n  kubectl debug -f pod.yaml -it --image=busybox\n  \n  # Create a debug container named debugger using a custom automated debugging image.\n  kubectl debug --image=myproj/debug-tools -c debugger mypod\n  \n  # Create a copy of mypod adding a debug container and attach to it\n  kubectl debug mypod -it --image=busybox --copy-to=my-debugger\n  \n  # Create a copy of mypod changing the command of mycontainer\n  kubectl debug mypod -it --copy-to=my-debugger --container=mycontainer -- sh\n  \n  # Create a copy of mypod changing all container images to busybox\n  kubectl debug mypod --copy-to=my-debugger --set-image=*=busybox\n  \n  # Create a copy of mypod adding a debug container and changing container images\n  kubectl debug mypod -it --copy-to=my-debugger --image=debian --set-image=app=app:debug,sidecar=sidecar:debug\n  \n  # Create an interactive debugging session on a node and immediately attach to it.\n  # The container will run in the host namespaces and the host's filesystem will be mounted at /host\n  kubectl debug node/mynode -it --image=busybox",
    aliases: [],
    usage: 'kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]',
    runnable: true,
    flags: {
      'arguments-only': 'If specified, everything after -- will be passed to the new container as Args instead of Command.',
      attach:
        "If true, wait for the container to start running, and then attach as if 'kubectl attach ...' were called.  Default false, unless '-i/--stdin' is set, in which case the default is true.",
      container: 'Container name to use for debug container.',
      'copy-to': 'Create a copy of the target Pod with this name.',
      custom: 'Path to a JSON or YAML file containing a partial container spec to customize built-in debug profiles.',
      env: 'Environment variables to set in the container.',
      filename: 'identifying the resource to debug',
      image: 'Container image to use for debug container.',
      'image-pull-policy':
        'The image pull policy for the container. If left empty, this value will not be specified by the client and defaulted by the server.',
      'keep-annotations': "If true, keep the original pod annotations.(This flag only works when used with '--copy-to')",
      'keep-init-containers': "Run the init containers for the pod. Defaults to true.(This flag only works when used with '--copy-to')",
      'keep-labels': "If true, keep the original pod labels.(This flag only works when used with '--copy-to')",
      'keep-liveness': "If true, keep the original pod liveness probes.(This flag only works when used with '--copy-to')",
      'keep-readiness': "If true, keep the original pod readiness probes.(This flag only works when used with '--copy-to')",
      'keep-startup': "If true, keep the original startup probes.(This flag only works when used with '--copy-to')",
      profile: 'Options are "general", "baseline", "restricted", "netadmin" or "sysadmin". Defaults to "general"',
      quiet: 'If true, suppress informational messages.',
      replace: "When used with '--copy-to', delete the original Pod.",
      'same-node': "When used with '--copy-to', schedule the copy of target Pod on the same node.",
      'set-image':
        "When used with '--copy-to', a list of name=image pairs for changing container images, similar to how 'kubectl set image' works.",
      'share-processes': "When used with '--copy-to', enable process namespace sharing in the copy.",
      stdin: 'Keep stdin open on the container(s) in the pod, even if nothing is attached.',
      target: 'When using an ephemeral container, target processes in this container name.',
      tty: 'Allocate a TTY for the debugging container.',
    },
  },
  delete: {
    use: 'delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])',
    short: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
    long: 'Delete resources by file names, stdin, resources and names, or by resources and label selector.\n\n JSON and YAML formats are accepted. Only one type of argument may be specified: file names, resources and names, or resources and label selector.\n\n Some resources, such as pods, support graceful deletion. These resources define a default period before they are forcibly terminated (the grace period) but you may override that value with the --grace-period flag, or pass --now to set a grace-period of 1. Because these resources often represent entities in the cluster, deletion may not be acknowledged immediately. If the node hosting a pod is down or cannot reach the API server, termination may take significantly longer than the grace period. To force delete a resource, you must specify the --force flag. Note: only a subset of resources support graceful deletion. In absence of the support, the --grace-period flag is ignored.\n\n IMPORTANT: Force deleting pods does not wait for confirmation that the pod\'s processes have been terminated, which can leave those processes running until the node detects the deletion and completes graceful deletion. If your processes use shared storage or talk to a remote API and depend on the name of the pod to identify themselves, force deleting those pods may result in multiple processes running on different machines using the same identification which may lead to data corruption or inconsistency. Only force delete pods when you are sure the pod is terminated, or if your application can tolerate multiple copies of the same pod running at once. Also, if you force delete pods, the scheduler may place new pods on those nodes before the node has released those resources and causing those pods to be evicted immediately.\n\n Note that the delete command does NOT do resource version checks, so if someone submits an update to a resource right when you submit a delete, their update will be lost along with the rest of the resource.\n\n After a CustomResourceDefinition is deleted, invalidation of discovery cache may take up to 6 hours. If you don\'t want to wait, you might want to run "kubectl api-resources" to refresh the discovery cache.',
    example:
      '  # Delete a pod using the type and name specified in pod.json\n  kubectl delete -f ./pod.json\n  \n  # Delete resources from a directory containing kustomization.yaml - e.g. dir/kustomization.yaml\n  kubectl delete -k dir\n  \n  # Delete resources from all files that end with \'.json\'\n  kubectl delete -f \'*.json\'\n  \n  # Delete a pod based on the type and name in the JSON passed into stdin\n  cat pod.json | kubectl delete -f -\n  \n  # Delete pods and services with same names "baz" and "foo"\n  kubectl delete pod,service baz foo\n  \n  # Delete pods and services with label name=myLabel\n  kubectl delete pods,services -l name=myLabel\n  \n  # Delete a pod with minimal delay\n  kubectl delete pod foo --now\n  \n  # Force delete a pod on a dead node\n  kubectl delete pod foo --force\n  \n  # Delete all pods\n  kubectl delete pods --all\n  \n  # Delete all pods only if the user confirms the deletion\n  kubectl delete pods --all --interactive',
    aliases: [],
    usage: 'kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])',
    runnable: true,
    flags: {
      all: 'Delete all resources, in the namespace of the specified resource types.',
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      cascade:
        'Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents (e.g. Pods created by a ReplicationController). Defaults to background.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      filename: 'containing the resource to delete.',
      force:
        'If true, immediately remove resources from API and bypass graceful deletion. Note that immediate deletion of some resources may result in inconsistency or data loss and requires confirmation.',
      'grace-period':
        'Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true (force deletion).',
      'ignore-not-found': 'Treat "resource not found" as a successful delete. Defaults to "true" when --all is specified.',
      interactive: 'If true, delete resource only when user confirms.',
      kustomize: "Process a kustomization directory. This flag can't be used together with -f or -R.",
      now: 'If true, resources are signaled for immediate shutdown (same as --grace-period=1).',
      output: 'Output mode. Use "-o name" for shorter output (resource/name).',
      raw: 'Raw URI to DELETE to the server.  Uses the transport specified by the kubeconfig file.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      timeout: 'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
      wait: 'If true, wait for resources to be gone before returning. This waits for finalizers.',
    },
  },
  describe: {
    use: 'describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
    short: 'Show details of a specific resource or group of resources',
    long: 'Show details of a specific resource or group of resources.\n\n Print a detailed description of the selected resources, including related resources such as events or controllers. You may select a single object by name, all objects of that type, provide a name prefix, or label selector. For example:\n\n        $ kubectl describe TYPE NAME_PREFIX\n        \n will first check for an exact match on TYPE and NAME_PREFIX. If no such resource exists, it will output details for every resource that has a name prefixed with NAME_PREFIX.\n\nUse "kubectl api-resources" for a complete list of supported resources.',
    example:
      '  # Describe a node\n  kubectl describe nodes kubernetes-node-emt8.c.myproject.internal\n  \n  # Describe a pod\n  kubectl describe pods/nginx\n  \n  # Describe a pod identified by type and name in "pod.json"\n  kubectl describe -f pod.json\n  \n  # Describe all pods\n  kubectl describe pods\n  \n  # Describe pods by label name=myLabel\n  kubectl describe pods -l name=myLabel\n  \n  # Describe all pods managed by the \'frontend\' replication controller\n  # (rc-created pods get the name of the rc as a prefix in the pod name)\n  kubectl describe pods frontend',
    aliases: [],
    usage: 'kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
    runnable: true,
    flags: {
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      'chunk-size': 'Return large lists in chunks rather than all at once. Pass 0 to disable.',
      filename: 'Filename, directory, or URL to files containing the resource to describe',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-events':
        'If true, display events related to the described object. Defaults to true for a single object, false for multiple objects and prefix matching.',
    },
  },
  diff: {
    use: 'diff -f FILENAME',
    short: 'Diff the live version against a would-be applied version',
    long: 'Diff configurations specified by file name or stdin between the current online configuration, and the configuration as it would be if applied.\n\n The output is always YAML.\n\n KUBECTL_EXTERNAL_DIFF environment variable can be used to select your own diff command. Users can use external commands with params too, example: KUBECTL_EXTERNAL_DIFF="colordiff -N -u"\n\n By default, the "diff" command available in your path will be run with the "-u" (unified diff) and "-N" (treat absent files as empty) options.\n\n Exit status: 0 No differences were found. 1 Differences were found. >1 Kubectl or diff failed with an error.\n\n Note: KUBECTL_EXTERNAL_DIFF, if used, is expected to follow that convention.',
    example:
      '  # Diff resources included in pod.json\n  kubectl diff -f pod.json\n  \n  # Diff file read from stdin\n  cat service.yaml | kubectl diff -f -',
    aliases: [],
    usage: 'kubectl diff -f FILENAME',
    runnable: true,
    flags: {
      concurrency:
        'Number of objects to process in parallel when diffing against the live version. Larger number = faster, but more memory, I/O and CPU over that shorter period of time.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files contains the configuration to diff',
      'force-conflicts': 'If true, server-side apply will force the changes against conflicts.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      prune: 'Include resources that would be deleted by pruning. Can be used with -l and default shows all resources would be pruned',
      'prune-allowlist': 'Overwrite the default allowlist with <group/version/kind> for --prune',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'server-side': 'If true, apply runs in the server instead of the client.',
      'show-managed-fields': 'If true, include managed fields in the diff.',
      'show-secrets': 'If true, do not mask secret values in the diff.',
    },
  },
  drain: {
    use: 'drain NODE',
    short: 'Drain node in preparation for maintenance',
    long: "Drain node in preparation for maintenance.\n\n The given node will be marked unschedulable to prevent new pods from arriving. 'drain' evicts the pods if the API server supports https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ eviction https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ . Otherwise, it will use normal DELETE to delete the pods. The 'drain' evicts or deletes all pods except mirror pods (which cannot be deleted through the API server).  If there are daemon set-managed pods, drain will not proceed without --ignore-daemonsets, and regardless it will not delete any daemon set-managed pods, because those pods would be immediately replaced by the daemon set controller, which ignores unschedulable markings.  If there are any pods that are neither mirror pods nor managed by a replication controller, replica set, daemon set, stateful set, or job, then drain will not delete any pods unless you use --force.  --force will also allow deletion to proceed if the managing resource of one or more pods is missing.\n\n 'drain' waits for graceful termination. You should not operate on the machine until the command completes.\n\n When you are ready to put the node back into service, use kubectl uncordon, which will make the node schedulable again.\n\nhttps://kubernetes.io/images/docs/kubectl_drain.svg Workflowhttps://kubernetes.io/images/docs/kubectl_drain.svg",
    example:
      '  # Drain node "foo", even if there are pods not managed by a replication controller, replica set, job, daemon set, or stateful set on it\n  kubectl drain foo --force\n  \n  # As above, but abort if there are pods not managed by a replication controller, replica set, job, daemon set, or stateful set, and use a grace period of 15 minutes\n  kubectl drain foo --grace-period=900',
    aliases: [],
    usage: 'kubectl drain NODE',
    runnable: true,
    flags: {
      'chunk-size': 'Return large lists in chunks rather than all at once. Pass 0 to disable.',
      'delete-emptydir-data': 'Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).',
      'disable-eviction':
        'Force drain to use delete, even if eviction is supported. This will bypass checking PodDisruptionBudgets, use with caution.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      force: 'Continue even if there are pods that do not declare a controller.',
      'grace-period':
        'Period of time in seconds given to each pod to terminate gracefully. If negative, the default value specified in the pod will be used.',
      'ignore-daemonsets': 'Ignore DaemonSet-managed pods.',
      'pod-selector': 'Label selector to filter pods on the node',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'skip-wait-for-delete-timeout':
        'If pod DeletionTimestamp older than N seconds, skip waiting for the pod.  Seconds must be greater than 0 to skip.',
      timeout: 'The length of time to wait before giving up, zero means infinite',
    },
  },
  edit: {
    use: 'edit (RESOURCE/NAME | -f FILENAME)',
    short: 'Edit a resource on the server',
    long: "Edit a resource from the default editor.\n\n The edit command allows you to directly edit any API resource you can retrieve via the command-line tools. It will open the editor defined by your KUBE_EDITOR, or EDITOR environment variables, or fall back to 'vi' for Linux or 'notepad' for Windows. When attempting to open the editor, it will first attempt to use the shell that has been defined in the 'SHELL' environment variable. If this is not defined, the default shell will be used, which is '/bin/bash' for Linux or 'cmd' for Windows.\n\n You can edit multiple objects, although changes are applied one at a time. The command accepts file names as well as command-line arguments, although the files you point to must be previously saved versions of resources.\n\n Editing is done with the API version used to fetch the resource. To edit using a specific API version, fully-qualify the resource, version, and group.\n\n The default format is YAML. To edit in JSON, specify \"-o json\".\n\n The flag --windows-line-endings can be used to force Windows line endings, otherwise the default for your operating system will be used.\n\n In the event an error occurs while updating, a temporary file will be created on disk that contains your unapplied changes. The most common error when updating a resource is another editor changing the resource on the server. When this occurs, you will have to apply your changes to the newer version of the resource, or update your temporary saved copy to include the latest resource version.",
    example:
      "  # Edit the service named 'registry'\n  kubectl edit svc/registry\n  \n  # Use an alternative editor\n  KUBE_EDITOR=\"nano\" kubectl edit svc/registry\n  \n  # Edit the job 'myjob' in JSON using the v1 API format\n  kubectl edit job.v1.batch/myjob -o json\n  \n  # Edit the deployment 'mydeployment' in YAML and save the modified config in its annotation\n  kubectl edit deployment/mydeployment -o yaml --save-config\n  \n  # Edit the 'status' subresource for the 'mydeployment' deployment\n  kubectl edit deployment mydeployment --subresource='status'",
    aliases: [],
    usage: 'kubectl edit (RESOURCE/NAME | -f FILENAME)',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files to use to edit the resource',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'output-patch': 'Output the patch if the resource is edited.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      subresource: 'If specified, edit will operate on the subresource of the requested object.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      'windows-line-endings': 'Defaults to the line ending native to your platform.',
    },
    hiddenFlags: ['record'],
  },
  events: {
    use: 'events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
    short: 'List events',
    long: 'Display events.\n\n Prints a table of the most important information about events. You can request events for a namespace, for all namespace, or filtered to only those pertaining to a specified resource.',
    example:
      "  # List recent events in the default namespace\n  kubectl events\n  \n  # List recent events in all namespaces\n  kubectl events --all-namespaces\n  \n  # List recent events for the specified pod, then wait for more events and list them as they arrive\n  kubectl events --for pod/web-pod-13je7 --watch\n  \n  # List recent events in YAML format\n  kubectl events -oyaml\n  \n  # List recent only events of type 'Warning' or 'Normal'\n  kubectl events --types=Warning,Normal",
    aliases: [],
    usage:
      'kubectl events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
    runnable: true,
    flags: {
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'chunk-size': 'Return large lists in chunks rather than all at once. Pass 0 to disable.',
      for: 'Filter events to only those pertaining to the specified resource.',
      'no-headers': "When using the default output format, don't print headers.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      types: 'Output only events of given types.',
      watch: 'After listing the requested events, watch for more events.',
    },
  },
  exec: {
    use: 'exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
    short: 'Execute a command in a container',
    long: 'Execute a command in a container.',
    example:
      "  # Get output from running the 'date' command from pod mypod, using the first container by default\n  kubectl exec mypod -- date\n  \n  # Get output from running the 'date' command in ruby-container from pod mypod\n  kubectl exec mypod -c ruby-container -- date\n  \n  # Switch to raw terminal mode; sends stdin to 'bash' in ruby-container from pod mypod\n  # and sends stdout/stderr from 'bash' back to the client\n  kubectl exec mypod -c ruby-container -i -t -- bash -il\n  \n  # List contents of /usr from the first container of pod mypod and sort by modification time\n  # If the command you want to execute in the pod has any flags in common (e.g. -i),\n  # you must use two dashes (--) to separate your command's flags/arguments\n  # Also note, do not surround your command and its flags/arguments with quotes\n  # unless that is how you would execute it normally (i.e., do ls -t /usr, not \"ls -t /usr\")\n  kubectl exec mypod -i -t -- ls -t /usr\n  \n  # Get output from running 'date' command from the first pod of the deployment mydeployment, using the first container by default\n  kubectl exec deploy/mydeployment -- date\n  \n  # Get output from running 'date' command from the first pod of the service myservice, using the first container by default\n  kubectl exec svc/myservice -- date",
    aliases: [],
    usage: 'kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
    runnable: true,
    flags: {
      container:
        'Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen',
      filename: 'to use to exec into the resource',
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
      quiet: 'Only print output from the remote session',
      stdin: 'Pass stdin to the container',
      tty: 'Stdin is a TTY',
    },
  },
  explain: {
    use: 'explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]',
    short: 'Get documentation for a resource',
    long: 'Describe fields and structure of various resources.\n\n This command describes the fields associated with each supported API resource. Fields are identified via a simple JSONPath identifier:\n\n        <type>.<fieldName>[.<fieldName>]\n        \n Information about each field is retrieved from the server in OpenAPI format.\n\nUse "kubectl api-resources" for a complete list of supported resources.',
    example:
      '  # Get the documentation of the resource and its fields\n  kubectl explain pods\n  \n  # Get all the fields in the resource\n  kubectl explain pods --recursive\n  \n  # Get the explanation for deployment in supported api versions\n  kubectl explain deployments --api-version=apps/v1\n  \n  # Get the documentation of a specific field of a resource\n  kubectl explain pods.spec.containers\n  \n  # Get the documentation of resources in different format\n  kubectl explain deployment --output=plaintext-openapiv2',
    aliases: [],
    usage: 'kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]',
    runnable: true,
    flags: {
      'api-version': 'Get different explanations for particular API version (API group/version)',
      output: 'Format in which to render the schema (plaintext, plaintext-openapiv2)',
      recursive: 'Print the fields of fields (Currently only 1 level deep)',
    },
  },
  expose: {
    use: 'expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]',
    short: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
    long: 'Expose a resource as a new Kubernetes service.\n\n Looks up a deployment, service, replica set, replication controller or pod by name and uses the selector for that resource as the selector for a new service on the specified port. A deployment or replica set will be exposed as a service only if its selector is convertible to a selector that service supports, i.e. when the selector contains only the matchLabels component. Note that if no port is specified via --port and the exposed resource has multiple ports, all will be re-used by the new service. Also if no labels are specified, the new service will re-use the labels from the resource it exposes.\n\n Possible resources include (case insensitive):\n\n pod (po), service (svc), replicationcontroller (rc), deployment (deploy), replicaset (rs)',
    example:
      '  # Create a service for a replicated nginx, which serves on port 80 and connects to the containers on port 8000\n  kubectl expose rc nginx --port=80 --target-port=8000\n  \n  # Create a service for a replication controller identified by type and name specified in "nginx-controller.yaml", which serves on port 80 and connects to the containers on port 8000\n  kubectl expose -f nginx-controller.yaml --port=80 --target-port=8000\n  \n  # Create a service for a pod valid-pod, which serves on port 444 with the name "frontend"\n  kubectl expose pod valid-pod --port=444 --name=frontend\n  \n  # Create a second service based on the above service, exposing the container port 8443 as port 443 with the name "nginx-https"\n  kubectl expose service nginx --port=443 --target-port=8443 --name=nginx-https\n  \n  # Create a service for a replicated streaming application on port 4100 balancing UDP traffic and named \'video-stream\'.\n  kubectl expose rc streamer --port=4100 --protocol=UDP --name=video-stream\n  \n  # Create a service for a replicated nginx using replica set, which serves on port 80 and connects to the containers on port 8000\n  kubectl expose rs nginx --port=80 --target-port=8000\n  \n  # Create a service for an nginx deployment, which serves on port 80 and connects to the containers on port 8000\n  kubectl expose deployment nginx --port=80 --target-port=8000',
    aliases: [],
    usage:
      'kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'cluster-ip': "ClusterIP to be assigned to the service. Leave empty to auto-allocate, or set to 'None' to create a headless service.",
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'external-ip':
        'Additional external IP address (not managed by Kubernetes) to accept for the service. If this IP is routed to a node, the service can be accessed by this IP in addition to its generated service IP.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to expose a service',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      labels: 'Labels to apply to the service created by this call.',
      'load-balancer-ip': 'IP to assign to the LoadBalancer. If empty, an ephemeral IP will be created and used (cloud-provider specific).',
      name: 'The name for the newly created object.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'override-type': 'The method used to override the generated object: json, merge, or strategic.',
      overrides:
        'An inline JSON override for the generated object. If this is non-empty, it is used to override the generated object. Requires that the object supply a valid apiVersion field.',
      port: 'The port that the service should serve on. Copied from the resource being exposed, if unspecified',
      protocol: "The network protocol for the service to be created. Default is 'TCP'.",
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      selector:
        'A label selector to use for this service. Only equality-based selector requirements are supported. If empty (the default) infer the selector from the resource being exposed.',
      'session-affinity': "If non-empty, set the session affinity for the service to this; legal values: 'None', 'ClientIP'",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      'target-port': 'Name or number for the port on the container that the service should direct traffic to. Optional.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      type: "Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName. Default is 'ClusterIP'.",
    },
    hiddenFlags: ['record'],
  },
  get: {
    use: 'get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]',
    short: 'Display one or many resources',
    long: "Display one or many resources.\n\n Prints a table of the most important information about the specified resources. You can filter the list using a label selector and the --selector flag. If the desired resource type is namespaced you will only see results in the current namespace if you don't specify any namespace.\n\n By specifying the output as 'template' and providing a Go template as the value of the --template flag, you can filter the attributes of the fetched resources.\n\nUse \"kubectl api-resources\" for a complete list of supported resources.",
    example:
      '  # List all pods in ps output format\n  kubectl get pods\n  \n  # List all pods in ps output format with more information (such as node name)\n  kubectl get pods -o wide\n  \n  # List a single replication controller with specified NAME in ps output format\n  kubectl get replicationcontroller web\n  \n  # List deployments in JSON output format, in the "v1" version of the "apps" API group\n  kubectl get deployments.v1.apps -o json\n  \n  # List a single pod in JSON output format\n  kubectl get -o json pod web-pod-13je7\n  \n  # List a pod identified by type and name specified in "pod.yaml" in JSON output format\n  kubectl get -f pod.yaml -o json\n  \n  # List resources from a directory with kustomization.yaml - e.g. dir/kustomization.yaml\n  kubectl get -k dir/\n  \n  # Return only the phase value of the specified pod\n  kubectl get -o template pod/web-pod-13je7 --template={{.status.phase}}\n  \n  # List resource information in custom columns\n  kubectl get pod test-pod -o custom-columns=CONTAINER:.spec.containers[0].name,IMAGE:.spec.containers[0].image\n  \n  # List all replication controllers and services together in ps output format\n  kubectl get rc,services\n  \n  # List one or more resources by their type and names\n  kubectl get rc/web service/frontend pods/web-pod-13je7\n  \n  # List the \'status\' subresource for a single pod\n  kubectl get pod web-pod-13je7 --subresource status\n  \n  # List all deployments in namespace \'backend\'\n  kubectl get deployments.apps --namespace backend\n  \n  # List all pods existing in all namespaces\n  kubectl get pods --all-namespaces',
    aliases: [],
    usage:
      'kubectl get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]',
    runnable: true,
    flags: {
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'chunk-size': 'Return large lists in chunks rather than all at once. Pass 0 to disable.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      'ignore-not-found':
        'If set to true, suppresses NotFound error for specific objects that do not exist. Using this flag with commands that query for collections of resources has no effect when no resources are found.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      'label-columns':
        'Accepts a comma separated list of labels that are going to be presented as columns. Names are case-sensitive. You can also use multiple flag options like -L label1 -L label2...',
      'no-headers': "When using the default or custom-column output format, don't print headers (default print headers).",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file, custom-columns, custom-columns-file, wide). See custom columns [https://kubernetes.io/docs/reference/kubectl/#custom-columns], golang template [http://golang.org/pkg/text/template/#pkg-overview] and jsonpath template [https://kubernetes.io/docs/reference/kubectl/jsonpath/].',
      'output-watch-events':
        'Output watch event objects when --watch or --watch-only is used. Existing objects are output as initial ADDED events.',
      raw: 'Raw URI to request from the server.  Uses the transport specified by the kubeconfig file.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'server-print': 'If true, have the server return the appropriate table output. Supports extension APIs and CRDs.',
      'show-kind': 'If present, list the resource type for the requested object(s).',
      'show-labels': 'When printing, show all labels as the last column (default hide labels column)',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      'sort-by':
        "If non-empty, sort list types using this field specification.  The field specification is expressed as a JSONPath expression (e.g. '{.metadata.name}'). The field in the API resource specified by this JSONPath expression must be an integer or a string.",
      subresource: 'If specified, gets the subresource of the requested object.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      watch: 'After listing/getting the requested object, watch for changes.',
      'watch-only': 'Watch for changes to the requested object(s), without listing/getting first.',
    },
  },
  kuberc: {
    use: 'kuberc SUBCOMMAND',
    short: 'Manage kuberc configuration files',
    long: 'Manage user preferences (kuberc) file.\n\n The kuberc file allows you to customize your kubectl experience.',
    example:
      '  # View the current kuberc configuration\n  kubectl kuberc view\n  \n  # Set a default value for a command flag\n  kubectl kuberc set --section defaults --command get --option output=wide\n  \n  # Create an alias for a command\n  kubectl kuberc set --section aliases --name getn --command get --prependarg nodes --option output=wide',
    aliases: [],
    usage: 'kubectl kuberc SUBCOMMAND',
    runnable: true,
    flags: {},
  },
  'kuberc set': {
    use: 'set --section (defaults|aliases) --command COMMAND',
    short: 'Set values in the kuberc configuration',
    long: 'Set values in the kuberc configuration file.\n\n Use --section to specify whether to set defaults or aliases.\n\n For defaults: Sets default flag values for kubectl commands. The --command flag should specify only the command (e.g., "get", "create", "set env"), not resources.\n\n For aliases: Creates command aliases with optional default flag values and arguments. Use --prependarg and --appendarg to include resources or other arguments.',
    example:
      "  # Set default output format for 'get' command\n  kubectl kuberc set --section defaults --command get --option output=wide\n  \n  # Set default output format for a subcommand\n  kubectl kuberc set --section defaults --command \"set env\" --option output=yaml\n  \n  # Create an alias 'getn' for 'get' command with prepended 'nodes' resource\n  kubectl kuberc set --section aliases --name getn --command get --prependarg nodes --option output=wide\n  \n  # Create an alias 'runx' for 'run' command with appended arguments\n  kubectl kuberc set --section aliases --name runx --command run --option image=nginx --appendarg \"--\" --appendarg custom-arg1\n  \n  # Overwrite an existing default\n  kubectl kuberc set --section defaults --command get --option output=json --overwrite\n  \n  # Set the credential plugin policy and allowlist\n  kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command=cloud-credential-helper",
    aliases: [],
    usage: 'kubectl kuberc set --section (defaults|aliases) --command COMMAND',
    runnable: true,
    flags: {
      'allowlist-entry': 'Allowlist entry the form field=value (can be specified multiple times)',
      appendarg: 'Argument to append to the command (can be specified multiple times, for aliases only)',
      command: "Command to configure (e.g., 'get', 'create', 'set env')",
      kuberc:
        'Path to the kuberc file to use for preferences. This can be disabled by exporting KUBECTL_KUBERC=false feature gate or turning off the feature KUBERC=off.',
      name: 'Alias name (required for --section=aliases)',
      option: 'Flag option in the form flag=value (can be specified multiple times)',
      overwrite: 'Allow overwriting existing entries',
      policy: "Plugin policy to use for exec credential plugins, must be one of 'AllowAll', 'DenyAll' or 'Allowlist'",
      prependarg: 'Argument to prepend to the command (can be specified multiple times, for aliases only)',
      section: "Section to modify: 'defaults', 'aliases', or 'credentialplugin'",
    },
  },
  'kuberc view': {
    use: 'view',
    short: 'Display the current kuberc configuration',
    long: 'Display the contents of the kuberc file in the specified output format.',
    example:
      '  # View kuberc configuration in YAML format (default)\n  kubectl kuberc view\n  \n  # View kuberc configuration in JSON format\n  kubectl kuberc view --output json\n  \n  # View a specific kuberc file\n  kubectl kuberc view --kuberc /path/to/kuberc',
    aliases: [],
    usage: 'kubectl kuberc view',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      kuberc:
        'Path to the kuberc file to use for preferences. This can be disabled by exporting KUBECTL_KUBERC=false feature gate or turning off the feature KUBERC=off.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  kustomize: {
    use: 'kustomize DIR',
    short: 'Build a kustomization target from a directory or URL',
    long: "Build a set of KRM resources using a 'kustomization.yaml' file. The DIR argument must be a path to a directory containing 'kustomization.yaml', or a git repository URL with a path suffix specifying same with respect to the repository root. If DIR is omitted, '.' is assumed.",
    example:
      '  # Build the current working directory\n  kubectl kustomize\n  \n  # Build some shared configuration directory\n  kubectl kustomize /home/config/production\n  \n  # Build from github\n  kubectl kustomize https://github.com/kubernetes-sigs/kustomize.git/examples/helloWorld?ref=v1.0.6',
    aliases: [],
    usage: 'kubectl kustomize DIR [flags]',
    runnable: true,
    flags: {
      'as-current-user': 'use the uid and gid of the command executor to run the function in the container',
      'enable-alpha-plugins': 'enable kustomize plugins',
      'enable-helm': 'Enable use of the Helm chart inflator generator.',
      'enable-managedby-label': 'enable adding app.kubernetes.io/managed-by',
      env: 'a list of environment variables to be used by functions',
      'helm-api-versions': 'Kubernetes api versions used by Helm for Capabilities.APIVersions',
      'helm-command': 'helm command (path to executable)',
      'helm-debug': 'Enable debug output from the Helm chart inflator generator.',
      'helm-kube-version': 'Kubernetes version used by Helm for Capabilities.KubeVersion',
      'load-restrictor':
        "if set to 'LoadRestrictionsNone', local kustomizations may load files from outside their root. This does, however, break the relocatability of the kustomization.",
      mount: 'a list of storage options read from the filesystem',
      network: 'enable network access for functions that declare it',
      'network-name': 'the docker network to run the container in',
      output: 'If specified, write output to this path.',
      reorder:
        "Reorder the resources just before output. Use 'legacy' to apply a legacy reordering (Namespaces first, Webhooks last, etc). Use 'none' to suppress a final reordering.",
    },
    hiddenFlags: ['enable-managedby-label', 'reorder'],
  },
  label: {
    use: 'label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
    short: 'Update the labels on a resource',
    long: "Update the labels on a resource.\n\n  *  A label key and value must begin with a letter or number, and may contain letters, numbers, hyphens, dots, and underscores, up to 63 characters each.\n  *  Optionally, the key can begin with a DNS subdomain prefix and a single '/', like example.com/my-app.\n  *  If --overwrite is true, then existing labels can be overwritten, otherwise attempting to overwrite a label will result in an error.\n  *  If --resource-version is specified, then updates will use this resource version, otherwise the existing resource-version will be used.",
    example:
      "  # Update pod 'foo' with the label 'unhealthy' and the value 'true'\n  kubectl label pods foo unhealthy=true\n  \n  # Update pod 'foo' with the label 'status' and the value 'unhealthy', overwriting any existing value\n  kubectl label --overwrite pods foo status=unhealthy\n  \n  # Update all pods in the namespace\n  kubectl label pods --all status=unhealthy\n  \n  # Update a pod identified by the type and name in \"pod.json\"\n  kubectl label -f pod.json status=unhealthy\n  \n  # Update pod 'foo' only if the resource is unchanged from version 1\n  kubectl label pods foo status=unhealthy --resource-version=1\n  \n  # Update pod 'foo' by removing a label named 'bar' if it exists\n  # Does not require the --overwrite flag\n  kubectl label pods foo bar-",
    aliases: [],
    usage: 'kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types',
      'all-namespaces': 'If true, check the specified action in all namespaces.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      filename: 'Filename, directory, or URL to files identifying the resource to update the labels',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      list: 'If true, display the labels for a given resource.',
      local: 'If true, label will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      overwrite: 'If true, allow labels to be overwritten, otherwise reject label updates that overwrite existing labels.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'resource-version':
        'If non-empty, the labels update will only succeed if this is the current resource-version for the object. Only valid when specifying a single resource.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  logs: {
    use: 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]',
    short: 'Print the logs for a container in a pod',
    long: 'Print the logs for a container in a pod or specified resource. If the pod has only one container, the container name is optional.',
    example:
      '  # Return snapshot logs from pod nginx with only one container\n  kubectl logs nginx\n  \n  # Return snapshot logs from pod nginx, prefixing each line with the source pod and container name\n  kubectl logs nginx --prefix\n  \n  # Return snapshot logs from pod nginx, limiting output to 500 bytes\n  kubectl logs nginx --limit-bytes=500\n  \n  # Return snapshot logs from pod nginx, waiting up to 20 seconds for it to start running.\n  kubectl logs nginx --pod-running-timeout=20s\n  \n  # Return snapshot logs from pod nginx with multi containers\n  kubectl logs nginx --all-containers=true\n  \n  # Return snapshot logs from all pods in the deployment nginx\n  kubectl logs deployment/nginx --all-pods=true\n  \n  # Return snapshot logs from all containers in pods defined by label app=nginx\n  kubectl logs -l app=nginx --all-containers=true\n  \n  # Return snapshot logs from all pods defined by label app=nginx, limiting concurrent log requests to 10 pods\n  kubectl logs -l app=nginx --max-log-requests=10\n  \n  # Return snapshot of previous terminated ruby container logs from pod web-1\n  kubectl logs -p -c ruby web-1\n  \n  # Begin streaming the logs from pod nginx, continuing even if errors occur\n  kubectl logs nginx -f --ignore-errors=true\n  \n  # Begin streaming the logs of the ruby container in pod web-1\n  kubectl logs -f -c ruby web-1\n  \n  # Begin streaming the logs from all containers in pods defined by label app=nginx\n  kubectl logs -f -l app=nginx --all-containers=true\n  \n  # Display only the most recent 20 lines of output in pod nginx\n  kubectl logs --tail=20 nginx\n  \n  # Show all logs from pod nginx written in the last hour\n  kubectl logs --since=1h nginx\n  \n  # Show all logs with timestamps from pod nginx starting from August 30, 2024, at 06:00:00 UTC\n  kubectl logs nginx --since-time=2024-08-30T06:00:00Z --timestamps=true\n  \n  # Show logs from a kubelet with an expired serving certificate\n  kubectl logs --insecure-skip-tls-verify-backend nginx\n  \n  # Return snapshot logs from first container of a job named hello\n  kubectl logs job/hello\n  \n  # Return snapshot logs from container nginx-1 of a deployment named nginx\n  kubectl logs deployment/nginx -c nginx-1',
    aliases: [],
    usage: 'kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]',
    runnable: true,
    flags: {
      'all-containers': "Get all containers' logs in the pod(s).",
      'all-pods': 'Get logs from all pod(s). Sets prefix to true.',
      container: 'Print the logs of this container',
      follow: 'Specify if the logs should be streamed.',
      'ignore-errors': 'If watching / following pod logs, allow for any errors that occur to be non-fatal',
      'insecure-skip-tls-verify-backend':
        'Skip verifying the identity of the kubelet that logs are requested from.  In theory, an attacker could provide invalid log content back. You might want to use this if your kubelet serving certificates have expired.',
      'limit-bytes': 'Maximum bytes of logs to return. Defaults to no limit.',
      'max-log-requests': 'Specify maximum number of concurrent logs to follow when using by a selector. Defaults to 5.',
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
      prefix: 'Prefix each log line with the log source (pod name and container name)',
      previous: 'If true, print the logs for the previous instance of the container in a pod if it exists.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      since:
        'Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs. Only one of since-time / since may be used.',
      'since-time': 'Only return logs after a specific date (RFC3339). Defaults to all logs. Only one of since-time / since may be used.',
      tail: 'Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10, if a selector is provided.',
      timestamps: 'Include timestamps on each line in the log output',
    },
  },
  options: {
    use: 'options',
    short: 'Print the list of flags inherited by all commands',
    long: 'Print the list of flags inherited by all commands',
    example: '  # Print flags inherited by all commands\n  kubectl options',
    aliases: [],
    usage: 'kubectl options',
    runnable: true,
    flags: {},
  },
  patch: {
    use: 'patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
    short: 'Update fields of a resource',
    long: 'Update fields of a resource using strategic merge patch, a JSON merge patch, or a JSON patch.\n\n JSON and YAML formats are accepted.\n\n Note: Strategic merge patch is not supported for custom resources.',
    example:
      '  # Partially update a node using a strategic merge patch, specifying the patch as JSON\n  kubectl patch node k8s-node-1 -p \'{"spec":{"unschedulable":true}}\'\n  \n  # Partially update a node using a strategic merge patch, specifying the patch as YAML\n  kubectl patch node k8s-node-1 -p $\'spec:\\n unschedulable: true\'\n  \n  # Partially update a node identified by the type and name specified in "node.json" using strategic merge patch\n  kubectl patch -f node.json -p \'{"spec":{"unschedulable":true}}\'\n  \n  # Update a container\'s image; spec.containers[*].name is required because it\'s a merge key\n  kubectl patch pod valid-pod -p \'{"spec":{"containers":[{"name":"kubernetes-serve-hostname","image":"new image"}]}}\'\n  \n  # Update a container\'s image using a JSON patch with positional arrays\n  kubectl patch pod valid-pod --type=\'json\' -p=\'[{"op": "replace", "path": "/spec/containers/0/image", "value":"new image"}]\'\n  \n  # Update a deployment\'s replicas through the \'scale\' subresource using a merge patch\n  kubectl patch deployment nginx-deployment --subresource=\'scale\' --type=\'merge\' -p \'{"spec":{"replicas":2}}\'',
    aliases: [],
    usage: 'kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to update',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      local: 'If true, patch will operate on the content of the file, not the server-side resource.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      patch: 'The patch to be applied to the resource JSON file.',
      'patch-file': 'A file containing a patch to be applied to the resource.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      subresource: 'If specified, patch will operate on the subresource of the requested object.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      type: 'The type of patch being provided; one of [json merge strategic]',
    },
    hiddenFlags: ['record'],
  },
  plugin: {
    use: 'plugin [flags]',
    short: 'Provides utilities for interacting with plugins',
    long: 'Provides utilities for interacting with plugins.\n\n Plugins provide extended functionality that is not part of the major command-line distribution. Please refer to the documentation and examples for more information about how write your own plugins.\n\n The easiest way to discover and install plugins is via the kubernetes sub-project krew: [krew.sigs.k8s.io]. To install krew, visit https://krew.sigs.k8s.io/docs/user-guide/setup/install',
    example:
      '  # List all available plugins\n  kubectl plugin list\n  \n  # List only binary names of available plugins without paths\n  kubectl plugin list --name-only',
    aliases: [],
    usage: 'kubectl plugin [flags]',
    runnable: true,
    flags: {},
  },
  'plugin list': {
    use: 'list',
    short: "List all visible plugin executables on a user's PATH",
    long: 'List all available plugin files on a user\'s PATH. To see plugins binary names without the full path use --name-only flag.\n\n Available plugin files are those that are: - executable - anywhere on the user\'s PATH - begin with "kubectl-"',
    example:
      '  # List all available plugins\n  kubectl plugin list\n  \n  # List only binary names of available plugins without paths\n  kubectl plugin list --name-only',
    aliases: [],
    usage: 'kubectl plugin list [flags]',
    runnable: true,
    flags: { 'name-only': 'If true, display only the binary name of each plugin, rather than its full path' },
  },
  'port-forward': {
    use: 'port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
    short: 'Forward one or more local ports to a pod',
    long: "Forward one or more local ports to a pod.\n\n Use resource type/name such as deployment/mydeployment to select a pod. Resource type defaults to 'pod' if omitted.\n\n If there are multiple pods matching the criteria, a pod will be selected automatically. The forwarding session ends when the selected pod terminates, and a rerun of the command is needed to resume forwarding.",
    example:
      '  # Listen on ports 5000 and 6000 locally, forwarding data to/from ports 5000 and 6000 in the pod\n  kubectl port-forward pod/mypod 5000 6000\n  \n  # Listen on ports 5000 and 6000 locally, forwarding data to/from ports 5000 and 6000 in a pod selected by the deployment\n  kubectl port-forward deployment/mydeployment 5000 6000\n  \n  # Listen on port 8443 locally, forwarding to the targetPort of the service\'s port named "https" in a pod selected by the service\n  kubectl port-forward service/myservice 8443:https\n  \n  # Listen on port 8888 locally, forwarding to 5000 in the pod\n  kubectl port-forward pod/mypod 8888:5000\n  \n  # Listen on port 8888 on all addresses, forwarding to 5000 in the pod\n  kubectl port-forward --address 0.0.0.0 pod/mypod 8888:5000\n  \n  # Listen on port 8888 on localhost and selected IP, forwarding to 5000 in the pod\n  kubectl port-forward --address localhost,10.19.21.23 pod/mypod 8888:5000\n  \n  # Listen on a random port locally, forwarding to 5000 in the pod\n  kubectl port-forward pod/mypod :5000',
    aliases: [],
    usage: 'kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
    runnable: true,
    flags: {
      address:
        'Addresses to listen on (comma separated). Only accepts IP addresses or localhost as a value. When localhost is supplied, kubectl will try to bind on both 127.0.0.1 and ::1 and will fail if neither of these addresses are available to bind.',
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
    },
  },
  proxy: {
    use: 'proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]',
    short: 'Run a proxy to the Kubernetes API server',
    long: 'Creates a proxy server or application-level gateway between localhost and the Kubernetes API server. It also allows serving static content over specified HTTP path. All incoming data enters through one port and gets forwarded to the remote Kubernetes API server port, except for the path matching the static content path.',
    example:
      "  # To proxy all of the Kubernetes API and nothing else\n  kubectl proxy --api-prefix=/\n  \n  # To proxy only part of the Kubernetes API and also some static files\n  # You can get pods info with 'curl localhost:8001/api/v1/pods'\n  kubectl proxy --www=/my/files --www-prefix=/static/ --api-prefix=/api/\n  \n  # To proxy the entire Kubernetes API at a different root\n  # You can get pods info with 'curl localhost:8001/custom/api/v1/pods'\n  kubectl proxy --api-prefix=/custom/\n  \n  # Run a proxy to the Kubernetes API server on port 8011, serving static content from ./local/www/\n  kubectl proxy --port=8011 --www=./local/www/\n  \n  # Run a proxy to the Kubernetes API server on an arbitrary local port\n  # The chosen port for the server will be output to stdout\n  kubectl proxy --port=0\n  \n  # Run a proxy to the Kubernetes API server, changing the API prefix to k8s-api\n  # This makes e.g. the pods API available at localhost:8001/k8s-api/v1/pods/\n  kubectl proxy --api-prefix=/k8s-api",
    aliases: [],
    usage: 'kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]',
    runnable: true,
    flags: {
      'accept-hosts': 'Regular expression for hosts that the proxy should accept.',
      'accept-paths': 'Regular expression for paths that the proxy should accept.',
      address: 'The IP address on which to serve on.',
      'api-prefix': 'Prefix to serve the proxied API under.',
      'append-server-path': 'If true, enables automatic path appending of the kube context server path to each request.',
      'disable-filter':
        'If true, disable request filtering in the proxy. This is dangerous, and can leave you vulnerable to XSRF attacks, when used with an accessible port.',
      keepalive: 'keepalive specifies the keep-alive period for an active network connection. Set to 0 to disable keepalive.',
      port: 'The port on which to run the proxy. Set to 0 to pick a random port.',
      'reject-methods': "Regular expression for HTTP methods that the proxy should reject (example --reject-methods='POST,PUT,PATCH'). ",
      'reject-paths':
        'Regular expression for paths that the proxy should reject. Paths specified here will be rejected even accepted by --accept-paths.',
      'unix-socket': 'Unix socket on which to run the proxy.',
      www: 'Also serve static files from the given directory under the specified prefix.',
      'www-prefix': 'Prefix to serve static files under, if static file directory is specified.',
    },
  },
  replace: {
    use: 'replace -f FILENAME',
    short: 'Replace a resource by file name or stdin',
    long: 'Replace a resource by file name or stdin.\n\n JSON and YAML formats are accepted. If replacing an existing resource, the complete resource spec must be provided. This can be obtained by\n\n        $ kubectl get TYPE NAME -o yaml',
    example:
      "  # Replace a pod using the data in pod.json\n  kubectl replace -f ./pod.json\n  \n  # Replace a pod based on the JSON passed into stdin\n  cat pod.json | kubectl replace -f -\n  \n  # Update a single-container pod's image version (tag) to v4\n  kubectl get pod mypod -o yaml | sed 's/\\(image: myimage\\):.*$/\\1:v4/' | kubectl replace -f -\n  \n  # Force replace, delete and then re-create the resource\n  kubectl replace --force -f ./pod.json",
    aliases: [],
    usage: 'kubectl replace -f FILENAME',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      cascade:
        'Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents (e.g. Pods created by a ReplicationController). Defaults to background.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'The files that contain the configurations to replace.',
      force:
        'If true, immediately remove resources from API and bypass graceful deletion. Note that immediate deletion of some resources may result in inconsistency or data loss and requires confirmation.',
      'grace-period':
        'Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true (force deletion).',
      kustomize: "Process a kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      raw: 'Raw URI to PUT to the server.  Uses the transport specified by the kubeconfig file.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      subresource: 'If specified, replace will operate on the subresource of the requested object.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      timeout: 'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
      wait: 'If true, wait for resources to be gone before returning. This waits for finalizers.',
    },
  },
  rollout: {
    use: 'rollout SUBCOMMAND',
    short: 'Manage the rollout of a resource',
    long: 'Manage the rollout of one or many resources.\n        \n Valid resource types include:\n\n  *  deployments\n  *  daemonsets\n  *  statefulsets',
    example:
      "  # Rollback to the previous deployment\n  kubectl rollout undo deployment/abc\n  \n  # Check the rollout status of a daemonset\n  kubectl rollout status daemonset/foo\n  \n  # Restart a deployment\n  kubectl rollout restart deployment/abc\n  \n  # Restart deployments with the 'app=nginx' label\n  kubectl rollout restart deployment --selector=app=nginx",
    aliases: [],
    usage: 'kubectl rollout SUBCOMMAND',
    runnable: true,
    flags: {},
  },
  'rollout history': {
    use: 'history (TYPE NAME | TYPE/NAME) [flags]',
    short: 'View rollout history',
    long: 'View previous rollout revisions and configurations.',
    example:
      '  # View the rollout history of a deployment\n  kubectl rollout history deployment/abc\n  \n  # View the details of daemonset revision 3\n  kubectl rollout history daemonset/abc --revision=3',
    aliases: [],
    usage: 'kubectl rollout history (TYPE NAME | TYPE/NAME) [flags]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      revision: 'See the details, including podTemplate of the revision specified',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'rollout pause': {
    use: 'pause RESOURCE',
    short: 'Mark the provided resource as paused',
    long: 'Mark the provided resource as paused.\n\n Paused resources will not be reconciled by a controller. Use "kubectl rollout resume" to resume a paused resource. Currently only deployments support being paused.',
    example:
      '  # Mark the nginx deployment as paused\n  # Any current state of the deployment will continue its function; new updates\n  # to the deployment will not have an effect as long as the deployment is paused\n  kubectl rollout pause deployment/nginx',
    aliases: [],
    usage: 'kubectl rollout pause RESOURCE',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'rollout restart': {
    use: 'restart RESOURCE',
    short: 'Restart a resource',
    long: 'Restart a resource.\n\n        Resource rollout will be restarted.',
    example:
      '  # Restart all deployments in the test-namespace namespace\n  kubectl rollout restart deployment -n test-namespace\n  \n  # Restart a deployment\n  kubectl rollout restart deployment/nginx\n  \n  # Restart a daemon set\n  kubectl rollout restart daemonset/abc\n  \n  # Restart deployments with the app=nginx label\n  kubectl rollout restart deployment --selector=app=nginx',
    aliases: [],
    usage: 'kubectl rollout restart RESOURCE',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'rollout resume': {
    use: 'resume RESOURCE',
    short: 'Resume a paused resource',
    long: 'Resume a paused resource.\n\n Paused resources will not be reconciled by a controller. By resuming a resource, we allow it to be reconciled again. Currently only deployments support being resumed.',
    example: '  # Resume an already paused deployment\n  kubectl rollout resume deployment/nginx',
    aliases: [],
    usage: 'kubectl rollout resume RESOURCE',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'rollout status': {
    use: 'status (TYPE NAME | TYPE/NAME) [flags]',
    short: 'Show the status of the rollout',
    long: "Show the status of the rollout.\n\n By default 'rollout status' will watch the status of the latest rollout until it's done. If you don't want to wait for the rollout to finish then you can use --watch=false. Note that if a new rollout starts in-between, then 'rollout status' will continue watching the latest revision. If you want to pin to a specific revision and abort if it is rolled over by another revision, use --revision=N where N is the revision you need to watch for.",
    example: '  # Watch the rollout status of a deployment\n  kubectl rollout status deployment/nginx',
    aliases: [],
    usage: 'kubectl rollout status (TYPE NAME | TYPE/NAME) [flags]',
    runnable: true,
    flags: {
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      revision: 'Pin to a specific revision for showing its status. Defaults to 0 (last revision).',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      timeout:
        'The length of time to wait before ending watch, zero means never. Any other values should contain a corresponding time unit (e.g. 1s, 2m, 3h).',
      watch: "Watch the status of the rollout until it's done.",
    },
  },
  'rollout undo': {
    use: 'undo (TYPE NAME | TYPE/NAME) [flags]',
    short: 'Undo a previous rollout',
    long: 'Roll back to a previous rollout.',
    example:
      '  # Roll back to the previous deployment\n  kubectl rollout undo deployment/abc\n  \n  # Roll back to daemonset revision 3\n  kubectl rollout undo daemonset/abc --to-revision=3\n  \n  # Roll back to the previous deployment with dry-run\n  kubectl rollout undo --dry-run=server deployment/abc',
    aliases: [],
    usage: 'kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      'to-revision': 'The revision to rollback to. Default to 0 (last revision).',
    },
  },
  run: {
    use: 'run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
    short: 'Run a particular image on the cluster',
    long: 'Create and run a particular image in a pod.',
    example:
      '  # Start a nginx pod\n  kubectl run nginx --image=nginx\n  \n  # Start a hazelcast pod and let the container expose port 5701\n  kubectl run hazelcast --image=hazelcast/hazelcast --port=5701\n  \n  # Start a hazelcast pod and set environment variables "DNS_DOMAIN=cluster" and "POD_NAMESPACE=default" in the container\n  kubectl run hazelcast --image=hazelcast/hazelcast --env="DNS_DOMAIN=cluster" --env="POD_NAMESPACE=default"\n  \n  # Start a hazelcast pod and set labels "app=hazelcast" and "env=prod" in the container\n  kubectl run hazelcast --image=hazelcast/hazelcast --labels="app=hazelcast,env=prod"\n  \n  # Dry run; print the corresponding API objects without creating them\n  kubectl run nginx --image=nginx --dry-run=client\n  \n  # Start a nginx pod, but overload the spec with a partial set of values parsed from JSON\n  kubectl run nginx --image=nginx --overrides=\'{ "apiVersion": "v1", "spec": { ... } }\'\n  \n  # Start a busybox pod and keep it in the foreground, don\'t restart it if it exits\n  kubectl run -i -t busybox --image=busybox --restart=Never\n  \n  # Start the nginx pod using the default command, but use custom arguments (arg1 .. argN) for that command\n  kubectl run nginx --image=nginx -- <arg1> <arg2> ... <argN>\n  \n  # Start the nginx pod using a different command and custom arguments\n  kubectl run nginx --image=nginx --command -- <cmd> <arg1> ... <argN>',
    aliases: [],
    usage:
      'kubectl run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
    runnable: true,
    flags: {
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      annotations: 'Annotations to apply to the pod.',
      attach:
        "If true, wait for the Pod to start running, and then attach to the Pod as if 'kubectl attach ...' were called.  Default false, unless '-i/--stdin' is set, in which case the default is true. With '--restart=Never' the exit code of the container process is returned.",
      cascade:
        'Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents (e.g. Pods created by a ReplicationController). Defaults to background.',
      command:
        "If true and extra arguments are present, use them as the 'command' field in the container, rather than the 'args' field which is the default.",
      'detach-keys': 'Override the key sequence for detaching a container.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      env: 'Environment variables to set in the container.',
      expose: 'If true, create a ClusterIP service associated with the pod.  Requires `--port`.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'to use to replace the resource.',
      force:
        'If true, immediately remove resources from API and bypass graceful deletion. Note that immediate deletion of some resources may result in inconsistency or data loss and requires confirmation.',
      'grace-period':
        'Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true (force deletion).',
      image: 'The image for the container to run.',
      'image-pull-policy':
        'The image pull policy for the container.  If left empty, this value will not be specified by the client and defaulted by the server.',
      kustomize: "Process a kustomization directory. This flag can't be used together with -f or -R.",
      labels: 'Comma separated labels to apply to the pod. Will override previous values.',
      'leave-stdin-open':
        'If the pod is started in interactive mode or with stdin, leave stdin open after the first attach completes. By default, stdin will be closed after the first attach completes.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      'override-type': 'The method used to override the generated object: json, merge, or strategic.',
      overrides:
        'An inline JSON override for the generated object. If this is non-empty, it is used to override the generated object. Requires that the object supply a valid apiVersion field.',
      'pod-running-timeout': 'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
      port: 'The port that this container exposes.',
      privileged: 'If true, run the container in privileged mode.',
      quiet: 'If true, suppress prompt messages.',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      restart: 'The restart policy for this Pod.  Legal values [Always, OnFailure, Never].',
      rm: "If true, delete the pod after it exits.  Only valid when attaching to the container, e.g. with '--attach' or with '-i/--stdin'.",
      'save-config':
        'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      stdin: 'Keep stdin open on the container in the pod, even if nothing is attached.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      timeout: 'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
      tty: 'Allocate a TTY for the container in the pod.',
      wait: 'If true, wait for resources to be gone before returning. This waits for finalizers.',
    },
    hiddenFlags: ['record'],
  },
  scale: {
    use: 'scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
    short: 'Set a new size for a deployment, replica set, or replication controller',
    long: 'Set a new size for a deployment, replica set, replication controller, or stateful set.\n\n Scale also allows users to specify one or more preconditions for the scale action.\n\n If --current-replicas or --resource-version is specified, it is validated before the scale is attempted, and it is guaranteed that the precondition holds true when the scale is sent to the server.',
    example:
      "  # Scale a replica set named 'foo' to 3\n  kubectl scale --replicas=3 rs/foo\n  \n  # Scale a resource identified by type and name specified in \"foo.yaml\" to 3\n  kubectl scale --replicas=3 -f foo.yaml\n  \n  # If the deployment named mysql's current size is 2, scale mysql to 3\n  kubectl scale --current-replicas=2 --replicas=3 deployment/mysql\n  \n  # Scale multiple replication controllers\n  kubectl scale --replicas=5 rc/example1 rc/example2 rc/example3\n  \n  # Scale stateful set named 'web' to 3\n  kubectl scale --replicas=3 statefulset/web",
    aliases: [],
    usage: 'kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
    runnable: true,
    flags: {
      all: 'Select all resources in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'current-replicas':
        'Precondition for current size. Requires that the current size of the resource match this value in order to scale. -1 (default) for no condition.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      filename: 'Filename, directory, or URL to files identifying the resource to set a new size',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      replicas: 'The new desired number of replicas. Required.',
      'resource-version':
        'Precondition for resource version. Requires that the current resource version match this value in order to scale.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      timeout:
        "The length of time to wait before giving up on a scale operation, zero means don't wait. Any other values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
    },
    hiddenFlags: ['record'],
  },
  set: {
    use: 'set SUBCOMMAND',
    short: 'Set specific features on objects',
    long: 'Configure application resources.\n\n These commands help you make changes to existing application resources.',
    example: '',
    aliases: [],
    usage: 'kubectl set SUBCOMMAND',
    runnable: true,
    flags: {},
  },
  'set env': {
    use: 'env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
    short: 'Update environment variables on a pod template',
    long: 'Update environment variables on a pod template.\n\n List environment variable definitions in one or more pods, pod templates. Add, update, or remove container environment variable definitions in one or more pod templates (within replication controllers or deployment configurations). View or modify the environment variable definitions on all containers in the specified pods or pod templates, or just those that match a wildcard.\n\n If "--env -" is passed, environment variables can be read from STDIN using the standard env syntax.\n\n Possible resources include (case insensitive):\n\n        pod (po), replicationcontroller (rc), deployment (deploy), daemonset (ds), statefulset (sts), cronjob (cj), replicaset (rs)',
    example:
      "  # Update deployment 'registry' with a new environment variable\n  kubectl set env deployment/registry STORAGE_DIR=/local\n  \n  # List the environment variables defined on a deployments 'sample-build'\n  kubectl set env deployment/sample-build --list\n  \n  # List the environment variables defined on all pods\n  kubectl set env pods --all --list\n  \n  # Output modified deployment in YAML, and does not alter the object on the server\n  kubectl set env deployment/sample-build STORAGE_DIR=/data -o yaml\n  \n  # Update all containers in all replication controllers in the project to have ENV=prod\n  kubectl set env rc --all ENV=prod\n  \n  # Import environment from a secret\n  kubectl set env --from=secret/mysecret deployment/myapp\n  \n  # Import environment from a config map with a prefix\n  kubectl set env --from=configmap/myconfigmap --prefix=MYSQL_ deployment/myapp\n  \n  # Import specific keys from a config map\n  kubectl set env --keys=my-example-key --from=configmap/myconfigmap deployment/myapp\n  \n  # Remove the environment variable ENV from container 'c1' in all deployment configs\n  kubectl set env deployments --all --containers=\"c1\" ENV-\n  \n  # Remove the environment variable ENV from a deployment definition on disk and\n  # update the deployment config on the server\n  kubectl set env -f deploy.json ENV-\n  \n  # Set some of the local shell environment into a deployment config on the server\n  env | grep RAILS_ | kubectl set env -e - deployment/registry",
    aliases: [],
    usage: 'kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
    runnable: true,
    flags: {
      all: 'If true, select all resources in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      containers: 'The names of containers in the selected pod templates to change - may use wildcards',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      env: 'Specify a key-value pair for an environment variable to set into each container.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files the resource to update the env',
      from: 'The name of a resource from which to inject environment variables',
      keys: 'Comma-separated list of keys to import from specified resource',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      list: 'If true, display the environment and any changes in the standard format. this flag will removed when we have kubectl view env.',
      local: 'If true, set env will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      overwrite: 'If true, allow environment to be overwritten, otherwise reject updates that overwrite existing environment.',
      prefix: 'Prefix to append to variable names',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      resolve: 'If true, show secret or configmap references when listing variables',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
  },
  'set image': {
    use: 'image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
    short: 'Update the image of a pod template',
    long: 'Update existing container image(s) of resources.\n\n Possible resources include (case insensitive):\n\n        pod (po), replicationcontroller (rc), deployment (deploy), daemonset (ds), statefulset (sts), cronjob (cj), replicaset (rs)',
    example:
      "  # Set a deployment's nginx container image to 'nginx:1.9.1', and its busybox container image to 'busybox'\n  kubectl set image deployment/nginx busybox=busybox nginx=nginx:1.9.1\n  \n  # Update all deployments' and rc's nginx container's image to 'nginx:1.9.1'\n  kubectl set image deployments,rc nginx=nginx:1.9.1 --all\n  \n  # Update image of all containers of daemonset abc to 'nginx:1.9.1'\n  kubectl set image daemonset abc *=nginx:1.9.1\n  \n  # Print result (in yaml format) of updating nginx container image from local file, without hitting the server\n  kubectl set image -f path/to/file.yaml nginx=nginx:1.9.1 --local -o yaml",
    aliases: [],
    usage: 'kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      local: 'If true, set image will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  'set resources': {
    use: 'resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]',
    short: 'Update resource requests/limits on objects with pod templates',
    long: 'Specify compute resource requirements (CPU, memory) for any resource that defines a pod template.  If a pod is successfully scheduled, it is guaranteed the amount of resource requested, but may burst up to its specified limits.\n\n For each compute resource, if a limit is specified and a request is omitted, the request will default to the limit.\n\n Possible resources include (case insensitive): Use "kubectl api-resources" for a complete list of supported resources..',
    example:
      '  # Set a deployments nginx container cpu limits to "200m" and memory to "512Mi"\n  kubectl set resources deployment nginx -c=nginx --limits=cpu=200m,memory=512Mi\n  \n  # Set the resource request and limits for all containers in nginx\n  kubectl set resources deployment nginx --limits=cpu=200m,memory=512Mi --requests=cpu=100m,memory=256Mi\n  \n  # Remove the resource requests for resources on containers in nginx\n  kubectl set resources deployment nginx --limits=cpu=0,memory=0 --requests=cpu=0,memory=0\n  \n  # Print the result (in yaml format) of updating nginx container limits from a local, without hitting the server\n  kubectl set resources -f path/to/file.yaml --limits=cpu=200m,memory=512Mi --local -o yaml',
    aliases: [],
    usage: 'kubectl set resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      containers:
        'The names of containers in the selected pod templates to change, all containers are selected by default - may use wildcards',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      limits:
        "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.  Note that server side components may assign requests depending on the server configuration, such as limit ranges.",
      local: 'If true, set resources will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      requests:
        "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.  Note that server side components may assign requests depending on the server configuration, such as limit ranges.",
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  'set selector': {
    use: 'selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]',
    short: 'Set the selector on a resource',
    long: "Set the selector on a resource. Note that the new selector will overwrite the old selector if the resource had one prior to the invocation of 'set selector'.\n\n A selector must begin with a letter or number, and may contain letters, numbers, hyphens, dots, and underscores, up to 63 characters. If --resource-version is specified, then updates will use this resource version, otherwise the existing resource-version will be used. Note: currently selectors can only be set on Service objects.",
    example:
      '  # Set the labels and selector before creating a deployment/service pair\n  kubectl create service clusterip my-svc --clusterip="None" -o yaml --dry-run=client | kubectl set selector --local -f - \'environment=qa\' -o yaml | kubectl create -f -\n  kubectl create deployment my-dep --image=nginx -o yaml --dry-run=client | kubectl label --local -f - environment=qa -o yaml | kubectl create -f -',
    aliases: [],
    usage: 'kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]',
    runnable: true,
    flags: {
      all: 'Select all resources in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'identifying the resource.',
      local: 'If true, annotation will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'resource-version':
        'If non-empty, the selectors update will only succeed if this is the current resource-version for the object. Only valid when specifying a single resource.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  'set serviceaccount': {
    use: 'serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT',
    short: 'Update the service account of a resource',
    long: 'Update the service account of pod template resources.\n\n Possible resources (case insensitive) can be:\n\n replicationcontroller (rc), deployment (deploy), daemonset (ds), job, replicaset (rs), statefulset',
    example:
      "  # Set deployment nginx-deployment's service account to serviceaccount1\n  kubectl set serviceaccount deployment nginx-deployment serviceaccount1\n  \n  # Print the result (in YAML format) of updated nginx deployment with the service account from local file, without hitting the API server\n  kubectl set sa -f nginx-deployment.yaml serviceaccount1 --local --dry-run=client -o yaml",
    aliases: ['sa'],
    usage: 'kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files identifying the resource to get from a server.',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      local: 'If true, set serviceaccount will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      record:
        'Record current kubectl command in the resource annotation. If set to false, do not record the command. If set to true, record the command. If not set, default to updating the existing annotation value only if one already exists.',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
    },
    hiddenFlags: ['record'],
  },
  'set subject': {
    use: 'subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    short: 'Update the user, group, or service account in a role binding or cluster role binding',
    long: 'Update the user, group, or service account in a role binding or cluster role binding.',
    example:
      '  # Update a cluster role binding for serviceaccount1\n  kubectl set subject clusterrolebinding admin --serviceaccount=namespace:serviceaccount1\n  \n  # Update a role binding for user1, user2, and group1\n  kubectl set subject rolebinding admin --user=user1 --user=user2 --group=group1\n  \n  # Print the result (in YAML format) of updating rolebinding subjects from a local, without hitting the server\n  kubectl create rolebinding admin --role=admin --user=admin -o yaml --dry-run=client | kubectl set subject --local -f - --user=foo -o yaml',
    aliases: [],
    usage:
      'kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
    runnable: true,
    flags: {
      all: 'Select all resources, in the namespace of the specified resource types',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      filename: 'Filename, directory, or URL to files the resource to update the subjects',
      group: 'Groups to bind to the role',
      kustomize: "Process the kustomization directory. This flag can't be used together with -f or -R.",
      local: 'If true, set subject will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      serviceaccount: 'Service accounts to bind to the role',
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      user: 'Usernames to bind to the role',
    },
  },
  taint: {
    use: 'taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N',
    short: 'Update the taints on one or more nodes',
    long: "Update the taints on one or more nodes.\n\n  *  A taint consists of a key, value, and effect. As an argument here, it is expressed as key=value:effect.\n  *  The key must begin with a letter or number, and may contain letters, numbers, hyphens, dots, and underscores, up to 253 characters.\n  *  Optionally, the key can begin with a DNS subdomain prefix and a single '/', like example.com/my-app.\n  *  The value is optional. If given, it must begin with a letter or number, and may contain letters, numbers, hyphens, dots, and underscores, up to 63 characters.\n  *  The effect must be NoSchedule, PreferNoSchedule or NoExecute.\n  *  Currently taint can only apply to node.",
    example:
      "  # Update node 'foo' with a taint with key 'dedicated' and value 'special-user' and effect 'NoSchedule'\n  # If a taint with that key and effect already exists, its value is replaced as specified\n  kubectl taint nodes foo dedicated=special-user:NoSchedule\n  \n  # Remove from node 'foo' the taint with key 'dedicated' and effect 'NoSchedule' if one exists\n  kubectl taint nodes foo dedicated:NoSchedule-\n  \n  # Remove from node 'foo' all the taints with key 'dedicated'\n  kubectl taint nodes foo dedicated-\n  \n  # Add a taint with key 'dedicated' on nodes having label myLabel=X\n  kubectl taint node -l myLabel=X  dedicated=foo:PreferNoSchedule\n  \n  # Add to node 'foo' a taint with key 'bar' and no value\n  kubectl taint nodes foo bar:NoSchedule",
    aliases: [],
    usage: 'kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N',
    runnable: true,
    flags: {
      all: 'Select all nodes in the cluster',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      'field-manager': 'Name of the manager used to track field ownership.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      overwrite: 'If true, allow taints to be overwritten, otherwise reject taint updates that overwrite existing taints.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      validate:
        'Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the input and fail the request if invalid. It will perform server side validation if ServerSideFieldValidation is enabled on the api-server, but will fall back to less reliable client-side validation if not. "warn" will warn about unknown or duplicate fields without blocking the request if server-side field validation is enabled on the API server, and behave as "ignore" otherwise. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
    },
  },
  top: {
    use: 'top',
    short: 'Display resource (CPU/memory) usage',
    long: "Display resource (CPU/memory) usage.\n\n This command provides a view of recent resource consumption for nodes and pods. It fetches metrics from the Metrics Server, which aggregates this data from the kubelet on each node. The Metrics Server must be installed and running in the cluster for this command to work.\n\n The metrics shown are specifically optimized for Kubernetes autoscaling decisions, such as those made by the Horizontal Pod Autoscaler (HPA) and Vertical Pod Autoscaler (VPA). Because of this, the values may not match those from standard OS tools like 'top', as the metrics are designed to provide a stable signal for autoscalers rather than for pinpoint accuracy.\n\n FAQ for Metrics Server: https://github.com/kubernetes-sigs/metrics-server/blob/master/FAQ.md\n\n When to use this command:\n\n  *  For on-the-fly spot-checks of resource usage (e.g. identify which pods are consuming the most resources at a glance, or get a quick sense of the load on your nodes)\n  *  Understand current resource consumption patterns\n  *  Validate the behavior of your HPA or VPA configurations by seeing the metrics they use for scaling decisions.\n\n It is not intended to be a replacement for full-featured monitoring solutions. Its primary design goal is to provide a low-overhead signal for autoscalers, not to be a perfectly accurate monitoring tool. For high-accuracy reporting, historical analysis, dashboarding, or alerting, you should use a dedicated monitoring solution.",
    example: '',
    aliases: [],
    usage: 'kubectl top',
    runnable: true,
    flags: {},
  },
  'top node': {
    use: 'node [NAME | -l label]',
    short: 'Display resource (CPU/memory) usage of nodes',
    long: 'Display resource (CPU/memory) usage of nodes.\n\n The top-node command allows you to see the resource consumption of nodes.',
    example: '  # Show metrics for all nodes\n  kubectl top node\n  \n  # Show metrics for a given node\n  kubectl top node NODE_NAME',
    aliases: ['nodes', 'no'],
    usage: 'kubectl top node [NAME | -l label]',
    runnable: true,
    flags: {
      'no-headers': 'If present, print output without headers',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-capacity': 'Print node resources based on Capacity instead of Allocatable(default) of the nodes.',
      'show-swap': 'Print node resources related to swap memory.',
      'sort-by': "If non-empty, sort nodes list using specified field. The field can be either 'cpu' or 'memory'.",
      'use-protocol-buffers': 'Enables using protocol-buffers to access Metrics API.',
    },
  },
  'top pod': {
    use: 'pod [NAME | -l label]',
    short: 'Display resource (CPU/memory) usage of pods',
    long: "Display resource (CPU/memory) usage of pods.\n\n The 'top pod' command allows you to see the resource consumption of pods.\n\n Due to the metrics pipeline delay, they may be unavailable for a few minutes since pod creation.",
    example:
      '  # Show metrics for all pods in the default namespace\n  kubectl top pod\n  \n  # Show metrics for all pods in the given namespace\n  kubectl top pod --namespace=NAMESPACE\n  \n  # Show metrics for a given pod and its containers\n  kubectl top pod POD_NAME --containers\n  \n  # Show metrics for the pods defined by label name=myLabel\n  kubectl top pod -l name=myLabel',
    aliases: ['pods', 'po'],
    usage: 'kubectl top pod [NAME | -l label]',
    runnable: true,
    flags: {
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      containers: 'If present, print usage of containers within a pod.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      'no-headers': 'If present, print output without headers.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
      'show-swap': 'Print pod resources related to swap memory.',
      'sort-by': "If non-empty, sort pods list using specified field. The field can be either 'cpu' or 'memory'.",
      sum: 'Print the sum of the resource usage',
      'use-protocol-buffers': 'Enables using protocol-buffers to access Metrics API.',
    },
  },
  uncordon: {
    use: 'uncordon NODE',
    short: 'Mark node as schedulable',
    long: 'Mark node as schedulable.',
    example: '  # Mark node "foo" as schedulable\n  kubectl uncordon foo',
    aliases: [],
    usage: 'kubectl uncordon NODE',
    runnable: true,
    flags: {
      'dry-run':
        'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
      selector:
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    },
  },
  version: {
    use: 'version',
    short: 'Print the client and server version information',
    long: 'Print the client and server version information for the current context.',
    example: '  # Print the client and server versions for the current context\n  kubectl version',
    aliases: [],
    usage: 'kubectl version [flags]',
    runnable: true,
    flags: { client: 'If true, shows client version only (no server required).', output: "One of 'yaml' or 'json'." },
  },
  wait: {
    use: "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    short: 'Wait for a specific condition on one or many resources',
    long: 'Wait for a specific condition on one or many resources.\n\n The command takes multiple resources and waits until the specified condition is seen in the Status field of every given resource.\n\n Alternatively, the command can wait for the given set of resources to be created or deleted by providing the "create" or "delete" keyword as the value to the --for flag.\n\n A successful message will be printed to stdout indicating when the specified condition has been met. You can use -o option to change to output destination.',
    example:
      '  # Wait for the pod "busybox1" to contain the status condition of type "Ready"\n  kubectl wait --for=condition=Ready pod/busybox1\n  \n  # The default value of status condition is true; you can wait for other targets after an equal delimiter (compared after Unicode simple case folding, which is a more general form of case-insensitivity)\n  kubectl wait --for=condition=Ready=false pod/busybox1\n  \n  # Wait for the pod "busybox1" to contain the status phase to be "Running"\n  kubectl wait --for=jsonpath=\'{.status.phase}\'=Running pod/busybox1\n  \n  # Wait for pod "busybox1" to be Ready\n  kubectl wait --for=\'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True\' pod/busybox1\n  \n  # Wait for the service "loadbalancer" to have ingress\n  kubectl wait --for=jsonpath=\'{.status.loadBalancer.ingress}\' service/loadbalancer\n  \n  # Wait for the secret "busybox1" to be created, with a timeout of 30s\n  kubectl create secret generic busybox1\n  kubectl wait --for=create secret/busybox1 --timeout=30s\n  \n  # Wait for the pod "busybox1" to be deleted, with a timeout of 60s, after having issued the "delete" command\n  kubectl delete pod/busybox1\n  kubectl wait --for=delete pod/busybox1 --timeout=60s\n  \n  # Wait for pod "busybox1" to be created AND reach the "Ready" status condition\n  kubectl wait --for=condition=Ready --for=create pod/busybox1\n  \n  # Wait for pod "busybox1" to reach the "Ready" status OR for its containers to report a "False" readiness state\n  until kubectl wait pod/busybox1 --for=condition=Ready --timeout=1s 2>/dev/null || \\\n  kubectl wait pod/busybox1 --for=condition=ContainersReady=False --timeout=1s 2>/dev/null; \\\n  do echo "Checking conditions..."; sleep 1; done',
    aliases: [],
    usage:
      "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    runnable: true,
    flags: {
      all: 'Select all resources in the namespace of the specified resource types',
      'all-namespaces':
        'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
      'allow-missing-template-keys':
        'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
      'field-selector':
        "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
      filename: 'identifying the resource.',
      for: "The condition to wait on: [create|delete|condition=condition-name[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value]]. The default condition-value is true. Condition values are compared after Unicode simple case folding, which is a more general form of case-insensitivity. Multiple conditions are supported and AND'ed to each other in a sequential order. If --for=create is passed, it is always waited first.",
      local: 'If true, annotation will NOT contact api-server but run locally.',
      output:
        'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
      recursive:
        'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
      selector: "Selector (label query) to filter on, supports '=', '==', and '!='.(e.g. -l key1=value1,key2=value2)",
      'show-managed-fields': 'If true, keep the managedFields when printing objects in JSON or YAML format.',
      template:
        'Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].',
      timeout: "The length of time to wait before giving up. Zero means check once and don't wait, negative means wait for a week.",
    },
  },
};
