import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** One folder deep like the sources, so that what they find beside themselves (`../migrations`) is found from here, too. */
const folder = join(root, 'built');
const builder = 'bin/built.mjs';

/**
 * The address of a program of ours (its TypeScript, from the root) as JavaScript, made anew when one of its files has changed:
 * Node 20 cannot strip types itself, and to strip them at every start takes longer than most commands do.
 */
export async function built(entry) {
  const name = entry.replaceAll(/[/\\]/g, '-').replace(/\.\w+$/, '');
  const manifest = join(folder, `${name}.json`);
  const { sources, hash, file } = readManifest(manifest);
  const isCurrent = file !== undefined && hashOf(sources) === hash;
  return pathToFileURL(join(folder, isCurrent ? file : await build(entry, name, manifest))).href;
}

function readManifest(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}

/** Of what the sources hold; null when one of them is gone. */
function hashOf(sources, read = (source) => readFileSync(join(root, source))) {
  const hash = createHash('sha256');
  try {
    for (const source of sources) hash.update(source).update(read(source));
    return hash.digest('hex');
  } catch {
    return null;
  }
}

async function build(entry, name, manifest) {
  const esbuild = await import('esbuild');
  // What was built, should a file be written to meanwhile.
  const contents = new Map([[builder, readFileSync(join(root, builder))]]);
  const keep = {
    name: 'keep',
    setup({ onLoad }) {
      onLoad({ filter: /\.m?ts$/ }, ({ path }) => {
        const source = readFileSync(path);
        contents.set(relative(root, path), source);
        return { contents: source, loader: 'ts' };
      });
    },
  };
  const { metafile, outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { [name]: entry },
    outdir: folder,
    // A file's name says what is in it: what runs while another version is made still finds the parts it has not loaded yet.
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    plugins: [keep],
    metafile: true,
    write: false,
  });
  const sources = [...contents.keys()].sort();
  const hash = hashOf(sources, (source) => contents.get(source));
  const [output] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
  const file = relative(folder, join(root, output));
  try {
    for (const each of outputFiles) writeWhole(each.path, each.contents);
    writeWhole(manifest, JSON.stringify({ sources, hash, file }));
  } catch (error) {
    throw new Error(
      `The program is not built yet, and cannot be written to ${folder}: ${error.message}. Run it once as somebody who may write there.`,
    );
  }
  return file;
}

/** Two may build at once; a rename shows either's whole. */
function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}
