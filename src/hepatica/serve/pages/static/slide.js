// Slide: a slide as deep zoom with the map of scores over it. The canvas drawer: WebGL blends half-transparent maps wrongly.
import { ask } from "/static/page.js";

const NICE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
const TOP = 12;
const LONGEST = 150; // pixels of the scale bar, at most

class ScoreMap {
  constructor(viewer, canvas, about) {
    Object.assign(this, { viewer, canvas, about, shown: true, opacity: 0.5, threshold: 0 });
    this.colours = about.colours.map((rgb) => `rgb(${rgb.join(" ")})`);
    for (const event of ["update-viewport", "resize", "open"]) viewer.addHandler(event, () => this.draw());
  }

  /** Where a pixel of the slide lies in the viewer: [left, top, length of one pixel]. */
  place() {
    const zero = this.viewer.viewport.imageToViewerElementCoordinates(new OpenSeadragon.Point(0, 0));
    const end = this.viewer.viewport.imageToViewerElementCoordinates(new OpenSeadragon.Point(this.about.width, 0));
    return [zero.x, zero.y, (end.x - zero.x) / this.about.width];
  }

  draw() {
    const dense = window.devicePixelRatio || 1;
    const box = this.canvas.parentElement;
    const [wide, high] = [Math.round(box.clientWidth * dense), Math.round(box.clientHeight * dense)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    this.canvas.style.width = `${box.clientWidth}px`;
    this.canvas.style.height = `${box.clientHeight}px`;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, wide, high);
    context.globalAlpha = this.opacity;
    const [x0, y0, scale] = this.place().map((each) => each * dense);
    let drawn = 0;
    for (const [left, top, score] of this.shown ? this.about.tiles : []) {
      if (score < this.threshold) continue;
      const [x, y] = [Math.round(x0 + left * scale), Math.round(y0 + top * scale)];
      const right = Math.round(x0 + (left + this.about.extent) * scale);
      const bottom = Math.round(y0 + (top + this.about.extent) * scale);
      drawn += 1;
      if (right < 0 || bottom < 0 || x > wide || y > high) continue;
      context.fillStyle = this.colour(score);
      context.fillRect(x, y, Math.max(right - x, 1), Math.max(bottom - y, 1));
    }
    box.dataset.drawn = drawn;
    box.dataset.place = this.place().map((each) => each.toFixed(4)).join(" ");
  }

  colour(score) {
    return this.colours[Math.min(Math.floor(score * this.colours.length), this.colours.length - 1)];
  }
}

function scaleBar(map, bar) {
  const { mpp } = map.about;
  if (!mpp) return;
  const perMicrometre = map.place()[2] / mpp;
  const length = NICE.findLast((each) => each * perMicrometre <= LONGEST) ?? NICE[0];
  const line = document.createElement("span");
  line.style.width = `${length * perMicrometre}px`;
  bar.replaceChildren(length >= 1000 ? `${length / 1000} mm` : `${length} µm`, line);
  bar.hidden = false;
}

function legend(root, map) {
  const canvas = root.querySelector("canvas.scale");
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = map.colour(x / canvas.width);
    context.fillRect(x, 0, 1, canvas.height);
  }
  root.querySelector(".meaning").textContent = `${map.about.meaning}, from 0 (left) to 1 (right); ${map.about.tiles.length} tiles were scored. Tissue in its own colours was not scored.`;
}

function highest(root, map, url) {
  const best = [...map.about.tiles].sort((a, b) => b[2] - a[2]).slice(0, TOP);
  const items = best.map(([left, top, score]) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    button.type = "button";
    Object.assign(picture, { src: `${url}/look/${Math.round(left)}_${Math.round(top)}_${Math.round(map.about.extent)}.jpg`, alt: "", loading: "lazy" });
    button.append(picture, score.toFixed(2));
    button.setAttribute("aria-label", `Go to the tile with the score ${score.toFixed(2)}`);
    button.addEventListener("click", () => {
      const around = new OpenSeadragon.Rect(left - map.about.extent, top - map.about.extent, 3 * map.about.extent, 3 * map.about.extent);
      map.viewer.viewport.fitBounds(map.viewer.world.getItemAt(0).imageToViewportRectangle(around), true);
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  root.querySelector(".tiles").replaceChildren(...items);
}

function controls(root, map) {
  const viewport = () => map.viewer.viewport;
  const actions = {
    in: () => viewport().zoomBy(1.5), out: () => viewport().zoomBy(1 / 1.5), home: () => viewport().goHome(),
  };
  for (const button of root.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => { actions[button.dataset.do](); viewport().applyConstraints(); });
  }
  for (const input of root.querySelectorAll("[data-set]")) {
    input.addEventListener("input", () => {
      map[input.dataset.set] = input.type === "checkbox" ? input.checked : Number(input.value);
      if (input.type === "range") input.nextElementSibling.textContent = Number(input.value).toFixed(2);
      map.draw();
    });
  }
}

// OpenSeadragon writes a <style>, which the page's policy refuses, unless an element with this mark is there; ours is of
// no namespace that a browser knows, and workbench.css has the rule.
const mark = document.createElementNS("urn:hepatica", "style");
mark.setAttribute("data-openseadragon-mobile-css", "true");
document.head.append(mark);

async function show(root) {
  const url = root.dataset.slide;
  const about = await (await ask(`${url}.json`)).json();
  if (root.dataset.plain !== undefined) about.tiles = []; // a reader reads without the model
  const box = root.querySelector(".viewer");
  const viewer = OpenSeadragon({
    element: box, drawer: "canvas", showNavigationControl: false, showNavigator: true, navigatorPosition: "TOP_RIGHT",
    navigatorHeight: 90, navigatorWidth: 120, animationTime: 0.3, maxZoomPixelRatio: 4, tabIndex: -1,
    tileSources: {
      width: about.width, height: about.height, tileSize: about.tile, tileOverlap: about.overlap,
      getTileUrl: (level, x, y) => `${url}/${level}/${x}_${y}.jpg`,
    },
  });
  const map = new ScoreMap(viewer, root.querySelector(".heat"), about);
  box.append(map.canvas, root.querySelector(".scalebar"));
  viewer.addHandler("update-viewport", () => scaleBar(map, root.querySelector(".scalebar")));
  controls(root, map);
  if (about.tiles.length) {
    for (const each of root.querySelectorAll(".map")) each.hidden = false;
    legend(root, map);
    highest(root, map, url);
  }
  viewer.addHandler("open", () => {
    const item = viewer.world.getItemAt(0);
    const whole = () => { if (item.getFullyLoaded()) { map.draw(); root.dataset.ready = "slide"; } else delete root.dataset.ready; };
    item.addHandler("fully-loaded-change", whole);
    whole();
  });
  root.viewer = viewer;
}

for (const root of document.querySelectorAll("[data-slide]")) {
  show(root).catch((error) => {
    const problem = root.querySelector(".problem");
    problem.textContent = `The slide cannot be shown: ${error.message}`;
    problem.hidden = false;
    root.querySelector(".viewer").hidden = true;
    root.dataset.ready = "problem";
  });
}
