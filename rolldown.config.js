// Split CommonJS chunks: a command loads the chunks of its own verb and nothing else (start-up is most of a short command's time).
module.exports = {
  input: { podnet: 'src/cli/podnet.ts', kubectl: 'src/cli/kubectl.ts', 'code-cache': 'src/cli/code-cache.ts' },
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'cjs',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: { compress: true, mangle: false, codegen: false },
  },
};
