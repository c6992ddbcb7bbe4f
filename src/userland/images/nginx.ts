// What the nginx and httpd images carry: configuration and pages (nginx 1.29 and httpd 2.4 as their packages install them).

/** `1.25` -> 1.25.5: the last of a branch; branches still open and names get the newest. */
export function nginxVersion(tag: string): string {
  const exact = /^(\d+\.\d+\.\d+)/.exec(tag);
  if (exact) return exact[1];
  const last: Record<string, string> = {
    '1.14': '1.14.2',
    '1.15': '1.15.12',
    '1.16': '1.16.1',
    '1.17': '1.17.10',
    '1.18': '1.18.0',
    '1.19': '1.19.10',
    '1.20': '1.20.2',
    '1.21': '1.21.6',
    '1.22': '1.22.1',
    '1.23': '1.23.4',
    '1.24': '1.24.0',
    '1.25': '1.25.5',
    '1.26': '1.26.3',
    '1.27': '1.27.5',
    '1.28': '1.28.0',
    stable: '1.28.0',
  };
  return last[/^(\d+\.\d+|stable)/.exec(tag)?.[1] ?? ''] ?? '1.29.3';
}

const CONF = `
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
`;

const defaultConf = (port: number) => `server {
    listen       ${port};
    server_name  localhost;

    #access_log  /var/log/nginx/host.access.log  main;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    #error_page  404              /404.html;

    # redirect server error pages to the static page /50x.html
    #
    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }

    # proxy the PHP scripts to Apache listening on 127.0.0.1:80
    #
    #location ~ \\.php$ {
    #    proxy_pass   http://127.0.0.1;
    #}

    # pass the PHP scripts to FastCGI server listening on 127.0.0.1:9000
    #
    #location ~ \\.php$ {
    #    root           html;
    #    fastcgi_pass   127.0.0.1:9000;
    #    fastcgi_index  index.php;
    #    fastcgi_param  SCRIPT_FILENAME  /scripts$fastcgi_script_name;
    #    include        fastcgi_params;
    #}

    # deny access to .htaccess files, if Apache's document root
    # concurs with nginx's one
    #
    #location ~ /\\.ht {
    #    deny  all;
    #}
}

`;

const MIME = `
types {
    text/html                                        html htm shtml;
    text/css                                         css;
    text/xml                                         xml;
    image/gif                                        gif;
    image/jpeg                                       jpeg jpg;
    application/javascript                           js;
    text/plain                                       txt;
    image/png                                        png;
    image/svg+xml                                    svg svgz;
    image/x-icon                                     ico;
    application/json                                 json;
    application/pdf                                  pdf;
    application/zip                                  zip;
    application/octet-stream                         bin exe dll;
}
`;

// Before 1.21 the page had no colour scheme: 612 bytes then, 615 since.
const style = (old: boolean) =>
  old
    ? '    body {\n        width: 35em;\n        margin: 0 auto;\n        font-family: Tahoma, Verdana, Arial, sans-serif;\n    }\n'
    : 'html { color-scheme: light dark; }\nbody { width: 35em; margin: 0 auto;\nfont-family: Tahoma, Verdana, Arial, sans-serif; }\n';

const welcome = (old: boolean) => `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
${style(old)}</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;

const error50x = (old: boolean) => `<!DOCTYPE html>
<html>
<head>
<title>Error</title>
<style>
${style(old)}</style>
</head>
<body>
<h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.<br/>
Please try again later.</p>
<p>If you are the system administrator of this resource then you should check
the error log for details.</p>
<p><em>Faithfully yours, nginx.</em></p>
</body>
</html>
`;

export function nginxFiles(version: string, port: number): Record<string, string> {
  const old = Number(version.split('.')[1]) < 21;
  return {
    '/etc/nginx/nginx.conf': CONF,
    '/etc/nginx/mime.types': MIME,
    '/etc/nginx/conf.d/default.conf': defaultConf(port),
    '/usr/share/nginx/html/index.html': welcome(old),
    '/usr/share/nginx/html/50x.html': error50x(old),
    '/var/log/nginx/access.log': '->/dev/stdout',
    '/var/log/nginx/error.log': '->/dev/stderr',
    '/var/cache/nginx/': '',
    '/docker-entrypoint.d/': '',
  };
}

export const APACHE_INDEX = '<html><body><h1>It works!</h1></body></html>\n';

export const APACHE_CONF = `ServerRoot "/usr/local/apache2"
Listen 80
User www-data
Group www-data
ServerAdmin you@example.com
DocumentRoot "/usr/local/apache2/htdocs"
<Directory "/usr/local/apache2/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>
ErrorLog /proc/self/fd/2
LogLevel warn
<IfModule log_config_module>
    LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
    CustomLog /proc/self/fd/1 common
</IfModule>
`;
