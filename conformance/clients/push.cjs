// Pushes an image out of an OCI layout with the client in @sigstore/oci, for `longshore judge`: push.cjs LAYOUT REGISTRY REPOSITORY TAG.
//
// The library attaches artifacts to images. Here the client inside it is given the blobs and manifests of a layout, children first.
// What it sends and how is its own, and its own defaults hold.
const fs = require('node:fs');
const path = require('node:path');
const { RegistryClient } = require(path.join(path.dirname(require.resolve('@sigstore/oci')), 'registry.js'));

const [layout, registry, repository, tag] = process.argv.slice(2);
const client = new RegistryClient(registry, repository);
const read = (descriptor) => fs.readFileSync(path.join(layout, 'blobs', ...descriptor.digest.split(':')));

async function push(descriptor, reference) {
  const bytes = read(descriptor);
  const manifest = JSON.parse(bytes);
  for (const child of manifest.manifests ?? []) {
    await push(child, child.digest);
  }
  for (const blob of manifest.config ? [manifest.config, ...manifest.layers] : []) {
    await client.uploadBlob(read(blob));
  }
  await client.uploadManifest(bytes.toString(), { mediaType: descriptor.mediaType, reference });
}

const [root] = JSON.parse(fs.readFileSync(path.join(layout, 'index.json'))).manifests;
push(root, tag).catch((error) => {
  console.error(`${error}${error.cause ? `: ${error.cause}` : ''}`);
  process.exitCode = 1;
});
