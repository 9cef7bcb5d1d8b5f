"""Small PNGs without another program: a picture with at most 256 colours, one byte a pixel."""

import base64
import struct
import zlib

# In the browser, which decodes pictures and counts quickly: the most frequent colours that are not almost the same, and
# for every pixel the nearest of them.
_FEW_COLOURS = """async (data) => {
  const bitmap = await createImageBitmap(await (await fetch(data)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const distance = ([a, b, c], [d, e, f]) => 2 * (a - d) ** 2 + 4 * (b - e) ** 2 + 3 * (c - f) ** 2;
  const palette = [];
  for (const [colour] of [...counts].sort((one, other) => other[1] - one[1])) {
    if (palette.length === 256) break;
    const candidate = parts(colour);
    const nearness = palette.length < 64 ? 12 : palette.length < 160 ? 120 : 500;
    if (palette.every((known) => distance(known, candidate) > nearness)) palette.push(candidate);
  }
  const nearest = new Map();
  const indices = new Uint8Array(pixels.length);
  pixels.forEach((pixel, at) => {
    let index = nearest.get(pixel);
    if (index === undefined) {
      let best = Infinity;
      const wanted = parts(pixel);
      palette.forEach((known, number) => {
        const far = distance(known, wanted);
        if (far < best) [best, index] = [far, number];
      });
      nearest.set(pixel, index);
    }
    indices[at] = index;
  });
  let text = "";
  for (let at = 0; at < indices.length; at += 32768) text += String.fromCharCode(...indices.subarray(at, at + 32768));
  return { width: bitmap.width, height: bitmap.height, palette: palette.flat(), indices: btoa(text) };
}"""


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def small(page, picture):
    """The picture (PNG bytes) again, smaller. `page` is any page without a policy, such as about:blank."""
    data = "data:image/png;base64," + base64.b64encode(picture).decode()
    told = page.evaluate(_FEW_COLOURS, data)
    width, indices = told["width"], base64.b64decode(told["indices"])
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, len(indices), width))
    header = struct.pack(">IIBBBBB", width, told["height"], 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [_chunk(b"IHDR", header), _chunk(b"PLTE", bytes(told["palette"])), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
    )
