// Draws pictures beside each other and returns their pixels as places in a palette: colours that
// differ by less than anybody sees are one, and the rarest become the nearest of those that stay.
async ([panes, gap]) => {
  const images = await Promise.all(panes.map(async (pane) => {
    const image = new Image();
    image.src = `data:image/png;base64,${pane}`;
    await image.decode();
    return image;
  }));
  const canvas = document.createElement("canvas");
  canvas.width = images.reduce((sum, one) => sum + one.width + gap, gap);
  canvas.height = Math.max(...images.map((one) => one.height)) + 2 * gap;
  const paint = canvas.getContext("2d");
  paint.fillStyle = "#d5dae0";
  paint.fillRect(0, 0, canvas.width, canvas.height);
  let x = gap;
  for (const image of images) {
    paint.drawImage(image, x, gap);
    x += image.width + gap;
  }
  const { data } = paint.getImageData(0, 0, canvas.width, canvas.height);
  const exact = (at) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const key = exact(at);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const split = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const group = ([r, g, b]) => ((r >> 4) << 8) | ((g >> 4) << 4) | (b >> 4);
  const chosen = new Map();
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    const key = group(split(colour));
    if (!chosen.has(key) && chosen.size < 256) chosen.set(key, split(colour));
  }
  // Large surfaces keep their own colour, also where two of them are alike.
  const places = new Map();
  const palette = [...chosen.values()];
  for (const [colour, count] of counts) {
    const own = split(colour);
    if (count > 2000 && palette.length < 256 && !palette.some((one) => String(one) === String(own))) {
      palette.push(own);
    }
  }
  const far = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  const nearest = (own) => {
    let best = 0;
    palette.forEach((one, place) => {
      if (far(one, own) < far(palette[best], own)) best = place;
    });
    return best;
  };
  const pixels = new Uint8Array(data.length / 4);
  for (let at = 0; at < data.length; at += 4) {
    const key = exact(at);
    if (!places.has(key)) places.set(key, nearest(split(key)));
    pixels[at / 4] = places.get(key);
  }
  let text = "";
  for (let at = 0; at < pixels.length; at += 32768) {
    text += String.fromCharCode(...pixels.subarray(at, at + 32768));
  }
  return { width: canvas.width, height: canvas.height, palette: palette.flat(), pixels: btoa(text) };
}
