import { promisify } from 'node:util';
import { brotliDecompress, unzip, type ZlibOptions } from 'node:zlib';

type Unpacker = (data: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** What is asked for. The others below are read should a proxy send them all the same. */
export const acceptedEncoding = 'gzip';

const zlib: Unpacker = promisify(unzip);
const unpackers: Record<string, Unpacker> = {
  gzip: zlib,
  'x-gzip': zlib,
  deflate: zlib,
  br: promisify(brotliDecompress) as Unpacker,
};

const smallestChunk = 16_384;
const largestChunk = 4_000_000;

/**
 * An answer's body without its content encoding, in one piece: unpacked as it comes in, a page would be a dozen buffers
 * first, which cost V8 a collection of all its garbage each second. Rejects with what is wrong: an unknown encoding,
 * damaged or incomplete data, or more than `maxBytes`.
 */
export async function unpack(data: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity' || data.length === 0) return data;
  const unpacker = unpackers[name];
  if (!unpacker) throw new Error(`its encoding is ${name.slice(0, 30)}, which was not asked for`);
  // gzip ends with the size of what it holds (RFC 1952, 2.3.1): a hint only, so that one buffer is enough.
  const told = data.length > 18 ? data.readUInt32LE(data.length - 4) + 1 : 0;
  const chunkSize = Math.min(Math.max(told, smallestChunk), largestChunk);
  return unpacker(data, { chunkSize, maxOutputLength: maxBytes });
}
