// Spectrum: data, fit, baseline, one component and the residual over the chemical shift, which grows to the left.
import { ask } from "/static/page.js";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const sync = uPlot.sync("spectrum");

function options(root, box, curves, height) {
  const axis = { stroke: style("--ink"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line") } };
  return {
    width: box.clientWidth, height, cursor: { sync: { key: "spectrum", setSeries: false }, drag: { x: true, y: false } },
    legend: { show: false }, scales: { x: { time: false, dir: -1 } },
    axes: [{ ...axis, label: "chemical shift, ppm" }, { ...axis, show: false }],
    series: [{ label: "ppm" }, ...curves],
    hooks: { setScale: [(plot, key) => { if (key === "x") follow(root, plot); }] },
  };
}

/** Both plots show the same stretch. */
function follow(root, plot) {
  const { min, max } = plot.scales.x;
  for (const other of root.plots ?? []) {
    if (other !== plot && (other.scales.x.min !== min || other.scales.x.max !== max)) other.setScale("x", { min, max });
  }
  root.dataset.shown = `${max?.toFixed(2)} ${min?.toFixed(2)}`;
}

function rising(found) {
  const order = found.ppm.map((_, place) => place).sort((a, b) => found.ppm[a] - found.ppm[b]);
  const turned = (values) => order.map((place) => values[place]);
  const components = Object.fromEntries(Object.entries(found.components).map(([name, values]) => [name, turned(values)]));
  return { ...found, components, ...Object.fromEntries(["ppm", "data", "fit", "baseline", "residual"].map((name) => [name, turned(found[name])])) };
}

function table(root, found) {
  root.querySelector("tbody").replaceChildren(...found.quantities.map((each) => {
    const row = document.createElement("tr");
    for (const text of [each.name, each.value ?? "not quantifiable", each.sd ?? "–", each.unit]) row.insertCell().textContent = text;
    return row;
  }));
  root.querySelector(".flags").replaceChildren(...found.flags.map((text) => {
    const said = document.createElement("p");
    Object.assign(said, { className: "doubt", textContent: text });
    return said;
  }));
}

function draw(root, found) {
  const colours = { data: style("--ink"), fit: style("--alert"), baseline: style("--quiet"), component: style("--chart") };
  const curve = (label, more = {}) => ({ label, stroke: colours[label], width: label === "data" ? 1 : 1.6, ...more });
  const [main, rest] = [root.querySelector(".plot.main"), root.querySelector(".plot.rest")];
  const none = found.ppm.map(() => null);
  root.plots = [
    new uPlot(options(root, main, [curve("data"), curve("fit"), curve("baseline", { dash: [5, 4] }), curve("component")], 340), [found.ppm, found.data, found.fit, found.baseline, none], main),
    new uPlot(options(root, rest, [{ label: "residual", stroke: colours.data, width: 1 }], 170), [found.ppm, found.residual], rest),
  ];
  for (const plot of root.plots) sync.sub(plot);
  const lines = Object.entries(colours).map(([name, colour]) => {
    const said = document.createElement("span");
    said.style.color = colour;
    said.textContent = `— ${name}`;
    return said;
  });
  root.querySelector(".legend").replaceChildren(...lines);
}

function controls(root, found) {
  const [main] = root.plots;
  for (const box of root.querySelectorAll("[data-curve]")) {
    box.addEventListener("change", () => main.setSeries(box.dataset.curve === "fit" ? 2 : 3, { show: box.checked }));
  }
  const select = root.querySelector('[data-set="component"]');
  for (const name of Object.keys(found.components)) select.append(new Option(name, name));
  select.addEventListener("change", () => {
    const values = found.components[select.value];
    const shown = values ? values.map((each, place) => each + found.baseline[place]) : found.ppm.map(() => null);
    main.setData([found.ppm, found.data, found.fit, found.baseline, shown], false);
    main.redraw();
    root.dataset.component = select.value;
  });
  root.querySelector('[data-do="whole"]').addEventListener("click", () => main.setScale("x", { min: found.ppm[0], max: found.ppm.at(-1) }));
  new ResizeObserver(() => {
    for (const plot of root.plots) plot.setSize({ width: root.clientWidth, height: plot.height });
  }).observe(root);
}

async function show(root) {
  const found = rising(await (await ask(root.dataset.spectrum)).json());
  draw(root, found);
  table(root, found);
  controls(root, found);
  root.dataset.ready = "spectrum";
}

for (const root of document.querySelectorAll("[data-spectrum]")) {
  show(root).catch((error) => {
    const problem = root.querySelector(".problem");
    problem.textContent = `The fit cannot be shown: ${error.message}`;
    problem.hidden = false;
    root.dataset.ready = "problem";
  });
}
