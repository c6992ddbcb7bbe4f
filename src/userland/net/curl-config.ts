// What curl's command line comes to.

export interface CurlConfig {
  urls: { url: string; out: string | null; remoteName: boolean }[];
  silent: boolean;
  showError: boolean;
  verbose: boolean;
  include: boolean;
  head: boolean;
  fail: boolean;
  failWithBody: boolean;
  location: boolean;
  maxRedirs: number;
  method: string | null;
  data: Uint8Array | null;
  get: boolean;
  /** `literal`: --form-string, whose value is no file. */
  form: { name: string; value: string; literal?: boolean }[];
  headers: string[];
  userAgent: string | null;
  user: string | null;
  bearer: string | null;
  referer: string | null;
  cookies: string[];
  /** -b FILE: where cookies are read from; '' or a file that is not there starts the engine with none. */
  cookieFiles: string[];
  cookieJar: string | null;
  range: string | null;
  maxTimeMs: number;
  connectTimeoutMs: number;
  retry: number;
  retryDelayMs: number;
  retryMaxTimeMs: number;
  retryConnrefused: boolean;
  retryAllErrors: boolean;
  resolve: { host: string; port: number; addresses: string[] }[];
  connectTo: string[];
  interface: string | null;
  localPort: number;
  /** -x; '' switches off what the environment says. */
  proxy: string | null;
  proxyUser: string | null;
  noProxy: string | null;
  haproxyProtocol: boolean;
  family: 4 | 6 | null;
  insecure: boolean;
  cacert: string | null;
  /** File with the client's own certificate. */
  cert: string | null;
  upload: string | null;
  writeOut: string | null;
  dumpHeader: string | null;
  http10: boolean;
  /** --http2: over plain HTTP the server is offered to change to it. */
  http2: boolean;
  /** --http1.1: HTTP/2 is not offered. */
  http11: boolean;
  compressed: boolean;
  noProgress: boolean;
  progressBar: boolean;
  keepalive: boolean;
  failEarly: boolean;
  createDirs: boolean;
  outputDir: string | null;
  globOff: boolean;
  postRedir: boolean;
  defaultProto: string | null;
  stderr: string | null;
  remoteHeaderName: boolean;
  resumeFrom: number | 'end' | null;
  limitRate: number;
  speedLimit: number;
  speedTimeMs: number;
  maxFilesize: number;
  trace: { file: string; hex: boolean } | null;
  traceTime: boolean;
  parallel: boolean;
  netrc: 'off' | 'needed' | 'optional';
  netrcFile: string | null;
  urlQuery: string[];
  requestTarget: string | null;
  timeCond: string | null;
  protocols: string | null;
  redirectProtocols: string | null;
  noUserInUrl: boolean;
  removeOnError: boolean;
  noClobber: boolean;
  remoteNameAll: boolean;
  ignoreLength: boolean;
  http09: boolean;
  pathAsIs: boolean;
  proxyHeaders: string[];
  /** Said before anything is done. */
  warnings: string[];
  help: string | null;
  version: boolean;
}

export function newConfig(): CurlConfig {
  return {
    urls: [],
    silent: false,
    showError: false,
    verbose: false,
    include: false,
    head: false,
    fail: false,
    failWithBody: false,
    location: false,
    maxRedirs: 50,
    method: null,
    data: null,
    get: false,
    form: [],
    headers: [],
    userAgent: null,
    user: null,
    bearer: null,
    referer: null,
    cookies: [],
    cookieFiles: [],
    cookieJar: null,
    range: null,
    maxTimeMs: 0,
    connectTimeoutMs: 0,
    retry: 0,
    retryDelayMs: 0,
    retryMaxTimeMs: 0,
    retryConnrefused: false,
    retryAllErrors: false,
    resolve: [],
    connectTo: [],
    interface: null,
    localPort: 0,
    proxy: null,
    proxyUser: null,
    noProxy: null,
    haproxyProtocol: false,
    family: null,
    insecure: false,
    cacert: null,
    cert: null,
    upload: null,
    writeOut: null,
    dumpHeader: null,
    http10: false,
    http2: false,
    http11: false,
    compressed: false,
    noProgress: false,
    progressBar: false,
    keepalive: true,
    failEarly: false,
    createDirs: false,
    outputDir: null,
    globOff: false,
    postRedir: false,
    defaultProto: null,
    stderr: null,
    remoteHeaderName: false,
    resumeFrom: null,
    limitRate: 0,
    speedLimit: 0,
    speedTimeMs: 0,
    maxFilesize: 0,
    trace: null,
    traceTime: false,
    parallel: false,
    netrc: 'off',
    netrcFile: null,
    urlQuery: [],
    requestTarget: null,
    timeCond: null,
    protocols: null,
    redirectProtocols: null,
    noUserInUrl: false,
    removeOnError: false,
    noClobber: false,
    remoteNameAll: false,
    ignoreLength: false,
    http09: false,
    pathAsIs: false,
    proxyHeaders: [],
    warnings: [],
    help: null,
    version: false,
  };
}
