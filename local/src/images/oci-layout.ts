import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The few parts of the OCI image format that are used here: https://github.com/opencontainers/image-spec */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

/** What a container of the image runs with unless its pod says otherwise, in the words of the image format. */
export interface ImageDefaults {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly User?: string;
}

/**
 * Makes `folder` the layout of an image whose one layer is the given tar, uncompressed, so that it can be recognised in images built
 * on it. The tar is moved into the layout.
 */
export async function writeSingleLayerLayout(
  folder: string,
  layerTar: string,
  image: string,
  defaults: ImageDefaults,
): Promise<void> {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const hash = createHash('sha256');
  await pipeline(createReadStream(layerTar, { highWaterMark: 1 << 20 }), hash);
  const layer = { mediaType: mediaTypes.layer, digest: `sha256:${hash.digest('hex')}`, size: statSync(layerTar).size };
  renameSync(layerTar, blobPath(folder, layer.digest));
  const config = writeBlob(folder, mediaTypes.config, {
    architecture: imageArchitecture(),
    os: 'linux',
    config: defaults,
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = writeBlob(folder, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [layer],
  });
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeIndex(folder, manifest, image);
}

/** The digests of the layout's only image: `sha256:…` of its configuration, and of its layers from the lowest. */
export function layoutDigests(folder: string): { readonly config: string; readonly layers: readonly string[] } {
  const manifest = JSON.parse(readFileSync(blobPath(folder, onlyManifest(folder).digest), 'utf8')) as Manifest;
  return { config: manifest.config.digest, layers: manifest.layers.map((layer) => layer.digest) };
}

/** Gives the layout's only image the name under which containerd will know it. */
export function nameLayout(folder: string, image: string): void {
  writeIndex(folder, onlyManifest(folder), image);
}

export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', digest.replace(':', '/'));
}

/** Go's name of this machine's processor, as image configurations use it. */
export function imageArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function onlyManifest(folder: string): Descriptor {
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const [manifest] = manifests;
  if (!manifest || manifests.length > 1) throw new Error(`${folder} holds ${manifests.length} images, not one`);
  return manifest;
}

function writeIndex(folder: string, { mediaType, digest, size }: Descriptor, image: string): void {
  const annotations = { 'io.containerd.image.name': image };
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size, annotations }] };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
}

function writeBlob(folder: string, mediaType: string, value: unknown): Descriptor {
  const content = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  writeFileSync(blobPath(folder, digest), content);
  return { mediaType, digest, size: Buffer.byteLength(content) };
}
