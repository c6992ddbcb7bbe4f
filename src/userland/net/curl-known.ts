// Options of curl (--help all of 7.88.1) that podnet does not act on. A colon: it takes a value; `=X`: the short name.

/** What changes nothing that can be seen: there is one kind of encryption, and no other protocol than HTTP. */
const QUIET = (
  'append=a cert-status cert-type: ciphers: compressed-ssh create-file-mode: crlf crlfile: curves: delegation: ' +
  'disable-eprt disable-epsv egd-file: expect100-timeout: false-start form-escape happy-eyeballs-timeout-ms: ' +
  'junk-session-cookies=j key-type: list-only=l login-options: metalink alpn npn sessionid parallel-immediate ' +
  'parallel-max: pass: proxy-basic proxy-cacert: proxy-capath: proxy-cert: proxy-cert-type: proxy-ciphers: proxy-crlfile: ' +
  'proxy-insecure proxy-key: proxy-key-type: proxy-pass: proxy-service-name: proxy-ssl-allow-beast ' +
  'proxy-ssl-auto-client-cert proxy-tls13-ciphers: proxy-tlsv1 random-file: rate: raw sasl-ir service-name: ssl ' +
  'ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2=2 sslv3=3 suppress-connect-headers ' +
  'tls-max: tls13-ciphers: tlsv1.0 tlsv1.1 tr-encoding use-ascii=B xattr '
).trim();

/** What would change the transfer: curl's own refusal of what it was built without. */
const REFUSED = (
  'abstract-unix-socket: alt-svc: anyauth aws-sigv4: dns-interface: dns-ipv4-addr: dns-ipv6-addr: doh-cert-status ' +
  'doh-insecure engine: etag-compare: etag-save: ftp-account: ftp-alternative-to-user: ftp-create-dirs ftp-method: ' +
  'ftp-pasv ftp-port=P: ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-ccc-mode: ftp-ssl-control ' +
  'hostpubmd5: hostpubsha256: hsts: http3-only krb: libcurl: mail-auth: mail-from: mail-rcpt: mail-rcpt-allowfails ' +
  'ntlm ntlm-wb pinnedpubkey: preproxy: proxy-anyauth proxy-digest proxy-negotiate proxy-ntlm proxy-pinnedpubkey: ' +
  'proxy-tlsauthtype: proxy-tlspassword: proxy-tlsuser: proxy1.0: pubkey: quote=Q: sasl-authzid: ' +
  'socks4: socks4a: socks5-basic socks5-gssapi socks5-gssapi-nec socks5-gssapi-service: telnet-option=t: tftp-blksize: ' +
  'tftp-no-options tlsauthtype: tlspassword: tlsuser: ' +
  ' manual=M http2-prior-knowledge http3 socks5: socks5-hostname: unix-socket: dns-servers: doh-url: digest negotiate proxytunnel=p'
).trim();

export interface Known {
  name: string;
  short: string;
  takesValue: boolean;
  refused: boolean;
}

const read = (text: string, refused: boolean): Known[] =>
  text.split(/\s+/).map(word => {
    const [, name, short = '', colon] = /^([^=:]+)(?:=([^:]|:))?(:?)$/.exec(word) as RegExpExecArray;
    return { name, short, takesValue: colon === ':', refused };
  });

export const KNOWN: Known[] = [...read(QUIET, false), ...read(REFUSED, true)];
