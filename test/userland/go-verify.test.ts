// Why Go does not believe a server: words as crypto/x509 of Go 1.26 has them for the same certificates.
import { expect, test } from 'vitest';
import { goDistrust } from '../../src/userland/go-verify.ts';
import { certificateOf } from '../../src/userland/x509.ts';

/** Signed by AUTHORITY, for kubernetes and 10.96.0.1; OTHER has AUTHORITY's name and another key. */
const SERVER = `-----BEGIN CERTIFICATE-----
MIICFjCCAX+gAwIBAgIUEACXmvqdwTIm8T7Jx+Dz96OaaM4wDQYJKoZIhvcNAQEL
BQAwFTETMBEGA1UEAwwKa3ViZXJuZXRlczAeFw0yNjExMjIwNjM2NDdaFw0zNjEx
MTkwNjM2NDdaMBkxFzAVBgNVBAMMDmt1YmUtYXBpc2VydmVyMIGfMA0GCSqGSIb3
DQEBAQUAA4GNADCBiQKBgQCowj939OrXM39fKdHq+px8RJ9Q9DGC9R9aj3kyDNF0
z1fDlXlju6DLx+SJoj+2vNvztRtePIEWJmsuNIIydFIWde9Z9MXB96hKEsuRjpkW
FCbcfAMnPoczMYsD5FD1bjlSfKGenhDq0VpwKHxBsEaqeoccHgMz2WZig4g0gLMb
eQIDAQABo18wXTAbBgNVHREEFDASggprdWJlcm5ldGVzhwQKYAABMB0GA1UdDgQW
BBSOIVmqx+xebWs1G0aB4lXezlggAzAfBgNVHSMEGDAWgBSAmDaq0GNwz1aqOdTd
JfDB5OhzwjANBgkqhkiG9w0BAQsFAAOBgQCz50Ox6ct6GW4/UWTFOFH1dX8Q9xpb
AHZLATYzp7FMH72jGGW7971neTkjVwJvSCNHP0ZtwGsnLriYO2+tJWnoRykx9dq5
7pSmeMAsk7OrcaSdVX/ebUCiEUYg6cHwWm4AURj7IsnJZRVWR7+PmgW17dBwPN73
TShQApZ+YCSGUQ==
-----END CERTIFICATE-----
`;
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIICCDCCAXGgAwIBAgIUfKzg8zLgvcShtPD609o1F3IXua4wDQYJKoZIhvcNAQEL
BQAwFTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjIwNjM2NDdaGA8yMTI2
MTAyOTA2MzY0N1owFTETMBEGA1UEAwwKa3ViZXJuZXRlczCBnzANBgkqhkiG9w0B
AQEFAAOBjQAwgYkCgYEA977xq+jszDyO2PDu/xc13Y4C+Y3UG8nIBKoBqFJv8vnl
NBMFG/TEM/2IYR4pRWgvze6E1rOxzqqrn0qQqGz8qmasNLFO7bx4DZiW3v9FShPu
UUz++mmV7Eq8ACROrfsAcGCWr0AvL5BKwBvsYOqfwnju6LAkwxJuJ99+Gc/rxtkC
AwEAAaNTMFEwHQYDVR0OBBYEFICYNqrQY3DPVqo51N0l8MHk6HPCMB8GA1UdIwQY
MBaAFICYNqrQY3DPVqo51N0l8MHk6HPCMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZI
hvcNAQELBQADgYEAQtYmWeg2Ht+HOUxyuTb43H1v6EFfqxBzx8Ld1s5AU7dcSiYv
jAUvvFy0V8kODi1vyO9l+F121FMv3wfkD7pC51tHSkHjILUR6iPjqPgelAnUs1ho
tpWVJiiPwUoGRTgnM3A1ZXcl11AsCwvoiFtqU5eKRojY5E+tOl1xX1Dhbt0=
-----END CERTIFICATE-----
`;
const OTHER = `-----BEGIN CERTIFICATE-----
MIICCDCCAXGgAwIBAgIURA8W9TvIFwomYUwy2jyOzZFUIsswDQYJKoZIhvcNAQEL
BQAwFTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjIwNjM2NDdaGA8yMTI2
MTAyOTA2MzY0N1owFTETMBEGA1UEAwwKa3ViZXJuZXRlczCBnzANBgkqhkiG9w0B
AQEFAAOBjQAwgYkCgYEAn9KVkq3zNfK2uq0Rh4PncS2Xw0GzUdBTwoaqyVqjiLgp
GK46xc+HoXwZrhk5q3uJOcoN2vGHQ3jaP4S3RolJmAJnTlV4kSWDb46+3nfKrTSE
3NNPPVcEiisDl7qcCioYuoocHDynyuefKSzKewG/JPfzwfQG7QEoNPXuXxe+ATEC
AwEAAaNTMFEwHQYDVR0OBBYEFPzTl5k33OUtpWNMYiQqnsj+amqyMB8GA1UdIwQY
MBaAFPzTl5k33OUtpWNMYiQqnsj+amqyMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZI
hvcNAQELBQADgYEARGJChhxQKhHVe1cE9lCjbUnY+Zm0PLxqKtBdnYyLwp/exN+/
M3ZHxHntmUGz6DX5vHa2VYDPgj2v6PWvXUwv4mY6jiIF8SEoFpykZKi6XqLXMv7N
jJ8YRcYqYHHKwUYj60VjGf0p9uzJsiRv0Ne3f2O/8RhqnMZsxg3pq0KDJG0=
-----END CERTIFICATE-----
`;

const NOW = Date.UTC(2027, 0, 1);
const said = (authorities: string, host: string, nowMs = NOW) =>
  goDistrust(certificateOf(SERVER) as NonNullable<ReturnType<typeof certificateOf>>, authorities, host, nowMs);
const FAILED = 'tls: failed to verify certificate: x509:';

test('a server is believed by its authority, its names and its time', () => {
  expect(said(AUTHORITY, 'kubernetes')).toBeNull();
  expect(said(AUTHORITY, '10.96.0.1')).toBeNull();
  expect(said(AUTHORITY, '10.0.0.9')).toBe(`${FAILED} certificate is valid for 10.96.0.1, not 10.0.0.9`);
  expect(said(AUTHORITY, 'other')).toBe(`${FAILED} certificate is valid for kubernetes, not other`);
  expect(said(AUTHORITY, 'kubernetes', Date.UTC(2050, 0, 1))).toMatch(
    /x509: certificate has expired or is not yet valid: current time 2050-01-01T00:00:00Z is after 2036-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  );
});

test('an authority of the same name that has not signed is told of', () => {
  expect(said(OTHER, 'kubernetes')).toBe(
    `${FAILED} certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" while trying to verify candidate authority certificate "kubernetes")`,
  );
  expect(said('', 'kubernetes')).toBe(`${FAILED} certificate signed by unknown authority`);
});
