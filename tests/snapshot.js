// Pictures as averages of squares, in a page of the browser: { shrink, compare }. It must not know where pictures are kept.
(() => {
  // In pixels: what is kept as one, and how many of these make a square that is compared.
  const KEPT = 4;
  const SQUARE = 4;

  async function read(picture) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  }

  function average(image, size) {
    const small = new ImageData(Math.floor(image.width / size), Math.floor(image.height / size));
    for (let index = 0; index < small.data.length; index += 1) {
      const part = index % 4;
      const left = Math.floor(index / 4) % small.width;
      const top = Math.floor(index / 4 / small.width);
      let sum = 0;
      for (let y = top * size; y < (top + 1) * size; y += 1) {
        for (let x = left * size; x < (left + 1) * size; x += 1) {
          sum += image.data[(y * image.width + x) * 4 + part];
        }
      }
      small.data[index] = sum / size ** 2;
    }
    return small;
  }

  // Says of which squares of one image the average is none that lies between those of the other around it.
  function findForeign(one, other, tolerance) {
    const foreign = new Set();
    for (let index = 0; index < one.data.length; index += 1) {
      const part = index % 4;
      const left = Math.floor(index / 4) % one.width;
      const top = Math.floor(index / 4 / one.width);
      const around = [];
      for (let y = Math.max(top - 1, 0); y <= Math.min(top + 1, one.height - 1); y += 1) {
        for (let x = Math.max(left - 1, 0); x <= Math.min(left + 1, one.width - 1); x += 1) {
          around.push(other.data[(y * one.width + x) * 4 + part]);
        }
      }
      const value = one.data[index];
      if (value < Math.min(...around) - tolerance || value > Math.max(...around) + tolerance) {
        foreign.add(`${left * KEPT * SQUARE},${top * KEPT * SQUARE}`);
      }
    }
    return foreign;
  }

  async function shrink(picture) {
    const small = average(await read(picture), KEPT);
    const canvas = new OffscreenCanvas(small.width, small.height);
    canvas.getContext("2d").putImageData(small, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }

  // Gives how many squares there are, and where those begin that differ, in pixels of the page; null if the sizes differ.
  async function compare(kept, seen, tolerance) {
    const [before, now] = [await read(kept), await read(seen)];
    if (before.width !== now.width || before.height !== now.height) {
      return null;
    }
    const [one, other] = [average(before, SQUARE), average(now, SQUARE)];
    const foreign = new Set([...findForeign(one, other, tolerance), ...findForeign(other, one, tolerance)]);
    return { squares: one.width * one.height, foreign: [...foreign] };
  }

  return { shrink, compare };
})()
